"""What the benchmarks on a benchmark file share: its options, its views, lifting them, and the columns of scores."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
from runner import counted

from hyperlift.evaluation.benchmark_file import SKELETON, BenchFile, lift_bench
from hyperlift.evaluation.results import BenchResult
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.lifting.windows import lift_windows
from hyperlift.runtime.session import OnnxLifter
from hyperlift.runtime.stream import OnnxStream

Bench = Annotated[Path, "benchmark file; docs/benchmarks.md describes it"]
Every = Annotated[int, "use every so many views"]
SCORES = ("N-MPJPE mm {:.1f}", "PA-MPJPE mm {:.1f}", "jitter mm/frame² {:.1f}")

Poses = dict[str, np.ndarray]
"""A view's name and its poses."""


def open_bench(path: Path, every: int = 1) -> BenchFile:
    """A benchmark file, all of its views or every so many."""
    bench = BenchFile(path)
    bench.names = bench.names[::every]
    return bench


def lifted(bench: BenchFile, lifter: OnnxLifter | OnnxStream, *, flip: bool = False) -> Poses:
    """Every view through windows of the lifter's length, once or averaged with its mirror image."""
    predict = FlipAveraged(lifter, SKELETON) if flip else lifter
    return lift_bench(bench, lambda pose2d_norm: lift_windows(predict, pose2d_norm, lifter.spec.longest_clip))


def scores(result: BenchResult) -> tuple[float, float, float]:
    """The cells of ``SCORES``."""
    return result.n_mpjpe_mm, result.pa_mpjpe_mm, result.jitter_mm


def pictures(bench: BenchFile) -> Iterator[tuple[str, np.ndarray, np.ndarray, tuple[int, int]]]:
    """Of every view its name, keypoints in pixels [T,17,3], camera matrix, and width and height."""
    with np.load(bench.path, allow_pickle=False) as stored:
        for name in bench.names:
            width, height = stored[f"{name}/wh"].tolist()
            keypoints_px, K = (stored[f"{name}/{key}"].astype(np.float64) for key in ("kp", "K"))
            yield name, keypoints_px, K, (int(width), int(height))


def size_note(bench: BenchFile) -> str:
    """Views and frames."""
    return f"{counted(len(bench.names), 'view')}, {sum(len(view.truth_m) for view in bench.views())} frames"
