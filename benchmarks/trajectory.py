"""Trajectory, scale and tilt on a benchmark file, from its keypoints alone.

python benchmarks/trajectory.py BENCH.npz MOCAP

MOCAP is the folder of the recordings that the benchmark's cameras saw (index.json, test.npz; z up). It serves the
scores only: a view's true up direction comes from laying its camera-space truth onto its recording.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from report import machine, write_section

from hyperlift.data.motion.mocap_arrays import read_mocap_arrays
from hyperlift.evaluation.bench import FPS, SKELETON, BenchFile
from hyperlift.geometry.alignment import align_rigid, align_similarity
from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M, REFERENCE_HEIGHT_M, bone_lengths
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.runtime import load_lifter
from hyperlift.trajectory.intrinsics import Intrinsics, assumed_intrinsics
from hyperlift.trajectory.place import Placement, place_people
from hyperlift.trajectory.root import root_path
from hyperlift.trajectory.scale import BodyHeight, metric_pose
from hyperlift.trajectory.world import pitch_roll
from hyperlift.wild.keypoints import LiftedPerson
from hyperlift.wild.windows import lift_windows

_UNSEEN = 0.05
"""Keypoints below this confidence count as not seen, as in lifting video."""


@dataclass(frozen=True)
class Scene:
    """One view: what is known and what is true."""

    name: str
    person: LiftedPerson
    intrinsics: Intrinsics
    truth_m: np.ndarray
    recording_m: np.ndarray

    @property
    def true_height_m(self) -> float:
        """Standing height of a body with these bones."""
        return REFERENCE_HEIGHT_M * _bone_sum(self.truth_m) / REFERENCE_BONE_SUM_M


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("mocap", type=Path)
    args = parser.parse_args()
    lifter = load_lifter()
    predict = FlipAveraged(lifter, SKELETON)
    scenes = read_scenes(args.bench, args.mocap, lambda pose: lift_windows(predict, pose, lifter.spec.longest_clip))

    cases: dict[str, Callable[[Scene], tuple[Intrinsics, BodyHeight]]] = {
        "known lens, known height": lambda s: (s.intrinsics, BodyHeight(height_m=s.true_height_m, std_m=0.02)),
        "known lens, 1.70 m assumed": lambda s: (s.intrinsics, BodyHeight()),
        "60° assumed, known height": lambda s: (_assumed(s), BodyHeight(height_m=s.true_height_m, std_m=0.02)),
        "60° assumed, 1.70 m assumed": lambda s: (_assumed(s), BodyHeight()),
    }
    scores = {}
    for name, known in cases.items():
        placements = [place_people([scene.person], lifter.spec, *known(scene)) for scene in scenes]
        scores[name] = {
            key: np.array([_score(scene, placement)[key] for scene, placement in zip(scenes, placements, strict=True)])
            for key in _ROWS
        }
    lines = ["| median over views | " + " | ".join(cases) + " |", "|---|" + "---|" * len(cases)]
    for key, (title, digits) in _ROWS.items():
        cells = [_cell(scores[name][key], digits) for name in cases]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    heights_m = [scene.true_height_m for scene in scenes]
    fov = np.array([scene.intrinsics.fov_deg for scene in scenes])
    frames = sum(len(scene.truth_m) for scene in scenes)
    speed = _frames_a_second(scenes, lifter.spec.label_space)
    lines += [
        "",
        f"In brackets: the middle half of the views. {len(scenes)} views, {frames} frames; true fields of view "
        f"{fov.min():.0f}–{fov.max():.0f}°, median {np.median(fov):.0f}°; true heights "
        f"{min(heights_m):.2f}–{max(heights_m):.2f} m. The path of the root: "
        f"{speed:,.0f} frames a second of processor time, view by view. Measured on {machine()}, one thread.",
    ]
    print("\n".join(lines))
    write_section("trajectory", "\n".join(lines))


_ROWS = {
    "absolute": ("root, absolute, m", 2),
    "across": ("… across the line of sight, m", 3),
    "deep": ("… in depth, m", 2),
    "relative": ("… in depth, share of the distance, %", 1),
    "rigid": ("root path after the best rotation and shift, m", 3),
    "similar": ("… and the best scale, m", 3),
    "speed": ("velocity of the root, m/s", 2),
    "size": ("sum of bones, estimated over true", 3),
    "fit": ("size of the pose, estimated over true (best fit)", 3),
    "tilt": ("up direction, degrees", 1),
    "pitch": ("… pitch, degrees", 1),
    "roll": ("… roll, degrees", 1),
    "stated": ("… as stated by its own uncertainty, degrees", 1),
    "floor": ("height of the root above the floor, m", 3),
    "pixels": ("reprojection, pixels a 1000 of picture width", 1),
}


def read_scenes(bench_path: Path, mocap: Path, lift: Callable[[np.ndarray], np.ndarray]) -> list[Scene]:
    """Lift every view and find the recording that it saw."""
    recordings = {recording.name: recording for recording in read_mocap_arrays(mocap, "test")}
    arrays = np.load(bench_path, allow_pickle=False)
    scenes = []
    for view in BenchFile(bench_path).views():
        keypoints_px = arrays[f"{view.name}/kp"].astype(np.float64)
        K, (width, height) = arrays[f"{view.name}/K"], arrays[f"{view.name}/wh"].tolist()
        valid = keypoints_px[..., 2] >= _UNSEEN
        frames = len(keypoints_px)
        scenes.append(
            Scene(
                name=view.name,
                person=LiftedPerson(
                    id=0,
                    frame=np.arange(frames),
                    time_s=np.arange(frames) / FPS,
                    pose_norm=lift(view.pose2d_norm),
                    valid=valid,
                    keypoints_px=np.where(valid[..., None], keypoints_px, np.nan),
                ),
                intrinsics=Intrinsics(
                    fx_px=float(K[0, 0]),
                    fy_px=float(K[1, 1]),
                    cx_px=float(K[0, 2]),
                    cy_px=float(K[1, 2]),
                    width=int(width),
                    height=int(height),
                    source="benchmark",
                ),
                truth_m=view.truth_m.astype(np.float64),
                recording_m=_seen_recording(view.truth_m, recordings[view.name.split("@")[0]].joints_m),
            )
        )
    return scenes


def _seen_recording(truth_m: np.ndarray, recording_m: np.ndarray) -> np.ndarray:
    """The frames of a recording at twice the rate that a view shows."""
    poses = truth_m - truth_m[:, :1]
    shape = np.linalg.norm(poses, axis=-1)
    best = min(
        (recording_m[start::2][: len(truth_m)] for start in range(len(recording_m) - 2 * len(truth_m) + 2)),
        key=lambda seen: np.inf if len(seen) < len(truth_m) else _shape_difference(seen, shape),
    ).astype(np.float64)
    # The whole motion must lie on the view after one rotation and shift.
    laid = align_rigid(best.reshape(-1, 3), truth_m.reshape(-1, 3))
    off_m = float(np.abs(laid - truth_m.reshape(-1, 3)).max())
    if off_m > 0.005:
        raise ValueError(f"a view lies {off_m:.3f} m off its recording")
    return best


def _shape_difference(seen_m: np.ndarray, shape: np.ndarray) -> float:
    return float(np.abs(np.linalg.norm(seen_m - seen_m[:, :1], axis=-1) - shape).mean())


def _true_up(scene: Scene) -> np.ndarray:
    """Up in camera axes: where two points of the recording, one above the other, come to lie."""
    world = np.concatenate([scene.recording_m.reshape(-1, 3), scene.truth_m.reshape(-1, 3)], axis=1)
    centred = world - world.mean(0)
    left, _, right = np.linalg.svd(centred[:, :3].T @ centred[:, 3:])
    rotation = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
    return np.array([0.0, 0.0, 1.0]) @ rotation


def _score(scene: Scene, placement: Placement) -> dict[str, float]:
    person, world = placement.people[0], placement.world
    true_root = scene.truth_m[:, SKELETON.root]
    error = person.root_m - true_root
    sight = true_root / np.linalg.norm(true_root, axis=-1, keepdims=True)
    along = (error * sight).sum(-1)
    up = _true_up(scene)
    pitch, roll = np.abs(np.array(pitch_roll(world.up)) - pitch_roll(up))
    pose = person.joints_m - person.joints_m[:, :1]
    truth = scene.truth_m - scene.truth_m[:, :1]
    return {
        "absolute": float(np.median(np.linalg.norm(error, axis=-1))),
        "across": float(np.median(np.linalg.norm(error - along[:, None] * sight, axis=-1))),
        "deep": float(np.median(np.abs(along))),
        "relative": 100 * float(np.median(np.abs(along) / np.linalg.norm(true_root, axis=-1))),
        "rigid": _root_mean_square(align_rigid(person.root_m, true_root) - true_root),
        "similar": _root_mean_square(align_similarity(person.root_m, true_root) - true_root),
        "speed": FPS * _root_mean_square(np.diff(error, axis=0)),
        "size": _bone_sum(person.joints_m) / _bone_sum(scene.truth_m),
        "fit": float((pose * truth).sum() / (truth**2).sum()),
        "tilt": float(np.degrees(np.arccos(np.clip(world.up @ up, -1, 1)))),
        "pitch": float(pitch),
        "roll": float(roll),
        "stated": world.tilt_std_deg * float(np.sqrt(2)),
        "floor": float(np.median(np.abs(person.world_m[:, SKELETON.root, 2] - scene.recording_m[:, SKELETON.root, 2]))),
        "pixels": 1000 * float(np.nanmedian(person.reprojection_px)) / scene.intrinsics.width,
    }


def _frames_a_second(scenes: list[Scene], label_space) -> float:
    """Frames a second of processor time from pose to path, all views one after the other; median of three runs."""
    rates = []
    for _ in range(3):
        start = time.process_time()
        for scene in scenes:
            person = scene.person
            assert person.keypoints_px is not None
            pose_m = metric_pose(person.pose_norm, person.valid, person.time_s, SKELETON, label_space, 1.7)
            root_path(pose_m, person.keypoints_px, scene.intrinsics.K, person.time_s)
        rates.append(sum(len(scene.truth_m) for scene in scenes) / (time.process_time() - start))
    return float(np.median(rates))


def _assumed(scene: Scene) -> Intrinsics:
    return assumed_intrinsics(scene.intrinsics.width, scene.intrinsics.height)


def _bone_sum(joints_m: np.ndarray) -> float:
    return float(np.median(bone_lengths(joints_m, SKELETON).sum(-1)))


def _root_mean_square(error: np.ndarray) -> float:
    return float(np.sqrt((error**2).sum(-1).mean()))


def _cell(values: np.ndarray, digits: int) -> str:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


if __name__ == "__main__":
    main()
