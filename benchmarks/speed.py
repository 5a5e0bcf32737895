"""Speed of the bundled lifters on one core, beside the arithmetic limit measured in the same run.

python benchmarks/speed.py
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from products import SQUARE_FLOP, square_product
from runner import Repetitions, Report, run, table
from timing import interleaved, spread_note

from hyperlift.runtime.loading import BUNDLED, load_lifter

CLIPS = 3
"""Windows a call: about ten seconds of video."""


def speed(*, repetitions: Repetitions = 7) -> Report:
    rng = np.random.default_rng(0)
    lifters = {name: load_lifter(name, threads=1) for name in BUNDLED}
    frames = {name: lifter.spec.n_frames for name, lifter in lifters.items()}
    windows = {name: rng.uniform(-1, 1, (CLIPS, frames[name], 17, 3)).astype(np.float32) for name in BUNDLED}

    def opened(name: str) -> np.ndarray:
        return load_lifter(name, threads=1)(windows[name][:1])

    calls: dict[tuple[str, str], Callable[[], object]] = {("sgemm", ""): square_product()}
    for name in BUNDLED:
        calls |= {("lift", name): partial(lifters[name], windows[name]), ("open", name): partial(opened, name)}
    spent = interleaved(calls, repetitions)
    rows = []
    for name in BUNDLED:
        a_second = CLIPS * frames[name] / spent["lift", name].wall
        rows.append((f"`{name}`", a_second, 243e3 / a_second, 1e3 * spent["open", name].wall))
    columns = ("frames a second, one core {:,.0f}", "ms for 243 frames {:.1f}", "open it and lift a window, ms {:.0f}")
    yield table(["lifter", *columns], rows)
    gflops = 1e-9 * 10 * SQUARE_FLOP / spent["sgemm", ""].wall
    yield (
        f"{spread_note(spent, repetitions)} {CLIPS} windows a call, one pass, one thread. A square sgemm in the same "
        f"run: {gflops:.0f} GFLOP/s."
    )


if __name__ == "__main__":
    run(speed, repetitions=1)
