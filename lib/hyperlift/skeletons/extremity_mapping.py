"""Detector keypoints to a body with feet and hands, by joint name.

=====================  ==========  ===========  ==========  =============================================
joint set              big toe     small toe    heel        hand
=====================  ==========  ===========  ==========  =============================================
BODY_25, Halpe-26      as named    as named     as named    none
Halpe-136, WholeBody   as named    as named     as named    middle of the index and the little knuckle
MediaPipe (BlazePose)  foot index  none         as named    middle of index and pinky
COCO-17 and others     none        none         none        none
=====================  ==========  ===========  ==========  =============================================

What a joint set does not have is missing (NaN, NaN, 0), as in ``hyperlift.skeletons.mapping``.
"""

import numpy as np

from hyperlift.shapes import Float
from hyperlift.skeletons.extremities import EXTREMITIES
from hyperlift.skeletons.mapping import mean_keypoint, to_h36m
from hyperlift.skeletons.skeleton import Skeleton

_INDEX_KNUCKLE, _MIDDLE_KNUCKLE, _LITTLE_KNUCKLE = 5, 9, 17
"""Numbers of the 21 points of a hand, four a finger after the wrist."""

_WAYS: dict[str, tuple[tuple[str, ...], ...]] = {
    **{side + "BigToe": ((side + "BigToe",), (side + "FootIndex",)) for side in "LR"},
    **{side + "SmallToe": ((side + "SmallToe",),) for side in "LR"},
    **{side + "Heel": ((side + "Heel",),) for side in "LR"},
    **{
        side + "Hand": (
            (side + "Hand",),
            (f"{side}Hand{_INDEX_KNUCKLE}", f"{side}Hand{_LITTLE_KNUCKLE}"),
            (f"{side}Hand{_MIDDLE_KNUCKLE}",),
            (side + "Index", side + "Pinky"),
        )
        for side in "LR"
    },
}
"""Detector joints whose mean is the point, best first. A way that is not seen in a frame gives way to the next."""


def extremities_of(source: Skeleton) -> tuple[str, ...]:
    """The points of feet and hands that a joint set has, or that are made from what it has."""
    return tuple(point for point in EXTREMITIES if _ways(source, point))


def to_h36m_25(
    keypoints: Float[np.ndarray, "*any joints 3"], source: Skeleton
) -> Float[np.ndarray, "*any body_joints 3"]:
    """Map detector keypoints to ``H36M_25``: the 17 joints as ``to_h36m`` does, then feet and hands.

    Args:
        keypoints: x, y and confidence 0..1 in the joint order of ``source``, missing joints as ``mark_missing`` leaves
            them.
        source: names of the joints.

    Raises:
        InputError: as for ``to_h36m``.
    """
    core = to_h36m(keypoints, source)
    points = []
    for point in EXTREMITIES:
        best = np.broadcast_to(np.array([np.nan, np.nan, 0.0], keypoints.dtype), core.shape[:-2] + (3,))
        for way in reversed(_ways(source, point)):
            found = mean_keypoint(keypoints[..., source.indices(way), :])
            best = np.where(np.isfinite(found[..., :1]), found, best)
        points.append(best)
    return np.concatenate([core, np.stack(points, axis=-2)], axis=-2)


def _ways(source: Skeleton, point: str) -> list[tuple[str, ...]]:
    return [way for way in _WAYS[point] if set(way) <= set(source.joints)]
