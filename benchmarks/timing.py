"""Times of calls that are compared: all of them once in every repetition, so that a busy moment meets them alike."""

import time
from collections.abc import Callable

import numpy as np


def medians_s(calls: dict[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """Median seconds of each, all of them once in every repetition."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(repetitions):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - started)
    return {name: float(np.median(values)) for name, values in times.items()}
