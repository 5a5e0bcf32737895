"""Where people stand on the page: in the world where that is known, else in camera axes, else side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float
from hyperlift.skeletons import Skeleton
from hyperlift.trajectory.standing import ANKLE_HEIGHT_M, LANE_M, lowest, of_reference_size, on_a_level_floor
from hyperlift.wild.keypoints import LiftedPerson

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
                joints = on_a_level_floor(joints, skeleton)
            left_out = tuple(person.id for person in people if getattr(person, name) is None)
            return Staged(placed, joints, _SENTENCES[axes], left_out)
    return Staged(people, _in_lanes(people, skeleton), _SENTENCES["lanes"], ())


def _in_lanes(people: Sequence[LiftedPerson], skeleton: Skeleton) -> list[Float[np.ndarray, "_ joints 3"]]:
    staged = []
    for lane, person in enumerate(people):
        joints = of_reference_size(np.asarray(person.pose_norm, np.float64), skeleton)
        feet = joints[:, lowest(skeleton), 2]
        known = np.isfinite(feet).any(1)
        joints[known, :, 2] -= np.nanmin(feet[known], axis=1)[:, None] - ANKLE_HEIGHT_M
        joints[..., 0] += (lane - (len(people) - 1) / 2) * LANE_M
        staged.append(joints)
    return staged
