"""Progress and timing of the stages."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


@runtime_checkable
class Progress(Protocol):
    """Callback for progress, such as a progress bar or a log."""

    def __call__(self, stage: str, done: int, total: int | None) -> object:
        """``done`` of ``total`` frames of a stage are finished; ``total`` is None if it is unknown."""
        ...


def silent(stage: str, done: int, total: int | None) -> None:
    """A ``Progress`` that does nothing."""


class Timings:
    """Wall-clock seconds and frames of each stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.frames: defaultdict[str, int] = defaultdict(int)

    @contextmanager
    def stage(self, name: str, frames: int = 0) -> Iterator[None]:
        """Add the time of a block to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started
            self.frames[name] += frames

    def waiting(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, and add the time that each takes to a stage."""
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
        """A table with one line per stage: seconds, share, frames per second."""
        total = sum(self.seconds.values())
        lines = [f"{'stage':<8}{'seconds':>9}{'share':>8}{'frames/s':>10}"]
        for name, seconds in self.seconds.items():
            rate = f"{self.frames[name] / seconds:.0f}" if self.frames[name] and seconds > 0 else ""
            lines.append(f"{name:<8}{seconds:>9.2f}{seconds / total if total else 0:>8.0%}{rate:>10}")
        return "\n".join([*lines, f"{'total':<8}{total:>9.2f}"])
