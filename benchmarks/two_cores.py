"""Several windows on two cores against one: threads inside of operators, and windows shared out among threads.

python benchmarks/two_cores.py
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from products import square_product
from runner import Repetitions, Report, cores, run, table
from timing import interleaved

from hyperlift.runtime.loading import BUNDLED, load_lifter

WINDOWS = (1, 2, 3, 4, 8)
CORES = 2


def machine_factor(repetitions: int) -> float:
    """How much more two threads that only multiply square matrices do than one: what no sharing can exceed."""
    products = [square_product() for _ in range(CORES)]
    with ThreadPoolExecutor(CORES) as pool:
        ways = {"one": products[0], "all": lambda: list(pool.map(lambda product: product(), products))}
        spent = interleaved(ways, repetitions)
    return CORES * spent["one"].wall / spent["all"].wall


def two_cores(*, repetitions: Repetitions = 15) -> Report:
    if cores() < CORES:
        yield f"This process may use one core only; the figures say nothing about {CORES}."
    rng = np.random.default_rng(0)
    rows = []
    for name in BUNDLED:
        one, shared, inside = (load_lifter(name, threads=threads) for threads in (1, CORES, CORES))
        for count in WINDOWS:
            pose2d = rng.uniform(-1, 1, (count, one.spec.n_frames, 17, 3)).astype(np.float32)
            row: list[object] = [f"`{name}`", count]
            # Apart: threads inside of operators spin for a while after a run and would take a core from what follows.
            for way in (partial(inside._run, inside._session, pose2d, ["pose3d"]), partial(shared, pose2d)):
                calls: dict[str, Callable[[], object]] = {"one": partial(one, pose2d), "two": way}
                spent = interleaved(calls, repetitions)
                before, after = spent["one"].wall, spent["two"].wall
                row += [f"{1e3 * before:.1f} → {1e3 * after:.1f}", before / after]
            rows.append(row)
    ways = [(f"{way}, ms", "times as fast {:.2f}") for way in ("threads inside operators", "as `OnnxLifter` does it")]
    yield table(["lifter", "windows", *ways[0], *ways[1]], rows)
    yield (
        f"Two threads that only multiply square matrices do {machine_factor(repetitions):.2f} times as much as one in "
        "the same run: the machine's own limit."
    )
    yield f"Medians of {repetitions} interleaved repetitions, windows of the lifter's full length."


if __name__ == "__main__":
    run(two_cores, repetitions=1)
