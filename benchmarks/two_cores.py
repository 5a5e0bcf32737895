"""Several windows on two cores against one: threads inside of operators, and windows shared out among threads.

python benchmarks/two_cores.py
"""

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import onnxruntime
from report import machine, write_section
from speed import best_sgemm
from timing import medians_s

from hyperlift.runtime import BUNDLED, load_lifter

WINDOWS = (1, 2, 3, 4, 8)
CORES = 2


def machine_factor(repetitions: int) -> float:
    """How much more two threads that only multiply square matrices do than one: what no sharing can exceed."""
    rng = np.random.default_rng(0)
    gemms = [best_sgemm(rng) for _ in range(CORES)]
    with ThreadPoolExecutor(CORES) as pool:
        ways = {"one": gemms[0], "all": lambda: list(pool.map(lambda gemm: gemm(), gemms))}
        spent = medians_s(ways, repetitions)
    return CORES * spent["one"] / spent["all"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--no-page", action="store_true", help="print the table only")
    args = parser.parse_args()
    if len(os.sched_getaffinity(0)) < CORES:
        print(f"this process may use one core only; the figures say nothing about {CORES}")
    rng = np.random.default_rng(0)
    lines = [
        "| lifter | windows | threads inside operators, ms | times as fast | as `OnnxLifter` does it, ms "
        "| times as fast |",
        "|---|---|---|---|---|---|",
    ]
    for name in BUNDLED:
        one, shared, inside = (load_lifter(name, threads=threads) for threads in (1, CORES, CORES))
        for count in WINDOWS:
            pose2d = rng.uniform(-1, 1, (count, one.spec.n_frames, 17, 3)).astype(np.float32)
            # Apart: threads inside of operators spin for a while after a run and would take a core from what follows.
            ways: list[Callable[[], object]] = [
                partial(inside._run, inside._session, pose2d),
                partial(shared, pose2d),
            ]
            cells = []
            for way in ways:
                spent = medians_s({"one": partial(one, pose2d), "two": way}, args.repetitions)
                cells.append(f"{1e3 * spent['one']:.1f} → {1e3 * spent['two']:.1f} | {spent['one'] / spent['two']:.2f}")
            lines.append(f"| `{name}` | {count} | {' | '.join(cells)} |")
    table = "\n".join(
        [
            *lines,
            "",
            f"Two threads that only multiply square matrices do {machine_factor(args.repetitions):.2f} times as "
            "much as one in the same run: the machine's own limit.",
            "",
            f"Medians of {args.repetitions} interleaved repetitions, windows of the lifter's full length, ONNX Runtime "
            f"{onnxruntime.__version__}, on {machine()}.",
        ]
    )
    print(table)
    if not args.no_page:
        write_section("two_cores", table)


if __name__ == "__main__":
    main()
