"""What rigid bones change on a benchmark file: accuracy, jitter and bone lengths before and after, and the speed.

python benchmarks/fit.py BENCH.npz
"""

import argparse
import time
from pathlib import Path

import numpy as np
from report import machine, write_section

from hyperlift.evaluation.bench import FPS, SKELETON, BenchFile, lift_bench, score_bench
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.kinematics import BODY_LIMITS, FittedMotion, fit_motion
from hyperlift.runtime import load_lifter
from hyperlift.trajectory.root import root_path
from hyperlift.wild.windows import lift_windows

_FITS = {
    "rigid bones": {},
    "rigid bones, 6 Hz": {"cutoff_hz": 6.0},
    "rigid bones, keypoints": {"keypoints": True},
    "rigid bones, keypoints, 6 Hz": {"keypoints": True, "cutoff_hz": 6.0},
    "rigid bones, keypoints, 6 Hz, limits": {"keypoints": True, "cutoff_hz": 6.0, "limits": BODY_LIMITS},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    args = parser.parse_args()
    bench, lifter = BenchFile(args.bench), load_lifter()
    flipped = FlipAveraged(lifter, SKELETON)
    poses = lift_bench(bench, lambda pose: lift_windows(flipped, pose, lifter.spec.longest_clip))
    with np.load(args.bench, allow_pickle=False) as stored:
        seen = {name: (stored[f"{name}/kp"].astype(np.float64), stored[f"{name}/K"]) for name in bench.names}
    placed = {name: _placed(pose, *seen[name]) for name, pose in poses.items()}
    lines = [
        "| fit | N-MPJPE mm | PA-MPJPE mm | jitter mm/frame² | bone-length variation | moved, mean / 95 % mm "
        "| frames a second of processor time |",
        "|---|---|---|---|---|---|---|",
        _line("none: as lifted", score_bench(bench, poses), "–", "–"),
    ]
    for name, chosen in _FITS.items():
        options = dict(chosen)
        with_keypoints = options.pop("keypoints", False)
        started, fitted = time.process_time(), dict[str, FittedMotion]()
        for view, joints_m in placed.items():
            keypoints_px, camera = seen[view]
            picture = {"keypoints_px": keypoints_px, "camera_matrix": camera} if with_keypoints else {}
            times_s = np.arange(len(joints_m)) / FPS
            fitted[view] = fit_motion(joints_m, times_s, axes="camera", **picture, **options)
        rate = sum(map(len, placed.values())) / (time.process_time() - started)
        result = score_bench(bench, {view: motion.joints_m for view, motion in fitted.items()})
        reports = [motion.report for motion in fitted.values()]
        weights = np.array([report.frames for report in reports], np.float64)
        mean, most = (
            np.average([getattr(report, key) for report in reports], weights=weights)
            for key in ("mean_moved_mm", "p95_moved_mm")
        )
        lines.append(_line(name, result, f"{mean:.0f} / {most:.0f}", f"{rate:.0f}"))
    table = "\n".join([*lines, "", f"{len(poses)} views, {sum(map(len, poses.values()))} frames, {machine()}."])
    print(table)
    write_section("fit", table)


def _placed(pose_m: np.ndarray, keypoints_px: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Joints from the camera, for a body of standard size."""
    pose_m = pose_m.astype(np.float64)
    pose_m = pose_m - pose_m[:, [SKELETON.root]]
    path = root_path(pose_m, keypoints_px, camera.astype(np.float64), np.arange(len(pose_m)) / FPS)
    return pose_m + path.root_m[:, None]


def _line(name: str, result, moved: str, rate: str) -> str:
    bone = 100 * result.bone
    return (
        f"| {name} | {result.n_mpjpe_mm:.1f} | {result.pa_mpjpe_mm:.1f} | {result.jitter_mm:.2f} | {bone:.2f} % "
        f"| {moved} | {rate} |"
    )


if __name__ == "__main__":
    main()
