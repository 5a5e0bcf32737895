"""Accuracy on a benchmark file: the bundled lifters beside what needs no training at all.

python benchmarks/accuracy.py BENCH.npz [--leave_out JOINT,…] [--lifter NAME|FILE …] [--more NAME=PRED.npz …]
"""

import argparse
from pathlib import Path

import numpy as np
from report import machine, write_section

from hyperlift.evaluation.bench import SKELETON, BenchFile, LiftTrack, lift_bench, score_bench
from hyperlift.geometry.contract import Predictor
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.runtime import BUNDLED, BUNDLED_STREAMS, load_lifter
from hyperlift.wild.windows import lift_windows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("--lifter", action="append", metavar="NAME|FILE", help="default: every bundled one")
    parser.add_argument("--more", action="append", default=[], metavar="NAME=PRED.npz", help="score predictions too")
    parser.add_argument("--leave_out", default="", metavar="JOINT,…", help="joints whose truth was not measured")
    args = parser.parse_args()
    bench = BenchFile(args.bench)
    leave_out = [joint for joint in args.leave_out.split(",") if joint]

    def flat(pose2d_norm: np.ndarray) -> np.ndarray:
        pose = pose2d_norm.copy()
        pose[..., 2] = 0.0
        return pose

    def whole(predict: Predictor, longest: int | None) -> LiftTrack:
        return lambda pose2d_norm: lift_windows(predict, pose2d_norm, longest)

    lifters: dict[str, LiftTrack] = {"2D with zero depth": flat}
    for bundled in args.lifter or [*BUNDLED, *BUNDLED_STREAMS]:
        lifter = load_lifter(bundled)
        name = f"`{Path(bundled).stem}`"
        lifters[f"{name}, one pass"] = whole(lifter, lifter.spec.longest_clip)
        lifters[f"{name}, mirror-averaged (the default)"] = whole(
            FlipAveraged(lifter, SKELETON), lifter.spec.longest_clip
        )
    scores = {name: score_bench(bench, lift_bench(bench, lift), leave_out) for name, lift in lifters.items()}
    for entry in args.more:
        name, path = entry.split("=", 1)
        with np.load(path) as poses:
            scores[name] = score_bench(bench, {view: poses[view] for view in poses.files}, leave_out)
    lines = [
        "| lifter | N-MPJPE mm | PA-MPJPE mm | jitter mm/frame² | bone-length variation |",
        "|---|---|---|---|---|",
    ]
    for name, s in scores.items():
        lines.append(
            f"| {name} | {s.n_mpjpe_mm:.1f} | {s.pa_mpjpe_mm:.1f} | {s.jitter_mm:.1f} | {100 * s.bone:.1f} % |"
        )
    first = next(iter(scores.values()))
    left_out = f" without {', '.join(leave_out)}" if leave_out else ""
    table = "\n".join([*lines, "", f"{first.views} views, {first.frames} frames{left_out}, measured on {machine()}."])
    print(table)
    write_section("accuracy", table)


if __name__ == "__main__":
    main()
