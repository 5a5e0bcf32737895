"""Configuration of motion augmentation, and the order of its steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from hyperlift.errors import InputError
from hyperlift.geometry.flip import flip_pose
from hyperlift.mocap.augmentation.body_frames import MovingBody, constant_lengths
from hyperlift.mocap.augmentation.body_mixing import (
    ARMS,
    ARMS_AND_HEAD,
    LEGS,
    carry_arm,
    carry_arms_and_head,
    carry_legs,
)
from hyperlift.mocap.augmentation.limb_rotation import rotate_limbs
from hyperlift.mocap.augmentation.playback import played_back
from hyperlift.mocap.augmentation.sitting import sit_down
from hyperlift.mocap.recording import Recording
from hyperlift.shapes import Float
from hyperlift.skeletons.extremities import EXTREMITIES

_GROUND_S = 0.2
"""Time over which the height correction is smoothed, because the lowest foot alternates. Chosen: less than a step."""


@dataclass(frozen=True, kw_only=True)
class MotionVariation:
    """Augmentations of a recorded motion; 0 is off. Probabilities are per motion."""

    speed: tuple[float, float] = (1.0, 1.0)
    """Slowest and fastest playback; the speed changes smoothly between them."""
    arms_and_head: float = 0.0
    """Probability that arms and head come from another recording."""
    one_arm: float = 0.0
    """Probability that one arm comes from another recording."""
    legs: float = 0.0
    """Probability that both legs come from another recording; the lowest foot keeps its height."""
    one_leg: float = 0.0
    """Probability that one leg comes from another recording."""
    sitting: float = 0.0
    """Probability that the legs sit, as recordings hardly ever show."""
    limbs: float = 0.0
    """Probability that all joints are turned by smooth random rotations."""
    limbs_deg: float = 12.0
    """Standard deviation of these rotations, about each axis."""
    lean_deg: float = 0.0
    """Standard deviation of a constant tilt of the whole body about each horizontal axis."""
    tumble: float = 0.0
    """Probability that the whole body is tilted by any angle, as in lying or in a somersault."""

    def __post_init__(self) -> None:
        for name in ("arms_and_head", "one_arm", "legs", "one_leg", "sitting", "limbs", "tumble"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"motion variation: {name} is {getattr(self, name)}; a chance lies between 0 and 1")
        if not 0 < self.speed[0] <= self.speed[1]:
            raise InputError(f"motion variation: speed is {self.speed}; give the slowest and the fastest, above 0")
        if min(self.limbs_deg, self.lean_deg) < 0:
            raise InputError("motion variation: limbs_deg and lean_deg must not be negative")


def vary_motion(
    recording: Recording,
    donors: Sequence[Recording],
    frames: int,
    fps: float,
    variation: MotionVariation,
    rng: np.random.Generator,
    lending: Float[np.ndarray, " donors"] | None = None,
) -> Float[np.ndarray, "frames joints 3"]:
    """Augment a random part of a recording.

    What is carried over was measured: a donor never lends a joint that its source lacks.

    Args:
        recording: the motion; its trajectory, bone lengths and foot heights are kept.
        donors: recordings that donate arms, heads and legs, ordered by name.
        frames: number of frames of the result.
        fps: frame rate of the result.
        variation: configuration.
        rng: random generator.
        lending: relative probability of each donor; None: ``lending_weights``.

    Returns:
        World metres, z up; every bone has one length throughout.
    """
    weights = lending_weights(donors) if lending is None else lending

    # Where a body has no feet of its own to keep the length of, those of a donor do not matter.
    feet_and_hands_lacking = set(EXTREMITIES) & set(recording.unmeasured)

    def motion_of(other: Recording, mirror: bool) -> MovingBody:
        joints_m = played_back(other, frames, fps, variation.speed, rng)
        # Lengths of a donor do not matter: its directions alone are used.
        joints_m = flip_pose(joints_m, other.skeleton) if mirror else joints_m
        return MovingBody.of(joints_m, constant_lengths(other.joints_m[:1]))

    def donor(lent: frozenset[str]) -> MovingBody | None:
        able = weights * [lent.isdisjoint(set(other.unmeasured) - feet_and_hands_lacking) for other in donors]
        if not able.any():
            return None
        other = donors[rng.choice(len(donors), p=able / able.sum())]
        return motion_of(other, bool(rng.integers(2)))

    body = MovingBody.of(
        played_back(recording, frames, fps, variation.speed, rng), constant_lengths(recording.joints_m)
    )
    foot_m = body.lowest_foot_m()
    height_m = body.joints_m()[..., 2].min()
    if rng.uniform() < variation.arms_and_head and (lender := donor(ARMS_AND_HEAD)):
        carry_arms_and_head(body, lender)
    if rng.uniform() < variation.one_arm and (lender := donor(ARMS)):
        carry_arm(body, lender, "LR"[rng.integers(2)])
    if rng.uniform() < variation.legs:
        if lender := donor(LEGS):
            carry_legs(body, lender, "LR")
    elif rng.uniform() < variation.one_leg and (lender := donor(LEGS)):
        carry_legs(body, lender, "LR"[rng.integers(2)])
    # No random draw without seats, so that older recipes give the same motions.
    if variation.sitting and rng.uniform() < variation.sitting and sit_down(body, fps, rng):
        foot_m = np.full_like(foot_m, np.quantile(foot_m, 0.1))
    if rng.uniform() < variation.limbs:
        rotate_limbs(body, variation.limbs_deg * rng.uniform(0.4, 1.6), fps, rng)

    if rng.uniform() < variation.tumble:
        direction = rng.uniform(0.0, 2.0 * np.pi)
        _tilt(body, np.array([np.cos(direction), np.sin(direction), 0.0]) * rng.uniform(0.0, np.pi))
        body.root_m[:, 2] += height_m - body.joints_m()[..., 2].min()
        return body.joints_m()
    if variation.lean_deg:
        _tilt(body, np.radians(variation.lean_deg) * np.append(rng.normal(size=2), 0.0))
    raised_m = foot_m - body.lowest_foot_m()
    if np.abs(raised_m).max() > 1e-9:
        body.root_m[:, 2] += gaussian_filter1d(raised_m, _GROUND_S * fps, mode="nearest")
    return body.joints_m()


def lending_weights(donors: Sequence[Recording]) -> Float[np.ndarray, " donors"]:
    """Relative probability of each donor: the square root of its duration, because a few long recordings make up most
    of the time."""
    return np.sqrt([other.seconds for other in donors])


def _tilt(body: MovingBody, rotation: Float[np.ndarray, " 3"]) -> None:
    """Rotate each pose about its root; the root trajectory is unchanged."""
    body.bones_m = body.bones_m @ Rotation.from_rotvec(rotation).as_matrix().T
