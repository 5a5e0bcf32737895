"""Accuracy on a benchmark file: the bundled lifters beside what needs no training at all.

python benchmarks/accuracy.py BENCH.npz [--leave_out JOINT,…] [--lifter NAME|FILE …] [--more NAME=PRED.npz …]
"""

from pathlib import Path
from typing import Annotated

from runner import Report, run, table
from scoring import SCORES, Bench, Every, Poses, lifted, open_bench, scores, size_note

from hyperlift.evaluation.benchmark_file import lift_bench, load_poses, score_bench
from hyperlift.runtime.loading import BUNDLED, BUNDLED_STREAMS, load_lifter


def accuracy(
    bench: Bench,
    *,
    lifter: Annotated[tuple[str, ...], "names of bundled lifters, or files"] = (*BUNDLED, *BUNDLED_STREAMS),
    more: Annotated[tuple[str, ...], "NAME=PRED.npz: predictions to score too"] = (),
    leave_out: Annotated[str, "JOINT,…: joints whose truth was not measured"] = "",
    every: Every = 1,
) -> Report:
    views = open_bench(bench, every)
    poses: dict[str, Poses] = {"2D with zero depth": lift_bench(views, lambda pose2d_norm: pose2d_norm * [1, 1, 0])}
    for name in lifter:
        network = load_lifter(name)
        poses[f"`{Path(name).stem}`, one pass"] = lifted(views, network)
        poses[f"`{Path(name).stem}`, mirror-averaged (the default)"] = lifted(views, network, flip=True)
    for name, path in (entry.split("=", 1) for entry in more):
        poses[name] = load_poses(path)
    omitted = [joint for joint in leave_out.split(",") if joint]
    results = {name: score_bench(views, found, omitted) for name, found in poses.items()}
    rows = [(name, *scores(result), 100 * result.bone) for name, result in results.items()]
    yield table(["lifter", *SCORES, "bone-length variation {:.1f} %"], rows)
    yield f"{size_note(views)}{' without ' * bool(omitted)}{', '.join(omitted)}."


if __name__ == "__main__":
    run(accuracy, every=50)
