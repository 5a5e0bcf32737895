"""Lifting through a virtual camera that is rotated about its centre: level, and pointed at the person.

Lifters are trained on cameras that are roughly level and look at the person. Keypoints of another camera are rotated
into such a view before lifting, and the poses are rotated back into the axes of the real camera. Pitch is not
corrected: it shows the body from above or below, and a rotation of the view cannot change that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from hyperlift.body.person import Person
from hyperlift.contract import LifterSpec, Predictor
from hyperlift.geometry.camera_rotation import look_rotation, rotate_keypoints, rotate_pose
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.placement.lens import Intrinsics
from hyperlift.placement.world_frame import MAX_UP_STD_DEG, PlacedBody, find_up, pitch_roll, up_from_pitch_roll
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton

Lifted = TypeVar("Lifted")
_AHEAD = np.array([0.0, 0.0, 1.0])
"""Viewing direction of the camera, camera axes."""
MIN_ROLL_DEG = 10.0
"""A smaller estimated roll is ignored: it raises the error by 1–2 mm, which is less than a wrong estimate can."""
_DOUBT_DEG, _DOUBT_STDS = 15.0, 3.0
"""A given roll is doubted if it differs from the estimated roll by more than both, in degrees and in standard
deviations of the estimate. Chosen: larger than the error of a roll that a user reads off the picture."""
_MAX_PASSES = 3
"""Chosen: the first estimate is biased by the rolled view, the second is not; a third pass guards large rolls."""
_MIN_WEIGHT = 0.05
"""Weight of a joint with confidence 0. Chosen: any positive number defines a centre for a clip without confidence."""


@dataclass(frozen=True, eq=False)
class UprightPredictor:
    """Wraps a predictor: rotates keypoints into the virtual view, lifts, and rotates the poses back."""

    predict: Predictor
    roll_deg: float = 0.0
    """Roll of the real camera, which the virtual view removes; positive is clockwise as seen from behind the camera."""
    K_norm: Float[np.ndarray, "3 3"] | None = None
    """Intrinsics in normalised picture space. If given, the view also points at the person, with one rotation per clip
    (a rotation per frame would remove the motion across the picture). None corrects only the roll, about the centre of
    the picture."""

    def __call__(
        self, pose2d_norm: Float[np.ndarray, "clips frames joints 3"]
    ) -> Float[np.ndarray, "clips frames joints 3"]:
        """Lift a batch of clips through the virtual view."""
        K_norm = np.eye(3) if self.K_norm is None else self.K_norm
        up = up_from_pitch_roll(0.0, self.roll_deg)
        turns, turned = [], []
        for clip in pose2d_norm.astype(np.float64):
            turns.append(look_rotation(_AHEAD if self.K_norm is None else _mean_direction(clip, K_norm), up))
            turned.append(rotate_keypoints(clip, K_norm, turns[-1]))
        poses = self.predict(np.stack(turned).astype(np.float32))
        back = [rotate_pose(pose.astype(np.float64), turn.T) for pose, turn in zip(poses, turns, strict=True)]
        return np.stack(back).astype(np.float32)


def upright_predictor(
    predict: Predictor, spec: LifterSpec, roll_deg: float, intrinsics: Intrinsics | None
) -> Predictor:
    """Wrap a predictor so that it sees people upright and, if the intrinsics are known, centred in the picture.

    Wrap ``FlipAveraged`` with this, not the reverse: a mirrored picture has the opposite roll.

    Args:
        predict: the lifter.
        spec: contract of the lifter; only label space "camera" allows rotations other than the roll.
        roll_deg: of the camera, positive is clockwise as seen from behind it.
        intrinsics: of the upright picture; None if they are unknown.

    Raises:
        InputError: the roll is not within -180 … 180 degrees.
    """
    up_from_pitch_roll(0.0, roll_deg)
    if intrinsics is None or intrinsics.assumed or spec.label_space != "camera":
        return predict if roll_deg == 0 else UprightPredictor(predict, roll_deg)
    width, height = float(intrinsics.width), float(intrinsics.height)
    middle_norm = normalise_points(intrinsics.K[:2, 2], width, height)
    K_norm = np.eye(3)
    K_norm[[0, 1], [0, 1]] = intrinsics.K[[0, 1], [0, 1]] * (2.0 / width)
    K_norm[:2, 2] = middle_norm
    return UprightPredictor(predict, roll_deg, K_norm)


def lift_and_find_roll(
    lift_at: Callable[[float], Lifted], roll_of: Callable[[Lifted], tuple[float, float]]
) -> tuple[Lifted, float]:
    """Lift, estimate the roll of the camera from the poses, and lift again without that roll, until it converges.

    Lifted poses are less accurate the larger the roll, and so is a roll that is estimated from them: a large estimate
    is repeated. Estimates below ``MIN_ROLL_DEG`` and uncertain estimates are ignored.

    Args:
        lift_at: lifts with the given camera roll removed, degrees.
        roll_of: estimates the roll of the camera from lifted poses: roll and standard deviation of up, degrees.

    Returns:
        The last result of ``lift_at``, and the roll that it removed.
    """
    at_deg = 0.0
    lifted = lift_at(at_deg)
    for _ in range(_MAX_PASSES - 1):
        found_deg, std_deg = roll_of(lifted)
        if not (abs(found_deg - at_deg) >= MIN_ROLL_DEG and std_deg <= MAX_UP_STD_DEG):
            break
        at_deg = found_deg
        del lifted  # frees its memory before the next result is made
        lifted = lift_at(at_deg)
    return lifted, at_deg


def contradicting_roll(people: Sequence[Person], skeleton: Skeleton, height_m: float, roll_deg: float) -> float | None:
    """Estimate the roll of the camera in degrees if the people contradict the given roll; None if they agree with it.

    Args:
        people: lifted with the given roll removed, at least one.
        skeleton: of their joints.
        height_m: standing height.
        roll_deg: the given roll.
    """
    # The search for up only converges near its start. It starts at the given roll and at 0, and then at its results.
    std_deg, found_deg = min(_seen_roll(people, skeleton, height_m, start_deg) for start_deg in (roll_deg, 0.0))
    for _ in range(_MAX_PASSES - 1):
        std_deg, found_deg = _seen_roll(people, skeleton, height_m, found_deg)
    off_deg = abs((found_deg - roll_deg + 180.0) % 360.0 - 180.0)
    if off_deg < max(_DOUBT_DEG, _DOUBT_STDS * std_deg):
        return None
    return found_deg


def roll_warning(roll_deg: float, seen_deg: float) -> str:
    """The warning for a given roll that the people contradict; ``seen_deg`` is the result of ``contradicting_roll``."""
    return (
        f"`camera_roll_deg` is {roll_deg:g}, but the people look as if the camera were rolled by about "
        f"{seen_deg:.0f} degrees; positive is clockwise as seen from behind the camera: check number and sign, or "
        "leave it out"
    )


def _seen_roll(people: Sequence[Person], skeleton: Skeleton, height_m: float, start_deg: float) -> tuple[float, float]:
    """Standard deviation of up and roll of the camera, estimated from people with a start value; degrees."""
    cos, sin = np.cos(np.radians(start_deg)), np.sin(np.radians(start_deg))
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    bodies = [PlacedBody(person.joints_m @ turn.T, person.valid, person.time_s, height_m) for person in people]
    up, std_deg, _ = find_up(bodies, skeleton)
    # ``find_up`` returns a line without a sign; the torsos give the sign.
    pelvis, thorax = skeleton.root, skeleton.index("Thorax")
    torsos = np.concatenate([body.joints_m[:, thorax] - body.joints_m[:, pelvis] for body in bodies])
    up = up if np.nanmean(torsos @ up) >= 0 else -up
    return std_deg, (start_deg + pitch_roll(up)[1] + 180.0) % 360.0 - 180.0


def _mean_direction(
    clip: Float[np.ndarray, "frames joints 3"], K_norm: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, " 3"]:
    """The mean viewing direction towards the person over a clip, camera axes, z = 1."""
    weight = np.maximum(clip[..., 2:], _MIN_WEIGHT)
    middle_norm = (clip[..., :2] * weight).sum((0, 1)) / weight.sum((0, 1))
    return np.append((middle_norm - K_norm[:2, 2]) / K_norm[[0, 1], [0, 1]], 1.0)
