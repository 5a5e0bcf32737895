"""Virtual detection of feet and hands.

Detectors report toes and heels on the shoe, slightly above the sole, where motion capture places them; the hand is
between the knuckles of index and little finger. The joint set of a detector determines which of these points it has.
"""

from collections.abc import Mapping

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.rotations import unit
from hyperlift.shapes import Float
from hyperlift.skeletons.extremities import CORE, EXTREMITIES, FEET, HANDS, PARENTS_OF_EXTREMITIES
from hyperlift.skeletons.joint_sets import H36M_25

_POINTS: dict[str, tuple[str, ...]] = {
    "none": (),
    "feet": FEET,
    "feet_and_hands": EXTREMITIES,
    "blazepose": tuple(point for point in EXTREMITIES if not point.endswith("SmallToe")),
}
"""Points of detectors: COCO; BODY_25 and Halpe-26; whole-body joint sets; BlazePose."""

_ABOVE_SOLE_M = (0.015, 0.005)
"""Mean and standard deviation over videos of the height of detected toes and heels above the sole. Chosen: a shoe."""
_FOOT_SPREAD_M, _HAND_SPREAD_M = 0.008, 0.01
"""Standard deviation over videos of the offset along each axis of the foot, and along the hand. Chosen."""
_ONE_SIDE = 0.1
"""Probability that a video lacks the points of one side throughout. Chosen."""


def check_shares(shares: Mapping[str, float]) -> None:
    """Check the shares of joint sets.

    Raises:
        InputError: a joint set is unknown, a share is negative, or all are 0.
    """
    if set(shares) - set(_POINTS) or min(shares.values(), default=0.0) < 0 or not sum(shares.values()):
        raise InputError(
            f"extremities_seen is {shares}; give shares of {', '.join(_POINTS)}, none negative and one above 0"
        )


def draw_seen(shares: Mapping[str, float], rng: np.random.Generator) -> tuple[str, ...]:
    """Draw the points of feet and hands that the detector of a video has; sometimes of one side only."""
    names = list(shares)
    weights = np.array([shares[name] for name in names])
    points = _POINTS[names[rng.choice(len(names), p=weights / weights.sum())]]
    lost = "LR"[rng.integers(2)] if rng.uniform() < _ONE_SIDE else ""
    return tuple(point for point in points if not lost or point[0] != lost)


def detected_places(
    joints_m: Float[np.ndarray, "frames joints 3"], size: float, rng: np.random.Generator
) -> Float[np.ndarray, "frames joints 3"]:
    """Positions of detected feet and hands on a body of ``H36M_25``, in metres; other joints are unchanged.

    Args:
        joints_m: joints in any axes.
        size: scale of the body; 1 is an average adult.
        rng: random generator of the offsets, which are fixed to the body and equal for both sides.
    """
    places_m = joints_m.copy()
    above_m = rng.normal(*_ABOVE_SOLE_M)
    own_m = rng.normal(0.0, _FOOT_SPREAD_M, (3, 3))
    for side, outward in (("L", 1.0), ("R", -1.0)):
        foot = H36M_25.indices(side + point for point in ("BigToe", "SmallToe", "Heel"))
        big_toe, small_toe, heel = (joints_m[:, joint] for joint in foot)
        back = unit(heel - big_toe)
        outer = (small_toe - big_toe) * outward  # to the left on both sides
        up = unit(np.cross(outer, back))
        axes = np.stack([np.cross(back, up), back, up], axis=-1)
        for joint, offset in zip(foot, own_m, strict=True):
            places_m[:, joint] += axes @ ((offset * [outward, 1.0, 1.0] + [0.0, 0.0, above_m]) * size)
    hand_m = rng.normal(0.0, _HAND_SPREAD_M) * size
    for hand in HANDS:
        joint = H36M_25.index(hand)
        along = unit(joints_m[:, joint] - joints_m[:, H36M_25.parents[joint]])
        places_m[:, joint] += hand_m * along
    return places_m


def leave_unseen(
    keypoints: Float[np.ndarray, "*any joints 3"], seen: tuple[str, ...]
) -> Float[np.ndarray, "*any joints 3"]:
    """Move points of feet and hands that are not in ``seen`` to ankle or wrist, with confidence 0.

    A lifter of ``H36M_25`` then predicts them from the rest of the body.
    """
    masked = keypoints.copy()
    for number, (point, parent) in enumerate(zip(EXTREMITIES, PARENTS_OF_EXTREMITIES, strict=True), start=CORE.stop):
        if point not in seen:
            masked[..., number, :2] = keypoints[..., parent, :2]
            masked[..., number, 2] = 0.0
    return masked
