"""Progress bars on a terminal, one for each stage; lines at intervals elsewhere."""

import sys
import time
from types import TracebackType

from tqdm import tqdm

LINE_EVERY_S = 10.0
"""Interval of progress lines without a terminal. Chosen: short logs."""


class ProgressBars:
    """A ``Progress`` with bars; use it in a ``with`` block, which ends the line of the last bar."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm | None = None
        self._terminal = sys.stderr.isatty()
        self._printed_s = time.monotonic()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Move the bar of a stage; a new stage ends the bar before."""
        if not self._terminal:
            if time.monotonic() - self._printed_s >= LINE_EVERY_S:
                self._printed_s = time.monotonic()
                print(f"{stage}: {done} of {total or 'unknown'} frames", file=sys.stderr, flush=True)
            return
        if stage != self._stage or self._bar is None:
            self.close()
            self._stage, self._bar = stage, tqdm(total=total, unit="frame", desc=stage)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """End the line of the current bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> "ProgressBars":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
