"""The file ``pose3d.npz``: 3D poses of everybody in a video, saying what its numbers mean."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import hyperlift
from hyperlift.data.safe_npz import open_npz
from hyperlift.errors import InputError, one_line
from hyperlift.files import atomic_file
from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M
from hyperlift.geometry.contract import LifterSpec
from hyperlift.skeletons import skeleton_named
from hyperlift.trajectory.place import Placement
from hyperlift.wild.keypoints import LiftedPerson

FORMAT = "hyperlift-poses"
FORMAT_VERSION = 1
POSES_NAME = "pose3d.npz"
"""Of the file in a folder of results."""
_ARRAYS = ("frame", "time_s", "pose_norm", "valid")
_PLACED_ARRAYS = {
    "joints_m": "metres from the camera; camera axes x right, y down, z forward",
    "root_m": "metres, the root joint of joints_m",
    "root_std_m": "metres, standard deviation of root_m without that of body size and focal length",
    "world_m": "metres; z up, the floor at 0",
    "reprojection_px": "pixels of the upright video, root mean square over the joints seen; NaN where none was",
}
"""Written for people who are placed, with the units that ``meta`` states."""
_OPTIONAL = ("bridged", *_PLACED_ARRAYS)


@dataclass(frozen=True, kw_only=True)
class PosesMeta:
    """Where poses come from."""

    source: str
    """Name of the keypoint file or folder."""
    width: int
    """Of the video in pixels."""
    height: int
    """Of the video in pixels."""
    fps: float
    """Of the video."""
    lifter: LifterSpec
    placement: Placement | None = None
    """Camera, height and world, where people are placed."""
    rigid: Mapping[str, Any] | None = None
    """What the fit of rigid bones did, where joints are those of the fit."""

    def as_dict(self) -> dict:
        """What stands in the file's ``meta``."""
        lifter = self.lifter
        placed = {} if self.placement is None else {"arrays": _PLACED_ARRAYS, **self.placement.as_dict()}
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "axes": "camera: x right, y down, z forward (away from the camera)",
            "label_space": lifter.label_space,
            "units": _units(lifter),
            "root": _root(lifter),
            "skeleton": lifter.skeleton,
            "joint_names": list(skeleton_named(lifter.skeleton).joints),
            "source": self.source,
            "video_size": [self.width, self.height],
            "fps": self.fps,
            "model": {
                "name": lifter.name,
                "fps": lifter.fps,
                "rootrel": lifter.rootrel,
                "n_frames": lifter.n_frames,
                "licence": lifter.licence,
                "credit": lifter.credit,
            },
            "hyperlift": hyperlift.__version__,
            **placed,
            **({} if self.rigid is None else {"rigid": self.rigid}),
        }


def meta_dict(meta: PosesMeta | Mapping) -> dict:
    """What stands in a file's ``meta``, of lifting or of a file that was read."""
    return meta.as_dict() if isinstance(meta, PosesMeta) else dict(meta)


def write_poses(path: Path | str, people: Sequence[LiftedPerson], meta: PosesMeta | Mapping) -> None:
    """Write the file, whole or not at all.

    Per person ``p<ID>/frame`` [T], ``p<ID>/time_s`` [T], ``p<ID>/pose_norm`` [T,V,3], ``p<ID>/valid`` [T,V],
    ``p<ID>/bridged`` [T,V] where it is known, and ``meta``, a JSON text with axes, units, joint names, source and
    model. People who are placed also have ``p<ID>/joints_m`` [T,V,3], ``p<ID>/root_m`` [T,3], ``p<ID>/root_std_m``
    [T,3], ``p<ID>/world_m`` [T,V,3] and ``p<ID>/reprojection_px`` [T], and ``meta`` the intrinsics, the height and the
    world's frame.

    Raises:
        InputError: the folder cannot be written.
    """
    arrays = {
        f"p{person.id}/{name}": getattr(person, name)
        for person in people
        for name in (*_ARRAYS, *_OPTIONAL)
        if getattr(person, name) is not None
    }
    with atomic_file(path) as partial:
        np.savez_compressed(partial, meta=np.array(json.dumps(meta_dict(meta))), **arrays)


def read_poses(path: Path | str) -> tuple[list[LiftedPerson], dict]:
    """Read people, ascending by id, and the meta data.

    Raises:
        InputError: the file is missing or is no such file.
    """
    path = Path(path)
    if path.is_dir():
        inside = sorted(path.glob(f"**/{POSES_NAME}"))
        remedy = f"give {inside[0]}" if inside else f"expected the {POSES_NAME} that lifting writes, and none is in it"
        raise InputError(f"{path}: is a folder; {remedy}")
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected the {POSES_NAME} that lifting writes")
    try:
        with open_npz(path) as stored:
            meta = json.loads(str(stored.read("meta")))
            ids = sorted({int(key.split("/")[0][1:]) for key in stored if key != "meta"})
            people = [
                LiftedPerson(
                    id=number,
                    **{name: stored.read(f"p{number}/{name}") for name in _ARRAYS},
                    **{name: stored.read(key) for name in _OPTIONAL if (key := f"p{number}/{name}") in stored},
                )
                for number in ids
            ]
    except InputError:
        raise
    except (KeyError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: holds no 3D poses ({one_line(str(error))}); expected the {POSES_NAME} that lifting writes"
        ) from error
    if meta.get("format") != FORMAT or meta.get("version") != FORMAT_VERSION:
        raise InputError(
            f"{path}: is {meta.get('format')} version {meta.get('version')}; expected {FORMAT} version {FORMAT_VERSION}"
        )
    return people, meta


def _units(lifter: LifterSpec) -> str:
    if lifter.label_space == "camera":
        return f"metres of a body scaled so that its bones sum to {REFERENCE_BONE_SUM_M} m"
    return "normalised picture units: half the picture's width is 1, in x, y and z alike"


def _root(lifter: LifterSpec) -> str:
    root = skeleton_named(lifter.skeleton).joints[skeleton_named(lifter.skeleton).root]
    if lifter.rootrel:
        return f"{root} is 0, 0, 0 in every frame"
    return f"x, y measured from the picture's centre; z from {root} in the first frame of the person"
