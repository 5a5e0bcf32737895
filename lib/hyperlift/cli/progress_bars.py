"""A bar a stage on the terminal; nothing where the output is no terminal."""

from types import TracebackType

from tqdm import tqdm


class ProgressBars:
    """A ``Progress`` that draws; use it in a ``with`` block, so that the last bar ends its line."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm | None = None

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Move the bar of a stage; a new stage ends the bar before."""
        if stage != self._stage or self._bar is None:
            self.close()
            self._stage, self._bar = stage, tqdm(total=total, unit="frame", desc=stage, disable=None)
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
