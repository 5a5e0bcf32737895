"""What is measured of a placed person whose camera is known."""

from collections.abc import Sequence

import numpy as np
from scenes import Scene, bone_sum

from hyperlift.body.person import Person
from hyperlift.evaluation.benchmark_file import FPS, SKELETON
from hyperlift.geometry.alignment import align_rigid, align_similarity
from hyperlift.placement.place import Placement
from hyperlift.placement.world_frame import pitch_roll

ROWS = {
    "root, absolute, m": 2,
    "… across the line of sight, m": 3,
    "… in depth, m": 2,
    "… in depth, share of the distance, %": 1,
    "root path after the best rotation and shift, m": 3,
    "… and the best scale, m": 3,
    "velocity of the root, m/s": 2,
    "sum of bones, estimated over true": 3,
    "size of the pose, estimated over true (best fit)": 3,
    "up direction, degrees": 1,
    "… pitch, degrees": 1,
    "… roll, degrees": 1,
    "… as stated by its own uncertainty, degrees": 1,
    "height of the root above the floor, m": 3,
    "reprojection, pixels a 1000 of picture width": 1,
}
"""What is measured, and digits after the point."""


def measured(scene: Scene, people: Sequence[Person], placement: Placement) -> list[float]:
    """The values of ``ROWS`` for one view."""
    person, world, up = people[0], placement.world, scene.true_up
    true_root = scene.truth_m[:, SKELETON.root]
    distance = np.linalg.norm(true_root, axis=-1, keepdims=True)
    error = person.root_m - true_root
    along = (error * true_root / distance).sum(-1, keepdims=True)
    pitch, roll = np.abs(np.array(pitch_roll(world.up)) - pitch_roll(up))
    pose, truth = (joints_m - joints_m[:, :1] for joints_m in (person.joints_m, scene.truth_m))
    heights_m = (world_m[:, SKELETON.root, 2] for world_m in (person.world_m, scene.recording_m))
    return [
        float(np.median(np.linalg.norm(error, axis=-1))),
        float(np.median(np.linalg.norm(error - along * true_root / distance, axis=-1))),
        float(np.median(np.abs(along))),
        100 * float(np.median(np.abs(along) / distance)),
        root_mean_square(align_rigid(person.root_m, true_root) - true_root),
        root_mean_square(align_similarity(person.root_m, true_root) - true_root),
        FPS * root_mean_square(np.diff(error, axis=0)),
        bone_sum(person.joints_m) / bone_sum(scene.truth_m),
        float((pose * truth).sum() / (truth**2).sum()),
        float(np.degrees(np.arccos(np.clip(world.up @ up, -1, 1)))),
        float(pitch),
        float(roll),
        world.tilt_std_deg * float(np.sqrt(2)),
        float(np.median(np.abs(np.subtract(*heights_m)))),
        1000 * float(np.nanmedian(person.reprojection_px)) / scene.intrinsics.width,
    ]


def root_mean_square(error: np.ndarray) -> float:
    return float(np.sqrt((error**2).sum(-1).mean()))
