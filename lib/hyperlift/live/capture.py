"""The thread that takes pictures and hands them on: the newest to whoever asks, or every one."""

import threading
import time
from contextlib import closing
from dataclasses import dataclass

from hyperlift.live.source import LiveSource
from hyperlift.video.facts import Frame

_PATIENCE_S = 3.0
"""A device that gives no picture for longer cannot be waited for."""


class Clock:
    """The server's clock: milliseconds since it was made; it never goes back.

    Example:
        >>> from hyperlift.live.capture import Clock
        >>> clock = Clock()
        >>> clock.now_ms() <= clock.now_ms()
        True
    """

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now_ms(self) -> float:
        """Milliseconds."""
        return 1e3 * (time.monotonic() - self._start)


@dataclass(frozen=True, eq=False)
class Captured:
    """A picture and when it came."""

    frame: Frame
    captured_ms: float
    """By the ``Clock``: when the camera's driver or the decoder had handed over the picture; for a file never before it
    is due."""
    dropped: int
    """Pictures so far that nobody had time for."""


class Capture:
    """Takes pictures in its own thread. One picture at most waits for ``take``.

    A camera's pictures do not wait: a picture that is not taken before the next one comes is dropped. A file is played
    at its own pace; with ``every_frame`` it waits instead of dropping.
    """

    def __init__(self, source: LiveSource, clock: Clock, every_frame: bool = False) -> None:
        """The thread starts with ``start``.

        Args:
            source: is not closed.
            clock: stamps the pictures.
            every_frame: drop nothing; of a file only.
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
        """Pictures so far that nobody had time for."""
        return self._dropped

    def start(self) -> None:
        """Begin to take pictures."""
        self._thread.start()

    def take(self) -> Captured | None:
        """Wait for a picture; None after the last one, or after ``stop``.

        Raises:
            InputError: the source broke down.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._ended)
            taken, self._waiting = self._waiting, None
            self._changed.notify_all()
            if taken is None and self._error is not None:
                raise self._error
            return taken

    def stop(self) -> bool:
        """End the thread; ``take`` then returns None. False if a device that hangs keeps it."""
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
        except BaseException as error:  # told to whoever takes
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
                        start_ms += late_ms  # a pipeline that is slower than the file sets the pace
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
