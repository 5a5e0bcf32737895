"""Mapping of detector keypoints to ``H36M_25``, a body with feet and hands, by joint name.

=====================  ==========  ===========  ==========  =============================================
joint set              big toe     small toe    heel        hand
=====================  ==========  ===========  ==========  =============================================
BODY_25, Halpe-26      as named    as named     as named    none
Halpe-136, WholeBody   as named    as named     as named    mean of index and little knuckle
MediaPipe (BlazePose)  foot index  none         as named    mean of index and pinky
COCO-17 and others     none        none         none        none
=====================  ==========  ===========  ==========  =============================================

A joint without a source is missing (NaN, NaN, 0), as in ``hyperlift.skeletons.mapping``.
"""

import numpy as np

from hyperlift.shapes import Float
from hyperlift.skeletons.extremities import EXTREMITIES
from hyperlift.skeletons.mapping import first_detected, to_h36m
from hyperlift.skeletons.skeleton import Skeleton

_INDEX_KNUCKLE, _MIDDLE_KNUCKLE, _LITTLE_KNUCKLE = 5, 9, 17
"""Indices into the 21 hand keypoints: the wrist, then four points per finger."""

_SOURCES: dict[str, tuple[tuple[str, ...], ...]] = {
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
"""Sources of each joint in order of preference: the mean of the named detector joints. In each frame, the first source
that is detected is used."""


def extremities_of(source: Skeleton) -> tuple[str, ...]:
    """The feet and hand joints that ``to_h36m_25`` can derive from a joint set."""
    return tuple(joint for joint in EXTREMITIES if any(set(names) <= set(source.joints) for names in _SOURCES[joint]))


def to_h36m_25(
    keypoints: Float[np.ndarray, "*any joints 3"], source: Skeleton
) -> Float[np.ndarray, "*any body_joints 3"]:
    """Map detector keypoints to ``H36M_25``: 17 joints as in ``to_h36m``, then feet and hands.

    Args:
        keypoints: as for ``to_h36m``.
        source: the joint set of the keypoints.

    Raises:
        InputError: as for ``to_h36m``.
    """
    core = to_h36m(keypoints, source)
    extremities = [first_detected(keypoints, source, _SOURCES[joint]) for joint in EXTREMITIES]
    return np.concatenate([core, np.stack(extremities, axis=-2)], axis=-2)
