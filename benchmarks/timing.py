"""Times of calls that are compared: all of them once in every repetition, so that a busy moment meets them alike."""

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

Name = TypeVar("Name")


def processor_s() -> float:
    """Seconds that the processor has spent on this process, all its threads, and processes that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@dataclass
class Seconds:
    """Of one call, a value a repetition."""

    walls: list[float] = field(default_factory=list)
    processors: list[float] = field(default_factory=list)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a block."""
        wall, processor = time.perf_counter(), processor_s()
        yield
        self.processors.append(processor_s() - processor)
        self.walls.append(time.perf_counter() - wall)

    @property
    def wall(self) -> float:
        """Median of the wall clock."""
        return float(np.median(self.walls))

    @property
    def processor(self) -> float:
        """Median of the processor time, which other programs on the machine disturb least."""
        return float(np.median(self.processors))

    @property
    def spread(self) -> float:
        """Half of the range of the middle half of the wall times, over their median."""
        low, high = np.quantile(self.walls, [0.25, 0.75])
        return float(high - low) / 2 / self.wall


def interleaved(calls: Mapping[Name, Callable[[], object]], repetitions: int) -> dict[Name, Seconds]:
    """Time every call; before it counts, each runs once."""
    spent = {name: Seconds() for name in calls}
    for call in calls.values():
        call()
    for _ in range(repetitions):
        for name, call in calls.items():
            with spent[name].counted():
                call()
    return spent


def spread_note(spent: Mapping[Name, Seconds], repetitions: int) -> str:
    """How the times were taken and how far they scatter."""
    most = 100 * max(seconds.spread for seconds in spent.values())
    return f"Medians of {repetitions} interleaved repetitions, whose middle half lies within ± {most:.0f} % or closer."
