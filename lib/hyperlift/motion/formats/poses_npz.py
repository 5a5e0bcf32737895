"""``pose3d.npz``: 3D poses of all people in a video, with metadata."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import hyperlift
from hyperlift.body.person import Person, check_people, known
from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError, quoted
from hyperlift.files.atomic import atomic_file
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M
from hyperlift.readers import reader
from hyperlift.safe_io.json_text import parse_json
from hyperlift.safe_io.npz import Npz, open_npz
from hyperlift.safe_io.text import is_number
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.skeletons.skeleton import Skeleton

FORMAT = "hyperlift-poses"
FORMAT_VERSION = 1
"""Version of the format; it changes when readers of older files would fail."""
POSES_NAME = "pose3d.npz"
"""Name of the file in a folder of results."""
_ARRAYS = ("frame", "time_s", "pose_norm", "valid")
_PLACED_ARRAYS = {
    "joints_m": "metres from the camera; camera axes x right, y down, z forward",
    "root_m": "metres, the root joint of joints_m",
    "root_std_m": "metres, standard deviation of root_m without that of body size and focal length",
    "world_m": "metres; z up, the floor at 0",
    "reprojection_px": "pixels of the upright video, root mean square over the joints seen; NaN where none was",
}
"""Arrays of placed people, with their units in ``meta``."""
_OPTIONAL = ("bridged", *_PLACED_ARRAYS)
_KINDS = {"frame": "i", "valid": "b", "bridged": "b"}
"""Kinds of the dtypes of arrays that are not floating-point."""
_PERSON_KEY = re.compile(r"p(-?[0-9]{1,18})/[a-z_]+")
_SECTIONS = ("model", "height", "intrinsics", "world", "arrays", "rigid")


def poses_meta(
    *,
    source: str,
    width: int,
    height: int,
    fps: float,
    lifter: LifterSpec,
    placement: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The ``meta`` of files: meaning and origin of the numbers.

    Args:
        source: name of the keypoint file or folder.
        width: of the video in pixels.
        height: of the video in pixels.
        fps: of the video.
        lifter: contract of the lifter.
        placement: ``Placement.as_dict`` of placed people.
    """
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "axes": "camera: x right, y down, z forward (away from the camera)",
        "label_space": lifter.label_space,
        "units": _units(lifter),
        "root": _root(lifter),
        "skeleton": lifter.skeleton,
        "joint_names": list(skeleton_named(lifter.skeleton).joints),
        "source": source,
        "video_size": [width, height],
        "fps": fps,
        "model": {
            "name": lifter.name,
            "fps": lifter.fps,
            "rootrel": lifter.rootrel,
            "n_frames": lifter.n_frames,
            "licence": lifter.licence,
            "credit": lifter.credit,
        },
        "hyperlift": hyperlift.__version__,
        **({} if placement is None else {"arrays": _PLACED_ARRAYS, **placement}),
    }


def write_poses(path: Path | str, people: Sequence[Person], meta: Mapping[str, Any]) -> None:
    """Write the file atomically.

    It holds per person ``p<ID>/frame`` [T], ``p<ID>/time_s`` [T], ``p<ID>/pose_norm`` [T,V,3], ``p<ID>/valid`` [T,V],
    ``p<ID>/bridged`` [T,V], ``p<ID>/joints_m`` [T,V,3], ``p<ID>/root_m`` [T,3], ``p<ID>/root_std_m`` [T,3],
    ``p<ID>/world_m`` [T,V,3] and ``p<ID>/reprojection_px`` [T], and ``meta``, a JSON text with axes, units, joint
    names, source, model, intrinsics, height and the world's frame. Arrays of metres and pixels of which no number is
    known are left out.

    Raises:
        InputError: the folder cannot be written.
    """
    arrays = {f"p{person.id}/{name}": getattr(person, name) for person in people for name in written_arrays(person)}
    with atomic_file(path) as partial:
        np.savez_compressed(partial, meta=np.array(json.dumps(dict(meta))), **arrays)


def written_arrays(person: Person) -> list[str]:
    """Names of the arrays of a person that are written: those with a finite number."""
    return [*_ARRAYS, "bridged", *(name for name in _PLACED_ARRAYS if known(getattr(person, name)))]


@reader("3D poses", remedy="lift the recording again")
def read_poses(path: Path | str) -> tuple[list[Person], dict[str, Any]]:
    """Read people, in ascending order of id, and the metadata; keypoints and arrays that the file lacks are NaN.

    Raises:
        InputError: the file is missing or of another kind, its shapes do not match, or its values or metadata are not
            valid.
    """
    path = Path(path)
    if path.is_dir():
        inside = sorted(path.glob(f"**/{POSES_NAME}"))
        remedy = f"give {inside[0]}" if inside else f"expected the {POSES_NAME} that lifting writes, and none is in it"
        raise InputError(f"{path}: is a folder; {remedy}")
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected the {POSES_NAME} that lifting writes")
    with open_npz(path) as stored:
        if "meta" not in stored or (text := stored.read("meta")).dtype.kind != "U" or text.size != 1:
            raise InputError(f"{path}: holds no 3D poses; expected the {POSES_NAME} that lifting writes")
        meta = _of_valid_text(parse_json(str(text.item()), f"{path}: its meta data", "lift the recording again"))
        skeleton = _checked_meta(meta, path)
        people = [_person(stored, number) for number in _ids(stored)]
    try:
        check_people(people, skeleton)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return people, meta


def _ids(stored: Npz) -> list[int]:
    ids = set()
    for key in stored:
        if key != "meta":
            named = _PERSON_KEY.fullmatch(key)
            if named is None:
                raise InputError(f"{stored.path}: holds the array {quoted(key)}; expected those of people, as p0/frame")
            ids.add(int(named[1]))
    return sorted(ids)


def _person(stored: Npz, number: int) -> Person:
    arrays = {}
    for name in (*_ARRAYS, *_OPTIONAL):
        key = f"p{number}/{name}"
        if key in stored:
            array = stored.read(key)
            if array.dtype.kind != _KINDS.get(name, "f"):
                raise InputError(f"{stored.path}: {key} is {array.dtype}; lift the recording again")
            arrays[name] = array
        elif name in _ARRAYS:
            raise InputError(f"{stored.path}: holds no 3D poses of p{number}: {name} is missing; lift it again")
    return Person.of(id=number, **arrays)


def _checked_meta(meta: object, path: Path) -> Skeleton:
    remedy = f"expected the {POSES_NAME} that lifting writes"
    if not isinstance(meta, dict):
        raise InputError(f"{path}: its meta data are {quoted(meta)}; {remedy}")
    if meta.get("format") != FORMAT or meta.get("version") != FORMAT_VERSION:
        raise InputError(
            f"{path}: is {quoted(meta.get('format'))} version {quoted(meta.get('version'))}; expected {FORMAT} version "
            f"{FORMAT_VERSION}"
        )
    if not isinstance(meta.get("skeleton"), str):
        raise InputError(f"{path}: the meta data name no skeleton; {remedy}")
    try:
        skeleton = skeleton_named(meta["skeleton"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if meta.get("joint_names") != list(skeleton.joints):
        raise InputError(f"{path}: its joints are {quoted(meta.get('joint_names'))}; expected those of {skeleton.name}")
    for name in _SECTIONS:
        if not isinstance(meta.get(name, {}), dict):
            raise InputError(f"{path}: {name} in its meta data is {quoted(meta[name])}; {remedy}")
    if "fps" in meta and not is_number(meta["fps"], 1e-3, 1e5):
        raise InputError(f"{path}: fps in its meta data is {quoted(meta['fps'])}; {remedy}")
    return skeleton


def _of_valid_text(meta: Any) -> Any:
    """Metadata without lone surrogates, which file names can contain and UTF-8 files cannot."""
    return json.loads(json.dumps(meta, ensure_ascii=False).encode("utf-8", "replace"))


def _units(lifter: LifterSpec) -> str:
    if lifter.label_space == "camera":
        return f"metres of a body scaled so that its bones sum to {REFERENCE_BONE_SUM_M} m"
    return "normalised picture units: half the picture's width is 1, in x, y and z alike"


def _root(lifter: LifterSpec) -> str:
    root = skeleton_named(lifter.skeleton).joints[skeleton_named(lifter.skeleton).root]
    if lifter.rootrel:
        return f"{root} is 0, 0, 0 in every frame"
    return f"x, y measured from the picture's centre; z from {root} in the first frame of the person"
