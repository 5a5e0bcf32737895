"""Where people stand on the page: in the world where that is known, else in camera axes, else side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.shapes import Float
from hyperlift.skeletons import Skeleton
from hyperlift.wild.keypoints import LiftedPerson

_LANE_M = 1.3
_FLOOR_PERCENT = 5.0
"""Of ankle heights, lowest first: the floor of people who have no world."""
_ANKLE_HEIGHT_M = 0.08
_SENTENCES = {
    "world": "metres in the world, z up, the floor at 0",
    "camera": "metres in camera axes, taken for level; the floor is put where the feet are lowest",
    "lanes": "no places are known: everybody has average size and a lane of their own, the lower foot on the floor",
}


@dataclass(frozen=True, eq=False)
class Staged:
    """People in metres: z up, the floor at 0."""

    people: Sequence[LiftedPerson]
    joints_m: Sequence[Float[np.ndarray, "_ joints 3"]]
    """Of each of ``people``."""
    sentence: str
    """What the places are."""
    left_out: tuple[int, ...]
    """Ids of people who have no place where others have one."""


def stage(people: Sequence[LiftedPerson], skeleton: Skeleton) -> Staged:
    """Put people on the page's floor.

    Args:
        people: ``world_m`` is taken where anybody has it, else ``joints_m``, else ``pose_norm``.
        skeleton: of their joints.
    """
    for axes, name in (("world", "world_m"), ("camera", "joints_m")):
        placed = [person for person in people if getattr(person, name) is not None]
        if placed:
            joints = [np.asarray(getattr(person, name), np.float64) for person in placed]
            if axes == "camera":
                joints = _level([_upright(one) for one in joints], skeleton)
            left_out = tuple(person.id for person in people if getattr(person, name) is None)
            return Staged(placed, joints, _SENTENCES[axes], left_out)
    return Staged(people, _in_lanes(people, skeleton), _SENTENCES["lanes"], ())


def _upright(joints: Float[np.ndarray, "frames joints 3"]) -> Float[np.ndarray, "frames joints 3"]:
    """Camera axes (x right, y down, z forward) to x right, y forward, z up."""
    return np.stack([joints[..., 0], joints[..., 2], -joints[..., 1]], axis=-1)


def _level(joints: list[Float[np.ndarray, "_ joints 3"]], skeleton: Skeleton) -> list[np.ndarray]:
    heights = np.concatenate([one[:, _lowest(skeleton), 2].ravel() for one in joints])
    heights = heights[np.isfinite(heights)]
    floor_m = np.percentile(heights, _FLOOR_PERCENT) - _ANKLE_HEIGHT_M if len(heights) else 0.0
    return [one - [0.0, 0.0, floor_m] for one in joints]


def _in_lanes(people: Sequence[LiftedPerson], skeleton: Skeleton) -> list[Float[np.ndarray, "_ joints 3"]]:
    staged = []
    for lane, person in enumerate(people):
        pose = np.asarray(person.pose_norm, np.float64)
        sizes = bone_lengths(pose, skeleton).sum(-1)
        size = float(np.median(sizes[np.isfinite(sizes)])) if np.isfinite(sizes).any() else 0.0
        joints = _upright(pose - pose[:, skeleton.root, None]) * (REFERENCE_BONE_SUM_M / max(size, 1e-9))
        feet = joints[:, _lowest(skeleton), 2]
        known = np.isfinite(feet).any(1)
        joints[known, :, 2] -= np.nanmin(feet[known], axis=1)[:, None] - _ANKLE_HEIGHT_M
        joints[..., 0] += (lane - (len(people) - 1) / 2) * _LANE_M
        staged.append(joints)
    return staged


def _lowest(skeleton: Skeleton) -> list[int]:
    """The ankles, or every joint of a skeleton that has none."""
    ankles = [i for i, joint in enumerate(skeleton.joints) if joint.endswith("Ankle")]
    return ankles or list(range(len(skeleton)))
