"""Trajectory, scale and tilt on a benchmark file, from its keypoints alone.

python benchmarks/trajectory.py BENCH.npz MOCAP

MOCAP is the folder of the recordings that the benchmark's cameras saw (index.json, test.npz; z up). It serves the
scores only: a view's true up direction comes from laying its camera-space truth onto its recording.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from runner import run, table
from scenes import Scene, bone_sum, read_scenes
from scoring import Bench, Every, open_bench, size_note
from timing import interleaved

from hyperlift.evaluation.bench import FPS, SKELETON
from hyperlift.geometry.alignment import align_rigid, align_similarity
from hyperlift.geometry.contract import LabelSpace
from hyperlift.runtime import load_lifter
from hyperlift.trajectory.intrinsics import Intrinsics, assumed_intrinsics
from hyperlift.trajectory.place import Placement, place_people
from hyperlift.trajectory.root import root_path
from hyperlift.trajectory.scale import BodyHeight, metric_pose
from hyperlift.trajectory.world import pitch_roll

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


def measured(scene: Scene, placement: Placement) -> list[float]:
    """The values of ``ROWS`` for one view."""
    person, world, up = placement.people[0], placement.world, scene.true_up
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


def frames_a_second(scenes: Sequence[Scene], space: LabelSpace) -> float:
    """Of processor time from pose to path, all views one after the other."""

    def paths() -> None:
        for scene in scenes:
            person = scene.person
            assert person.keypoints_px is not None
            pose_m = metric_pose(person.pose_norm, person.valid, person.time_s, SKELETON, space, 1.7)
            root_path(pose_m, person.keypoints_px, scene.intrinsics.K, person.time_s)

    return sum(len(scene.truth_m) for scene in scenes) / interleaved({"": paths}, 3)[""].processor


def quartiles(values: Sequence[float], digits: int) -> str:
    low, middle, high = (f"{value:.{digits}f}" for value in np.quantile(values, [0.25, 0.5, 0.75]))
    return f"{middle} ({low}–{high})"


def trajectory(bench: Bench, mocap: Path, *, every: Every = 1) -> Iterator[str]:
    views, lifter = open_bench(bench, every), load_lifter()
    scenes = read_scenes(views, mocap, lifter)

    def known_height(scene: Scene) -> BodyHeight:
        return BodyHeight(height_m=scene.true_height_m, std_m=0.02)

    def assumed(scene: Scene) -> Intrinsics:
        return assumed_intrinsics(scene.intrinsics.width, scene.intrinsics.height)

    cases: dict[str, Callable[[Scene], tuple[Intrinsics, BodyHeight]]] = {
        "known lens, known height": lambda scene: (scene.intrinsics, known_height(scene)),
        "known lens, 1.70 m assumed": lambda scene: (scene.intrinsics, BodyHeight()),
        "60° assumed, known height": lambda scene: (assumed(scene), known_height(scene)),
        "60° assumed, 1.70 m assumed": lambda scene: (assumed(scene), BodyHeight()),
    }
    found = []
    for known in cases.values():
        placed = [place_people([scene.person], lifter.spec, *known(scene)) for scene in scenes]
        found.append(np.array([measured(*pair) for pair in zip(scenes, placed, strict=True)]).T)
    rows = [
        (title, *(quartiles(values, digits) for values in by_case))
        for (title, digits), *by_case in zip(ROWS.items(), *found, strict=True)
    ]
    yield table(["median over views", *cases], rows)
    heights_m, fov = [scene.true_height_m for scene in scenes], [scene.intrinsics.fov_deg for scene in scenes]
    yield (
        f"In brackets: the middle half of the views. {size_note(views)}; true fields of view {min(fov):.0f}–"
        f"{max(fov):.0f}°, median {np.median(fov):.0f}°; true heights {min(heights_m):.2f}–{max(heights_m):.2f} m. The "
        f"path of the root: {frames_a_second(scenes, lifter.spec.label_space):,.0f} frames a second of processor time, "
        "view by view, one thread."
    )


if __name__ == "__main__":
    run(trajectory, every=50)
