"""What rigid bones change on a benchmark file: accuracy, jitter and bone lengths before and after, and the speed.

python benchmarks/fit.py BENCH.npz
"""

import numpy as np
from runner import Report, run, table
from scoring import SCORES, Bench, Every, lifted, open_bench, pictures, scores, size_note
from timing import Seconds

from hyperlift.body.joint_limits import BODY_LIMITS
from hyperlift.body.rigid_fit import FittedMotion, fit_motion
from hyperlift.evaluation.benchmark_file import FPS, SKELETON, score_bench
from hyperlift.placement.root_path import root_path
from hyperlift.runtime.loading import load_lifter

FITS = {
    "rigid bones": (False, {}),
    "rigid bones, 6 Hz": (False, {"cutoff_hz": 6.0}),
    "rigid bones, keypoints": (True, {}),
    "rigid bones, keypoints, 6 Hz": (True, {"cutoff_hz": 6.0}),
    "rigid bones, keypoints, 6 Hz, limits": (True, {"cutoff_hz": 6.0, "limits": BODY_LIMITS}),
}
"""Whether the fit sees the keypoints, and its options."""


def placed(pose_m: np.ndarray, keypoints_px: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Joints from the camera, for a body of standard size."""
    pose_m = pose_m - pose_m[:, [SKELETON.root]]
    return pose_m + root_path(pose_m, keypoints_px, K, np.arange(len(pose_m)) / FPS).root_m[:, None]


def fit(bench: Bench, *, every: Every = 1) -> Report:
    views = open_bench(bench, every)
    poses = lifted(views, load_lifter(), flip=True)
    seen = {name: (keypoints_px, K) for name, keypoints_px, K, _ in pictures(views)}
    joints_m = {name: placed(pose.astype(np.float64), *seen[name]) for name, pose in poses.items()}
    before = score_bench(views, poses)
    rows: list[tuple] = [("none: as lifted", *scores(before), 100 * before.bone, "–", "–")]
    for name, (with_keypoints, options) in FITS.items():
        fitted, spent = dict[str, FittedMotion](), Seconds()
        with spent.counted():
            for view, joints in joints_m.items():
                picture = dict(zip(("keypoints_px", "camera_matrix"), seen[view] if with_keypoints else ()))  # noqa: B905
                fitted[view] = fit_motion(joints, np.arange(len(joints)) / FPS, axes="camera", **picture, **options)
        reports = [motion.report for motion in fitted.values()]
        moved = [(report.mean_moved_mm, report.p95_moved_mm) for report in reports]
        mean, most = np.average(moved, axis=0, weights=[report.frames for report in reports])
        after = score_bench(views, {view: motion.joints_m for view, motion in fitted.items()})
        rate = sum(map(len, poses.values())) / spent.processor
        rows.append((name, *scores(after), 100 * after.bone, f"{mean:.0f} / {most:.0f}", rate))
    columns = [*SCORES[:2], "jitter mm/frame² {:.2f}", "bone-length variation {:.2f} %", "moved, mean / 95 % mm"]
    yield table(["fit", *columns, "frames a second of processor time {:.0f}"], rows)
    yield f"{size_note(views)}."


if __name__ == "__main__":
    run(fit, every=50)
