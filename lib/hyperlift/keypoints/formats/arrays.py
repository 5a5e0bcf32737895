"""Plain arrays: ``.npy``, or ``.npz`` with ``keypoints`` and optionally ``scores``, such as saved results of rtmlib.

An array does not name its joints, and COCO and Human3.6M both have 17: the user must give the joint set.
"""

from pathlib import Path

import numpy as np

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import normalise_missing
from hyperlift.keypoints.formats.numbers import MAX_COORDINATE
from hyperlift.keypoints.formats.source import Format, Hints, Source
from hyperlift.keypoints.people_by_frame import NO_TRACK, PeopleByFrame
from hyperlift.safe_io.npz import load_npy, open_npz
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import SKELETONS
from hyperlift.skeletons.skeleton import Skeleton


def check_finite(points: Float[np.ndarray, "..."], where: str) -> None:
    """Check that coordinates are below ``MAX_COORDINATE`` or NaN (missing).

    Raises:
        InputError: a coordinate is larger or infinite.
    """
    if (np.abs(points[~np.isnan(points)]) >= MAX_COORDINATE).any():
        raise InputError(f"{where}: a keypoint is infinite or absurdly far away; write missing joints as NaN")


def detections_of(
    points: Float[np.ndarray, "frames people joints xy"], source: str, tool: str, skeleton: Skeleton
) -> Detections:
    """Build ``Detections`` from an array; people with all joints missing are removed.

    Args:
        points: x, y and optionally a confidence (default 1).
        source: the file, for messages.
        tool: the tool that wrote the file.
        skeleton: the joint set of all people.

    Raises:
        InputError: as for ``check_finite``.
    """
    if points.shape[-1] == 2:
        points = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)
    check_finite(points, source)
    keypoints = np.array(points, np.float64, order="C")
    remark = normalise_missing(keypoints.reshape(-1, *keypoints.shape[2:]))
    visible = np.asarray(np.isfinite(keypoints[..., 0]).any(-1))
    people = keypoints[visible]
    start = np.concatenate([[0], np.cumsum(visible.sum(1))]).astype(np.int64)
    frames = PeopleByFrame(np.arange(len(points)), start, people, np.full(len(people), NO_TRACK))
    notes = [] if remark is None else [remark]
    if len(points) < points.shape[1]:
        notes.append(
            f"an array of {len(points)} frames with {points.shape[1]} people each: if the first axis counts cameras or "
            "people, give one of them, or swap the axes to (frames, people, joints, 2 or 3)"
        )
    return Detections(source=source, tool=tool, skeleton=skeleton, frames=frames, notes=tuple(notes))


def _fits(source: Source) -> bool:
    return source.kind == "npy" or "keypoints" in source.arrays or len(source.arrays) == 1


def _read(source: Source, hints: Hints) -> Detections:
    """``(F, K, 2|3)`` or ``(F, N, K, 2|3)``; the index of a person is not a track number."""
    points = _points(source)
    known = ", ".join(SKELETONS)
    if hints.skeleton is None:
        raise InputError(
            f"{source}: an array of {points.shape[-2]} joints does not say which they are; "
            f"name them (`skeleton`), one of {known}"
        )
    if points.shape[-2] != len(hints.skeleton):
        raise InputError(
            f"{source}: {points.shape[-2]} joints a person; "
            f"the skeleton {hints.skeleton.name} has {len(hints.skeleton)}"
        )
    return detections_of(points if points.ndim == 4 else points[:, None], str(source), "NumPy", hints.skeleton)


def _points(source: Source) -> Float[np.ndarray, "..."]:
    if source.kind == "npy":
        points = _load(source.path, None)
    else:
        name = "keypoints" if "keypoints" in source.arrays else next(iter(source.arrays))
        points = _load(source.path, name)
        if "scores" in source.arrays and points.ndim >= 3 and points.shape[-1] == 2:
            scores = _load(source.path, "scores")
            if scores.shape != points.shape[:-1]:
                raise InputError(
                    f"{source}: scores of shape {scores.shape} for keypoints of shape {points.shape}; "
                    f"expected {points.shape[:-1]}"
                )
            points = np.concatenate([points, scores[..., None]], axis=-1)
    if points.ndim not in (3, 4) or points.shape[-1] not in (2, 3):
        raise InputError(
            f"{source}: an array of shape {points.shape}; expected (frames, joints, 2 or 3) "
            "or (frames, people, joints, 2 or 3)"
        )
    third = points[..., 2:]
    third = third[np.isfinite(third)]
    # Scores may exceed 1 slightly (SimCC) or be percentages; other values, such as depths, are rejected.
    if len(third) and (third.min() < -0.01 or third.max() > 100):
        raise InputError(
            f"{source}: its third numbers run from {third.min():.3g} to {third.max():.3g}, which are no confidences; "
            "give x, y, confidence, or x, y alone"
        )
    return points


def _load(path: Path, name: str | None) -> Float[np.ndarray, "..."]:
    if name is None:
        array = load_npy(path)
    else:
        with open_npz(path) as stored:
            array = stored.read(name)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{path}: an array of {array.dtype}; expected numbers")
    return array.astype(np.float64)


ARRAYS = Format("array", "a plain NumPy array whose `skeleton` is named", _fits, _read)
