"""Positions of people in pictures and pages: their own if they are known, otherwise side by side in lanes.

Poses alone are root-relative. Without positions, each person stands with the lower foot on the floor of a lane; lanes
have the order of the people in the video from left to right. People who never appear together can share a lane.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hyperlift.body.person import Person, Space, known
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton

LANE_M = 1.3
"""Distance of lanes for a body of reference size. Chosen: arms of neighbours rarely touch."""
_FLOOR_MEMORY_S = 0.4
"""Time over which the floor of a lane follows the lower foot. Chosen: longer than a hop, shorter than a squat."""
_FLOOR_PERCENT = 5.0
"""Percentile of the ankle heights that is the floor of people in camera axes. Chosen: ignores outliers."""
_ANKLE_HEIGHT_M = 0.08
"""Height of the ankle of a standing foot for an adult (``placement.world_frame.ANKLE_HEIGHT`` · 1.70 m)."""
_SPACES: tuple[Space, ...] = ("world_m", "joints_m", "pose_norm")
"""Preferred space first; the last has no positions."""


@dataclass(frozen=True, eq=False)
class Staged:
    """All people in one common space for drawing."""

    people: Sequence[Person]
    """With ``world_m`` in stage axes: x right, y away from the camera of the video, z up, the floor at 0."""
    space: Space
    """Source of the positions: ``world_m``; ``joints_m`` of a camera that is assumed level, with the floor at the
    lowest feet; or ``pose_norm`` in lanes."""
    left_out: tuple[int, ...]
    """Ids of people who lack this space."""

    @property
    def placed(self) -> bool:
        """Whether people have their own positions."""
        return self.space != "pose_norm"


def stage_people(people: Sequence[Person], skeleton: Skeleton) -> Staged:
    """Bring all people into the best space that any of them has: ``world_m``, ``joints_m`` or ``pose_norm``."""
    found: list[Space] = [space for space in _SPACES if any(known(getattr(person, space)) for person in people)]
    space = found[0] if found else _SPACES[-1]
    shown = [person for person in people if not person.lacks(space)]
    stages = {"world_m": _in_world, "joints_m": _before_camera, "pose_norm": _in_lanes}
    staged = [replace(p, world_m=world_m) for p, world_m in zip(shown, stages[space](shown, skeleton), strict=True)]
    return Staged(staged, space, tuple(person.id for person in people if person.lacks(space)))


def _in_world(people: Sequence[Person], skeleton: Skeleton) -> list[Float[np.ndarray, "_ joints 3"]]:
    return [person.world_m.astype(np.float64) for person in people]


def _before_camera(people: Sequence[Person], skeleton: Skeleton) -> list[Float[np.ndarray, "_ joints 3"]]:
    turned = [_upright(person.joints_m.astype(np.float64)) for person in people]
    heights = np.concatenate([joints_m[:, _lowest(skeleton), 2].ravel() for joints_m in turned])
    floor_m = np.nanpercentile(heights, _FLOOR_PERCENT) - _ANKLE_HEIGHT_M if known(heights) else 0.0
    return [joints_m - [0.0, 0.0, floor_m] for joints_m in turned]


def _in_lanes(people: Sequence[Person], skeleton: Skeleton) -> list[Float[np.ndarray, "_ joints 3"]]:
    lanes = share_lanes(people)
    staged = []
    for person, lane in zip(people, lanes, strict=True):
        joints_m = stand_upright(person.pose_norm.astype(np.float64), _rate(person), skeleton)
        joints_m[..., 0] += (lane - max(lanes) / 2) * LANE_M
        staged.append(joints_m)
    return staged


def stand_upright(
    pose: Float[np.ndarray, "frames joints 3"], fps: float, skeleton: Skeleton
) -> Float[np.ndarray, "frames joints 3"]:
    """Camera axes to stage axes: reference size, the root above the origin, the lower foot on the floor.

    The floor follows the lower foot slowly, so that hips move in a squat and feet leave the floor in a hop.
    """
    sizes = bone_lengths(pose, skeleton).sum(-1)
    size = float(np.median(sizes[np.isfinite(sizes)])) if known(sizes) else 0.0
    joints_m = _upright((pose - pose[:, skeleton.root, None]) * (REFERENCE_BONE_SUM_M / max(size, 1e-9)))
    lower_foot = joints_m[:, _lowest(skeleton), 2].min(1)
    joints_m[..., 2] -= _smooth(np.nan_to_num(lower_foot), max(1, round(_FLOOR_MEMORY_S * fps)))[:, None]
    return joints_m


def share_lanes(people: Sequence[Person]) -> list[int]:
    """The lane of each person, from the left; people in one lane have no common frames."""
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


def _upright(joints: Float[np.ndarray, "frames joints 3"]) -> Float[np.ndarray, "frames joints 3"]:
    """Camera axes (x right, y down, z forward) to x right, y forward, z up."""
    return np.stack([joints[..., 0], joints[..., 2], -joints[..., 1]], axis=-1)


def _lowest(skeleton: Skeleton) -> list[int]:
    """The ankles, or all joints of a skeleton without ankles."""
    ankles = [i for i, joint in enumerate(skeleton.joints) if joint.endswith("Ankle")]
    return ankles or list(range(len(skeleton)))


def _picture_x(person: Person) -> float:
    x_px = person.keypoints_px[..., 0]
    return float(np.nanmean(x_px)) if known(x_px) else float(person.id)


def _rate(person: Person) -> float:
    if len(person.frame) < 2:
        return 1.0
    return float((len(person.frame) - 1) / max(person.time_s[-1] - person.time_s[0], 1e-9))


def _smooth(values: Float[np.ndarray, " frames"], width: int) -> Float[np.ndarray, " frames"]:
    """Weighted mean (Hann window) over ``width`` frames on both sides; the ends are repeated."""
    padded = np.pad(values, width, mode="edge")
    window = np.hanning(2 * width + 3)[1:-1]
    return np.convolve(padded, window / window.sum(), mode="valid")
