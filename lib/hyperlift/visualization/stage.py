"""Where people stand in the 3D view: lanes, floor, and a steady camera.

Poses are root-relative, so a picture of several people needs places for them: everybody gets a lane, in the
order in which they stand in the video from left to right; people who are never seen together may share one.
In the lane a person stands on the floor with the lower foot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.shapes import Bool, Float, Int
from hyperlift.skeletons import H36M_17
from hyperlift.wild.keypoints import LiftedPerson

LANE_M = 1.3
"""Between people, in metres of a body of reference size."""
AZIMUTH_DEG = 35.0
"""The view is turned round the vertical by this, so that depth shows: the camera goes to its own right."""
ELEVATION_DEG = 14.0
_FLOOR_MEMORY_S = 0.4


@dataclass(frozen=True, eq=False)
class StagedPerson:
    """A person in the metres of the stage: x right, y away from the video's camera, z up, the floor at 0."""

    id: int
    frame: Int[np.ndarray, " frames"]
    joints_m: Float[np.ndarray, "frames joints 3"]
    valid: Bool[np.ndarray, "frames joints"]
    keypoints_px: Float[np.ndarray, "frames joints 3"] | None
    lane: int


def stage_people(people: Sequence[LiftedPerson]) -> list[StagedPerson]:
    """Bring everybody to one size, upright axes and a lane of their own.

    Poses are in ``H36M_17`` joints and camera axes (x right, y down, z forward), in any unit.
    """
    lanes = share_lanes(people)
    middle = (max(lanes, default=0)) / 2
    staged = []
    for person, lane in zip(people, lanes, strict=True):
        joints_m = upright(person.pose_norm.astype(np.float64), fps=_rate(person))
        joints_m[..., 0] += (lane - middle) * LANE_M
        staged.append(StagedPerson(person.id, person.frame, joints_m, person.valid, person.keypoints_px, lane))
    return staged


def upright(pose: Float[np.ndarray, "frames joints 3"], fps: float) -> Float[np.ndarray, "frames joints 3"]:
    """Camera axes to stage axes: reference size, the root above the origin, the lower foot on the floor.

    The floor follows the lower foot slowly, so that a squat lowers the hips and a short hop still leaves the
    floor.
    """
    size = np.median(bone_lengths(pose, H36M_17).sum(-1))
    pose_m = (pose - pose[:, H36M_17.root, None]) * (REFERENCE_BONE_SUM_M / max(float(size), 1e-9))
    joints_m = np.stack([pose_m[..., 0], pose_m[..., 2], -pose_m[..., 1]], axis=-1)
    lower_foot = joints_m[:, H36M_17.indices(["RAnkle", "LAnkle"]), 2].min(1)
    joints_m[..., 2] -= _smooth(lower_foot, max(1, round(_FLOOR_MEMORY_S * fps)))[:, None]
    return joints_m


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


def project(points_m: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Orthographic view from the raised three-quarter camera.

    Returns:
        x to the right and y up in the view's plane, in metres, and the distance from the viewer (larger is
        farther).
    """
    azimuth, elevation = np.deg2rad([AZIMUTH_DEG, ELEVATION_DEG])
    x, y, z = np.moveaxis(points_m, -1, 0)
    right = np.cos(azimuth) * x + np.sin(azimuth) * y
    away = -np.sin(azimuth) * x + np.cos(azimuth) * y
    up = np.cos(elevation) * z + np.sin(elevation) * away
    distance = np.cos(elevation) * away - np.sin(elevation) * z
    return np.stack([right, up, distance], axis=-1)


def floor_lines(lanes: int) -> Float[np.ndarray, "lines 2 3"]:
    """A grid on the floor under the lanes, three cells a lane and four deep, as line ends in stage metres."""
    half_x, half_y = lanes * LANE_M / 2, LANE_M * 2 / 3
    along_y = [[[x, -half_y, 0], [x, half_y, 0]] for x in np.linspace(-half_x, half_x, 3 * lanes + 1)]
    along_x = [[[-half_x, y, 0], [half_x, y, 0]] for y in np.linspace(-half_y, half_y, 5)]
    return np.array(along_y + along_x)


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
