"""The two ``.npz`` formats of VideoPose3D. Both contain pickled objects, which ``safe_io.pickles`` reads.

``NAME.mp4.npz``, from the Detectron inference script, contains all people of a video with boxes. A custom data set
(``data_2d_custom_NAME.npz``), from the preparation script, contains one person without gaps and without confidences.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.arrays import check_finite, detections_of
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.formats.picture_names import chosen_recording
from hyperlift.keypoints.formats.source import Format, Hints, Source, skeleton_by_count
from hyperlift.safe_io.npz import load_npz_array
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17
from hyperlift.skeletons.skeleton import Skeleton

_ROWS = 4
"""Rows of the array of a person: x, y, logit, probability."""
_LAYOUTS = {"coco": COCO_17, "h36m": H36M_17}


def _fits_detectron(source: Source) -> bool:
    return {"boxes", "keypoints"} <= source.arrays


def _read_detectron(source: Source, hints: Hints) -> Detections:
    """The last class is the person; the confidence is the probability."""
    content = load_npz_array(source.path, "keypoints")
    skeleton: Skeleton | None = None
    everybody = PeopleCollector()
    for frame, classes in enumerate(content):
        where = f"{source}, frame {frame}"
        if not isinstance(classes, list | tuple | np.ndarray) or not len(classes):
            raise InputError(
                f"{where}: no list of classes; expected [[], people] as Detectron's inference script writes"
            )
        people = _people(classes[-1], where)
        if skeleton is None and len(people):
            skeleton = skeleton_by_count(people.shape[2], (COCO_17,), hints, where, "Detectron")
        if skeleton is not None and len(people) and people.shape[2] != len(skeleton):
            raise InputError(f"{where}: {people.shape[2]} joints; expected {len(skeleton)} as before")
        everybody.add_frame(frame)
        for person in people:
            everybody.add(frame, person[[0, 1, 3]].T)
    size = _size(_plain(source, "metadata")) if "metadata" in source.arrays else None
    return replace(everybody.detections(str(source), "Detectron", skeleton or COCO_17), picture_size=size)


def _people(value: object, where: str) -> Float[np.ndarray, "people rows joints"]:
    people = _numbers(value)
    if people.size == 0:
        return np.empty((0, _ROWS, 0))
    if people.ndim != 3 or people.shape[1] != _ROWS:
        raise InputError(
            f"{where}: people of shape {people.shape}; expected (people, 4, joints) with x, y, logit, prob"
        )
    check_finite(people[:, :2], where)
    return people


def _fits_videopose(source: Source) -> bool:
    return "positions_2d" in source.arrays


def _read_videopose(source: Source, hints: Hints) -> Detections:
    """One person; all confidences are 1, because the file has none."""
    positions = _plain(source, "positions_2d")
    metadata = _plain(source, "metadata") if "metadata" in source.arrays else {}
    video, points = _chosen_recording(positions, hints, str(source))
    layout = metadata.get("layout_name") if isinstance(metadata, dict) else None
    own = _LAYOUTS.get(str(layout))
    if hints.skeleton is None and own is None:
        raise InputError(
            f"{source}: its layout_name is {quoted(layout)}, so its joints are not known; name them (`skeleton`)"
        )
    skeleton = hints.skeleton or own
    assert skeleton is not None
    if points.shape[1] != len(skeleton):
        raise InputError(
            f"{source}: {points.shape[1]} joints a person; the skeleton {skeleton.name} has {len(skeleton)}"
        )
    sizes = metadata.get("video_metadata", {}) if isinstance(metadata, dict) else {}
    found = detections_of(points[:, None], str(source), "VideoPose3D", skeleton)
    return replace(found, picture_size=_size(sizes.get(video)) if isinstance(sizes, dict) else None)


def _chosen_recording(positions: object, hints: Hints, where: str) -> tuple[str, Float[np.ndarray, "frames joints 2"]]:
    recordings = []
    if isinstance(positions, dict):
        for video, actions in positions.items():
            for action, cameras in actions.items() if isinstance(actions, dict) else ():
                recordings += [(str(video), f"{video}/{action}/{n}", camera) for n, camera in enumerate(cameras)]
    if not recordings:
        raise InputError(f"{where}: positions_2d holds no recording; expected positions_2d[video]['custom'][0]")
    names = [name for _, name, _ in recordings]
    video, _, value = recordings[names.index(chosen_recording(names, hints.recording, where))]
    points = _numbers(value)
    if points.ndim != 3 or points.shape[2] != 2:
        raise InputError(f"{where}: an array of shape {points.shape}; expected (frames, joints, 2) pixels")
    return video, points


def _numbers(value: object) -> Float[np.ndarray, "..."]:
    """A value as an array of numbers; if it is not one, an array of a shape that the caller rejects."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return np.zeros(1)


def _plain(source: Source, name: str) -> Any:
    array = load_npz_array(source.path, name)
    return array.item() if array.shape == () else array


def _size(metadata: object) -> tuple[int, int] | None:
    if not isinstance(metadata, dict):
        return None
    width, height = metadata.get("w"), metadata.get("h")
    is_size = all(isinstance(side, int | np.integer) and side > 0 for side in (width, height))
    return (int(width), int(height)) if is_size and width is not None and height is not None else None


DETECTRON = Format("detectron", "Detectron keypoints for VideoPose3D (.npz)", _fits_detectron, _read_detectron)
VIDEOPOSE3D = Format("videopose3d", "a custom set of VideoPose3D (.npz)", _fits_videopose, _read_videopose)
