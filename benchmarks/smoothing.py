"""What smoothing after lifting changes: accuracy and jitter on a benchmark file before and after each filter.

python benchmarks/smoothing.py BENCH.npz
"""

from typing import get_args

import numpy as np
from runner import Report, run, table
from scoring import SCORES, Bench, Every, lifted, open_bench, scores, size_note

from hyperlift.choices import Smoothing
from hyperlift.evaluation.benchmark_file import FPS, lift_bench, score_bench
from hyperlift.lifting.smoothing import smooth
from hyperlift.runtime.loading import load_lifter


def smoothing(bench: Bench, *, every: Every = 1) -> Report:
    views, lifter = open_bench(bench, every), load_lifter()
    poses = {
        "bundled lifter, flip": lifted(views, lifter, flip=True),
        # What smoothing has to work with where there is no context: every frame a clip of its own.
        "the same, each frame alone": lift_bench(views, lambda pose2d_norm: lifter(pose2d_norm[:, None])[:, 0]),
    }
    rows = []
    for name, found in poses.items():
        rows.append((name, "none", *scores(score_bench(views, found))))
        for method in get_args(Smoothing):
            smoothed = {view: smooth(pose, np.arange(len(pose)) / FPS, method) for view, pose in found.items()}
            rows.append((name, method, *scores(score_bench(views, smoothed))))
    yield table(["lifter", "`--smooth`", *SCORES[:2], "jitter mm/frame² {:.2f}"], rows)
    yield f"{size_note(views)}."


if __name__ == "__main__":
    run(smoothing, every=50)
