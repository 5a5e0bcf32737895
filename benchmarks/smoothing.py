"""What smoothing after lifting changes: accuracy and jitter on a benchmark file before and after each filter.

python benchmarks/smoothing.py BENCH.npz
"""

import argparse
from pathlib import Path
from typing import get_args

import numpy as np
from report import machine, write_section

from hyperlift.evaluation.bench import FPS, SKELETON, BenchFile, lift_bench, score_bench
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.runtime import load_lifter
from hyperlift.wild.smoothing import Smoothing, smooth
from hyperlift.wild.windows import lift_windows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    args = parser.parse_args()
    bench, lifter = BenchFile(args.bench), load_lifter()
    flipped = FlipAveraged(lifter, SKELETON)

    def frame_by_frame(pose2d: np.ndarray) -> np.ndarray:
        """Every frame a clip of its own: what smoothing has to work with where there is no context."""
        return lifter(pose2d[:, None])[:, 0]

    lifters = {
        "bundled lifter, flip": lambda pose: lift_windows(flipped, pose, lifter.spec.longest_clip),
        "the same, each frame alone": frame_by_frame,
    }
    lines = ["| lifter | `--smooth` | N-MPJPE mm | PA-MPJPE mm | jitter mm/frame² |", "|---|---|---|---|---|"]
    for name, lift in lifters.items():
        poses = lift_bench(bench, lift)
        for method in ("none", *get_args(Smoothing)):
            calm = poses
            if method != "none":
                calm = {n: smooth(pose, np.arange(len(pose)) / FPS, method) for n, pose in poses.items()}
            s = score_bench(bench, calm)
            lines.append(f"| {name} | {method} | {s.n_mpjpe_mm:.1f} | {s.pa_mpjpe_mm:.1f} | {s.jitter_mm:.2f} |")
    frames = sum(len(view.truth_m) for view in bench.views())
    table = "\n".join([*lines, "", f"{len(bench.names)} views, {frames} frames, measured on {machine()}."])
    print(table)
    write_section("smoothing", table)


if __name__ == "__main__":
    main()
