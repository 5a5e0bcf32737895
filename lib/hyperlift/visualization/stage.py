"""Where people stand in the 3D view: at their own places where those are known, otherwise in lanes.

Poses alone are root-relative, so a picture of several people needs places for them: everybody gets a lane, in the
order in which they stand in the video from left to right; people who are never seen together may share one.
In the lane a person stands on the floor with the lower foot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hyperlift.shapes import Bool, Float, Int
from hyperlift.skeletons import H36M_17
from hyperlift.trajectory.standing import LANE_M, lowest, of_reference_size, on_a_level_floor
from hyperlift.wild.keypoints import LiftedPerson

_FLOOR_MEMORY_S = 0.4


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """Where everybody is, in metres; a frame whose place is not known is NaN."""

    joints_m: Mapping[int, Float[np.ndarray, "frames joints 3"]]
    """By person, in ``H36M_17`` joints, for the frames of the ``LiftedPerson`` of that id."""
    axes: Literal["world", "camera"]
    """``world``: x to the video's right, y away from its camera, z up, the floor at 0. ``camera``: x right, y down,
    z forward; taken for level, and the floor for where the feet are lowest."""


@dataclass(frozen=True, eq=False)
class StagedPerson:
    """A person in the metres of the stage: x right, y away from the video's camera, z up, the floor at 0."""

    id: int
    frame: Int[np.ndarray, " frames"]
    joints_m: Float[np.ndarray, "frames joints 3"]
    valid: Bool[np.ndarray, "frames joints"]
    keypoints_px: Float[np.ndarray, "frames joints 3"] | None


def stage_people(people: Sequence[LiftedPerson], places: Places | None = None) -> list[StagedPerson]:
    """Put everybody on the stage.

    Without places, everybody is brought to one size, upright axes and a lane of their own; poses are in ``H36M_17``
    joints and camera axes (x right, y down, z forward), in any unit.

    Raises:
        KeyError: a person has no entry in ``places``.
    """
    if places is not None:
        joints = placed_upright({person.id: places.joints_m[person.id] for person in people}, places.axes)
        return [
            StagedPerson(person.id, person.frame, joints[person.id], person.valid, person.keypoints_px)
            for person in people
        ]
    lanes = share_lanes(people)
    middle = (max(lanes, default=0)) / 2
    staged = []
    for person, lane in zip(people, lanes, strict=True):
        joints_m = upright(person.pose_norm.astype(np.float64), fps=_rate(person))
        joints_m[..., 0] += (lane - middle) * LANE_M
        staged.append(StagedPerson(person.id, person.frame, joints_m, person.valid, person.keypoints_px))
    return staged


def upright(pose: Float[np.ndarray, "frames joints 3"], fps: float) -> Float[np.ndarray, "frames joints 3"]:
    """Camera axes to stage axes: reference size, the root above the origin, the lower foot on the floor.

    The floor follows the lower foot slowly, so that a squat lowers the hips and a short hop still leaves the
    floor.
    """
    joints_m = of_reference_size(pose, H36M_17)
    lower_foot = joints_m[:, lowest(H36M_17), 2].min(1)
    joints_m[..., 2] -= _smooth(lower_foot, max(1, round(_FLOOR_MEMORY_S * fps)))[:, None]
    return joints_m


def placed_upright(
    joints_m: Mapping[int, Float[np.ndarray, "frames joints 3"]], axes: Literal["world", "camera"]
) -> dict[int, Float[np.ndarray, "frames joints 3"]]:
    """World or camera metres to stage metres; relative places are kept."""
    if axes == "world":
        return {number: joints.astype(np.float64) for number, joints in joints_m.items()}
    return dict(zip(joints_m, on_a_level_floor(list(joints_m.values()), H36M_17), strict=True))


def share_lanes(people: Sequence[LiftedPerson]) -> list[int]:
    """The lane of each person, from the left; two in one lane are never in the same frame."""
    free_from: list[int] = []
    members: list[list[int]] = []
    for number in sorted(range(len(people)), key=lambda i: int(people[i].frame[0])):
        first, last = int(people[number].frame[0]), int(people[number].frame[-1])
        lane = next((lane for lane, free in enumerate(free_from) if free < first), len(free_from))
        if lane == len(free_from):
            free_from.append(last)
            members.append([number])
        else:
            free_from[lane] = last
            members[lane].append(number)
    members.sort(key=lambda numbers: _picture_x(people[numbers[0]]))
    lane_of = {number: lane for lane, numbers in enumerate(members) for number in numbers}
    return [lane_of[number] for number in range(len(people))]


def _picture_x(person: LiftedPerson) -> float:
    if person.keypoints_px is None or not np.isfinite(person.keypoints_px[..., 0]).any():
        return float(person.id)
    return float(np.nanmean(person.keypoints_px[..., 0]))


def _rate(person: LiftedPerson) -> float:
    if len(person.frame) < 2:
        return 1.0
    return float((len(person.frame) - 1) / max(person.time_s[-1] - person.time_s[0], 1e-9))


def _smooth(values: Float[np.ndarray, " frames"], width: int) -> Float[np.ndarray, " frames"]:
    """Mean over about ``width`` frames on either side, the ends held."""
    padded = np.pad(values, width, mode="edge")
    window = np.hanning(2 * width + 3)[1:-1]
    return np.convolve(padded, window / window.sum(), mode="valid")
