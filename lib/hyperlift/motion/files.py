"""Output files of a motion by suffix: tables of all people, rigid bodies of one person each, clips."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from hyperlift.body.person import Person
from hyperlift.body.rigid_fit import FittedMotion
from hyperlift.choices import BodyFormat
from hyperlift.errors import InputError, quoted
from hyperlift.files.atomic import check_output
from hyperlift.motion.formats.bvh import write_bvh
from hyperlift.motion.formats.c3d import check_c3d, write_c3d
from hyperlift.motion.formats.glb import write_glb
from hyperlift.motion.formats.node_tree import NAMINGS
from hyperlift.motion.formats.poses_csv import write_poses_csv
from hyperlift.motion.formats.poses_json import write_poses_json
from hyperlift.motion.formats.poses_npz import write_poses
from hyperlift.motion.formats.trc import write_trc

_TABLES: dict[str, Callable[[Path, Sequence[Person], Mapping[str, Any]], None]] = {
    ".npz": write_poses,
    ".json": write_poses_json,
    ".csv": write_poses_csv,
}
CLIPS = (".mp4", ".gif")
BODIES = tuple(f".{kind}" for kind in get_args(BodyFormat))
NAMED = (".bvh", ".glb")
"""Formats whose nodes have a naming."""


def check_kind(path: Path, naming: str = "plain") -> str:
    """Check that a file can be written, and return its suffix.

    Raises:
        InputError: the suffix or naming is unknown, the format has no nodes to name, or the package for C3D is missing.
    """
    kind = path.suffix.lower()
    known = (*_TABLES, *BODIES, *CLIPS)
    if kind not in known:
        raise InputError(f"{path}: unknown kind of file {quoted(path.suffix)}; choose from {', '.join(known)}")
    if naming not in NAMINGS:
        raise InputError(f"naming is {quoted(naming)}; choose from {', '.join(NAMINGS)}")
    if naming != "plain" and kind not in NAMED:
        raise InputError(f"{path}: {kind} has no nodes to name; a naming goes with {' and '.join(NAMED)}")
    if kind == ".c3d":
        check_c3d()
    return kind


def write_table(path: Path, people: Sequence[Person], meta: Mapping[str, Any]) -> None:
    """Write the joints of all people as ``.npz``, ``.json`` or ``.csv``.

    Raises:
        InputError: the folder cannot be written.
    """
    _TABLES[path.suffix.lower()](path, people, meta)


def body_paths(path: Path, ids: Sequence[int], numbered: bool) -> list[Path]:
    """One path per person: ``walk_p0.bvh``, ``walk_p1.bvh`` for ``walk.bvh``; for one person the path itself, unless
    ``numbered``."""
    if len(ids) == 1 and not numbered:
        return [path]
    return [path.with_name(f"{path.stem}_p{number}{path.suffix}") for number in ids]


def write_bodies(
    path: Path, fits: Mapping[int, FittedMotion], naming: str = "plain", numbered: bool = False
) -> list[Path]:
    """Write each rigid body as ``.bvh``, ``.glb``, ``.trc`` or ``.c3d``, one file per person.

    BVH and glTF files all start with the recording; people who enter later hold their first pose until then.

    Returns:
        The paths of the files.

    Raises:
        InputError: as for ``check_kind``, or the folder cannot be written.
    """
    kind = check_kind(path, naming)
    paths = body_paths(path, list(fits), numbered)
    for own in paths:
        check_output(own)
    for own, fitted in zip(paths, fits.values(), strict=True):
        if kind == ".bvh":
            write_bvh(own, fitted, naming=naming, start_s=0.0)
        elif kind == ".glb":
            write_glb(own, fitted, naming=naming, start_s=0.0)
        elif kind == ".trc":
            write_trc(own, fitted)
        else:
            write_c3d(own, fitted)
    return paths
