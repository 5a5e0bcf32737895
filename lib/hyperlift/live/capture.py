"""The capture thread: hands out the newest picture of a source, or every picture."""

import threading
import time
from contextlib import closing
from dataclasses import dataclass

from hyperlift.live.source import LiveSource
from hyperlift.video.facts import Frame

_PATIENCE_S = 3.0
"""Time to wait for the thread to end. Chosen: a device that blocks for longer hangs."""


class Clock:
    """The clock of the server: monotonic milliseconds since it was created.

    Example:
        >>> from hyperlift.live.capture import Clock
        >>> clock = Clock()
        >>> clock.now_ms() <= clock.now_ms()
        True
    """

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now_ms(self) -> float:
        """Milliseconds since the clock was created."""
        return 1e3 * (time.monotonic() - self._start)


@dataclass(frozen=True, eq=False)
class Captured:
    """A picture with its capture time."""

    frame: Frame
    captured_ms: float
    """Time of the ``Clock`` at which the driver of the camera or the decoder returned the picture; for a file not
    before the picture is due."""
    dropped: int
    """Number of pictures dropped so far."""


class Capture:
    """Captures pictures in its own thread. At most one picture waits for ``take``.

    A waiting picture is dropped when the next one arrives. A file is played in real time; with ``every_frame`` its
    playback waits instead of dropping pictures.
    """

    def __init__(self, source: LiveSource, clock: Clock, every_frame: bool = False) -> None:
        """Prepare the thread; ``start`` starts it.

        Args:
            source: is not closed.
            clock: for capture times.
            every_frame: drop no pictures; has no effect on cameras.
        """
        self._source, self._clock, self._every = source, clock, every_frame and source.waits
        self._changed = threading.Condition()
        self._waiting: Captured | None = None
        self._dropped = 0
        self._ended = False
        self._error: BaseException | None = None
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._work, name="live-capture", daemon=True)

    @property
    def dropped(self) -> int:
        """Number of pictures dropped so far."""
        return self._dropped

    def start(self) -> None:
        """Start to capture."""
        self._thread.start()

    def take(self) -> Captured | None:
        """Wait for a picture; None after the last one, or after ``stop``.

        Raises:
            InputError: the source failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._ended)
            taken, self._waiting = self._waiting, None
            self._changed.notify_all()
            if taken is None and self._error is not None:
                raise self._error
            return taken

    def stop(self) -> bool:
        """End the thread; ``take`` then returns None. Returns False if the thread is blocked by a device that hangs."""
        self._left.set()
        with self._changed:
            self._ended = True
            self._waiting = None
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._hand_on()
        except BaseException as error:  # raised by ``take``
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _hand_on(self) -> None:
        start_ms: float | None = None
        with closing(self._source.frames()) as frames:
            for frame in frames:
                if self._source.waits:
                    start_ms = self._clock.now_ms() - 1e3 * frame.time_s if start_ms is None else start_ms
                    late_ms = self._clock.now_ms() - (start_ms + 1e3 * frame.time_s)
                    if self._left.wait(max(0.0, -late_ms / 1e3)):
                        return
                    if self._every and late_ms > 0:
                        start_ms += late_ms  # playback slows down to the speed of the pipeline
                if self._left.is_set():
                    return
                self._offer(frame)

    def _offer(self, frame: Frame) -> None:
        with self._changed:
            if self._every:
                self._changed.wait_for(lambda: self._waiting is None or self._ended)
            if self._ended:
                return
            self._dropped += self._waiting is not None
            self._waiting = Captured(frame, self._clock.now_ms(), self._dropped)
            self._changed.notify_all()
