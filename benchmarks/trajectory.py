"""Trajectory, scale and tilt on a benchmark file, from its keypoints alone.

python benchmarks/trajectory.py BENCH.npz MOCAP

MOCAP is the folder of the recordings that the benchmark's cameras saw (index.json, test.npz; z up). It serves the
scores only: a view's true up direction comes from laying its camera-space truth onto its recording.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from runner import Report, run, table
from scene_scores import ROWS, measured
from scenes import Scene, read_scenes
from scoring import Bench, Every, open_bench, size_note
from timing import interleaved

from hyperlift.contract import LabelSpace
from hyperlift.evaluation.benchmark_file import SKELETON
from hyperlift.placement.body_height import BodyHeight, metric_pose
from hyperlift.placement.lens import Intrinsics, assumed_intrinsics
from hyperlift.placement.place import place_people
from hyperlift.placement.root_path import root_path
from hyperlift.runtime.loading import load_lifter


def frames_a_second(scenes: Sequence[Scene], space: LabelSpace) -> float:
    """Of processor time from pose to path, all views one after the other."""

    def paths() -> None:
        for scene in scenes:
            track = scene.track
            pose_m = metric_pose(track.pose_norm, track.valid, track.time_s, SKELETON, space, 1.7)
            root_path(pose_m, track.keypoints_px, scene.intrinsics.K, track.time_s)

    return sum(len(scene.truth_m) for scene in scenes) / interleaved({"": paths}, 3)[""].processor


def quartiles(values: Sequence[float], digits: int) -> str:
    low, middle, high = (f"{value:.{digits}f}" for value in np.quantile(values, [0.25, 0.5, 0.75]))
    return f"{middle} ({low}–{high})"


def trajectory(bench: Bench, mocap: Path, *, every: Every = 1) -> Report:
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
        placed = [place_people([scene.track], lifter.spec, *known(scene)) for scene in scenes]
        found.append(np.array([measured(scene, *of_scene) for scene, of_scene in zip(scenes, placed, strict=True)]).T)
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
