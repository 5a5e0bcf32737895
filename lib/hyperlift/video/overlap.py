"""Work on the next items while the present one is being used."""

import threading
from collections.abc import Generator, Iterable
from queue import Full, Queue
from typing import TypeVar

_POLL_S = 0.1


T = TypeVar("T")


def ahead(items: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """Yield the same items, computed in a thread that is at most ``depth`` items ahead.

    An exception of the items is raised where it would have been raised without the thread. When the consumer leaves
    early the thread ends, and the items are closed.
    """
    results: Queue[tuple[str, T | BaseException | None]] = Queue(depth)
    left = threading.Event()

    def hand_over(kind: str, value: T | BaseException | None) -> bool:
        while not left.is_set():
            try:
                results.put((kind, value), timeout=_POLL_S)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        source = iter(items)
        try:
            for item in source:
                if not hand_over("item", item):
                    return
            hand_over("end", None)
        except BaseException as error:
            hand_over("error", error)
        finally:
            if hasattr(source, "close"):
                source.close()

    worker = threading.Thread(target=work, name="ahead", daemon=True)
    worker.start()
    try:
        while True:
            kind, value = results.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        left.set()
        worker.join()
