"""Prefetching: a thread computes the next items while the current one is used."""

import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from queue import Full, Queue
from typing import Generic, TypeVar

_POLL_S = 0.1
"""Interval at which the thread checks whether the consumer has left. Chosen: short for a user who stops a run."""


T = TypeVar("T")


@dataclass(frozen=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


def ahead(items: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """Yield the same items, computed in a thread that is at most ``depth`` items ahead.

    Exceptions of the items are raised at the same item as without the thread. If the consumer stops early, the thread
    ends and the items are closed.
    """
    results: Queue[_Item[T] | _End] = Queue(depth)
    left = threading.Event()

    def hand_over(result: _Item[T] | _End) -> bool:
        while not left.is_set():
            try:
                results.put(result, timeout=_POLL_S)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        source = iter(items)
        try:
            for item in source:
                if not hand_over(_Item(item)):
                    return
            hand_over(_End())
        except BaseException as error:
            hand_over(_End(error))
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()

    worker = threading.Thread(target=work, name="ahead", daemon=True)
    worker.start()
    try:
        while isinstance(result := results.get(), _Item):
            yield result.value
        if result.error is not None:
            raise result.error
    finally:
        left.set()
        worker.join()
