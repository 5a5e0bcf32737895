"""How far the work is, and where its time went."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


@runtime_checkable
class Progress(Protocol):
    """Told about every step; a progress bar, a log, or nothing."""

    def __call__(self, stage: str, done: int, total: int | None) -> object:
        """``done`` of ``total`` frames of a stage are finished; None where the total is not known beforehand."""
        ...


def silent(stage: str, done: int, total: int | None) -> None:
    """The ``Progress`` of somebody who does not want to know."""


class Timings:
    """Wall-clock seconds and frames a stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.frames: defaultdict[str, int] = defaultdict(int)

    @contextmanager
    def stage(self, name: str, frames: int = 0) -> Iterator[None]:
        """Count the time of a block."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started
            self.frames[name] += frames

    def waiting(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Count the time spent waiting for the next item."""
        iterator = iter(items)
        while True:
            started = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.seconds[name] += time.perf_counter() - started
            self.frames[name] += 1
            yield item

    def table(self) -> str:
        """One line a stage: seconds, share, frames a second."""
        total = sum(self.seconds.values())
        lines = [f"{'stage':<8}{'seconds':>9}{'share':>8}{'frames/s':>10}"]
        for name, seconds in self.seconds.items():
            rate = f"{self.frames[name] / seconds:.0f}" if self.frames[name] and seconds > 0 else ""
            lines.append(f"{name:<8}{seconds:>9.2f}{seconds / total if total else 0:>8.0%}{rate:>10}")
        return "\n".join([*lines, f"{'total':<8}{total:>9.2f}"])
