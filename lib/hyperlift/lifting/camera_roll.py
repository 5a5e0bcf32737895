"""Lifting through a camera that is turned on the spot: without its roll, and towards the person.

A lifter knows people as they are seen by cameras that are held about level and look at them. What another camera saw is
turned into such a view before lifting, and the poses are turned back: the lifter sees what it was trained on, and the
results stay in the axes of the camera that filmed. A pitch is left as it is: it shows the body from above or below,
which no turn undoes.
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
from hyperlift.placement.world_frame import SURE_DEG, PlacedBody, find_up, pitch_roll, up_from_pitch_roll
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton

Lifted = TypeVar("Lifted")
_AHEAD = np.array([0.0, 0.0, 1.0])
WORTH_DEG = 10.0
"""A smaller roll costs a millimetre or two, less than a wrong estimate might: upright footage stays as it is."""
_DOUBT_DEG, _DOUBT_STDS = 15.0, 3.0
"""A given roll is doubted when the people are this far from upright in its view, in degrees and in standard deviations
of what they tell."""
_MOST_PASSES = 3
_LEAST_WEIGHT = 0.05
"""Of a joint without confidence, so that a clip of guesses has a middle too."""


@dataclass(frozen=True, eq=False)
class UprightView:
    """A predictor that sees clips through a camera turned on the spot."""

    predict: Predictor
    roll_deg: float = 0.0
    """Of the camera that filmed; positive is clockwise as seen from behind it. It is undone."""
    K_norm: Float[np.ndarray, "3 3"] | None = None
    """Intrinsics in normalised picture space: the camera is also turned towards the person, by one angle a clip (a
    camera that follows the person frame by frame would hide the motion). None: by the roll alone, about the middle of
    the picture, which needs no intrinsics."""

    def __call__(
        self, pose2d_norm: Float[np.ndarray, "clips frames joints 3"]
    ) -> Float[np.ndarray, "clips frames joints 3"]:
        """Turn, lift, and turn back."""
        K_norm = np.eye(3) if self.K_norm is None else self.K_norm
        up = up_from_pitch_roll(0.0, self.roll_deg)
        turns, turned = [], []
        for clip in pose2d_norm.astype(np.float64):
            turns.append(look_rotation(_AHEAD if self.K_norm is None else _sight(clip, K_norm), up))
            turned.append(rotate_keypoints(clip, K_norm, turns[-1]))
        poses = self.predict(np.stack(turned).astype(np.float32))
        back = [rotate_pose(pose.astype(np.float64), turn.T) for pose, turn in zip(poses, turns, strict=True)]
        return np.stack(back).astype(np.float32)


def upright(predict: Predictor, spec: LifterSpec, roll_deg: float, intrinsics: Intrinsics | None) -> Predictor:
    """Let a predictor see people upright and, where the lens is known, in the middle of the picture.

    Wrap it around ``FlipAveraged``, not the other way round: a mirrored picture has another roll.

    Args:
        predict: the lifter.
        spec: its contract; turns other than the roll are for label space "camera" only.
        roll_deg: of the camera, positive is clockwise as seen from behind it.
        intrinsics: of the upright picture; None where nothing is known about the lens.

    Raises:
        InputError: the roll is not within -180 … 180 degrees.
    """
    up_from_pitch_roll(0.0, roll_deg)
    if intrinsics is None or intrinsics.assumed or spec.label_space != "camera":
        return predict if roll_deg == 0 else UprightView(predict, roll_deg)
    width, height = float(intrinsics.width), float(intrinsics.height)
    middle_norm = normalise_points(intrinsics.K[:2, 2], width, height)
    K_norm = np.eye(3)
    K_norm[[0, 1], [0, 1]] = intrinsics.K[[0, 1], [0, 1]] * (2.0 / width)
    K_norm[:2, 2] = middle_norm
    return UprightView(predict, roll_deg, K_norm)


def settle_roll(
    lift_at: Callable[[float], Lifted], roll_of: Callable[[Lifted], tuple[float, float]]
) -> tuple[Lifted, float]:
    """Lift, see from the poses how the camera was rolled, and lift again without that roll, until it stays.

    A lifter sees less well the more a camera is rolled, and so does whoever looks for the roll in its poses: where much
    is found there may be more to find. Rolls of less than ``WORTH_DEG`` and unsure ones change nothing.

    Args:
        lift_at: lifts with a camera that is rolled by so many degrees.
        roll_of: the roll that is seen in what was lifted, and the standard deviation of up, degrees.

    Returns:
        What was lifted last, and at which roll.
    """
    at_deg = 0.0
    lifted = lift_at(at_deg)
    for _ in range(_MOST_PASSES - 1):
        found_deg, std_deg = roll_of(lifted)
        if not (abs(found_deg - at_deg) >= WORTH_DEG and std_deg <= SURE_DEG):
            break
        at_deg = found_deg
        del lifted  # as large as what is lifted next
        lifted = lift_at(at_deg)
    return lifted, at_deg


def contradicting_roll(people: Sequence[Person], skeleton: Skeleton, height_m: float, roll_deg: float) -> float | None:
    """The roll of the camera that the people show, degrees, where they are not upright at the one that was given; None
    where they are.

    Args:
        people: lifted with that roll, at least one.
        skeleton: of their joints.
        height_m: standing height.
        roll_deg: as it was given.
    """
    # Up is not sought far from upright: once in the view without the roll, once in the picture as it is, and then from
    # what was found on.
    std_deg, found_deg = min(_seen_roll(people, skeleton, height_m, start_deg) for start_deg in (roll_deg, 0.0))
    for _ in range(_MOST_PASSES - 1):
        std_deg, found_deg = _seen_roll(people, skeleton, height_m, found_deg)
    off_deg = abs((found_deg - roll_deg + 180.0) % 360.0 - 180.0)
    if off_deg < max(_DOUBT_DEG, _DOUBT_STDS * std_deg):
        return None
    return found_deg


def roll_warning(roll_deg: float, seen_deg: float) -> str:
    """What to tell somebody who gave a roll at which the people are not upright.

    Args:
        roll_deg: as it was given.
        seen_deg: of ``contradicting_roll``.
    """
    return (
        f"`camera_roll_deg` is {roll_deg:g}, but the people look as if the camera were rolled by about "
        f"{seen_deg:.0f} degrees; positive is clockwise as seen from behind the camera: check number and sign, or "
        "leave it out"
    )


def _seen_roll(people: Sequence[Person], skeleton: Skeleton, height_m: float, start_deg: float) -> tuple[float, float]:
    """Standard deviation of up and the roll that placed people tell, sought from a roll on; degrees."""
    cos, sin = np.cos(np.radians(start_deg)), np.sin(np.radians(start_deg))
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    bodies = [PlacedBody(person.joints_m @ turn.T, person.valid, person.time_s, height_m) for person in people]
    up, std_deg, _ = find_up(bodies, skeleton)
    # Found is a line; people say which end of it is up.
    pelvis, thorax = skeleton.root, skeleton.index("Thorax")
    torsos = np.concatenate([body.joints_m[:, thorax] - body.joints_m[:, pelvis] for body in bodies])
    up = up if np.nanmean(torsos @ up) >= 0 else -up
    return std_deg, (start_deg + pitch_roll(up)[1] + 180.0) % 360.0 - 180.0


def _sight(clip: Float[np.ndarray, "frames joints 3"], K_norm: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, " 3"]:
    """The mean direction in which a clip shows the person, camera axes."""
    weight = np.maximum(clip[..., 2:], _LEAST_WEIGHT)
    middle_norm = (clip[..., :2] * weight).sum((0, 1)) / weight.sum((0, 1))
    return np.append((middle_norm - K_norm[:2, 2]) / K_norm[[0, 1], [0, 1]], 1.0)
