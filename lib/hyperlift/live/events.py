"""Frames as short text, and everybody who listens: a page that opens late gets the last minute at once.

Messages are server-sent events (WHATWG HTML, section 9.2) whose data is JSON:

``frame``: ``index``, ``time_s``, ``dropped``, ``floor`` ("provisional" until somebody has stood for a moment, for
gravity and floor may be far off; then "settled"), ``course`` (milliseconds of the server's clock: captured, begun,
detected, complete, placed, sent) and ``people``, each ``id``, ``joints`` (x, y, z of every joint in turn, whole
steps of ``PLACE_STEP_M``, world axes, null where unknown), ``valid`` (bit j: joint j was seen) and ``curves`` (in
steps of the page's curves, null where unknown).
``past``: ``frames``, a list of such frames, oldest first: what was before this page listened.
``picture``: ``index`` and ``jpeg`` (base64) of a frame.
``end``: ``reason``; no frame follows.
"""

import base64
import io
import json
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, Full, Queue

import numpy as np
from PIL import Image

from hyperlift.live.frame_worker import LiveFrame
from hyperlift.rendering.page.curves import Curve, curve_values
from hyperlift.rendering.page.write_page import PLACE_STEP_M
from hyperlift.shapes import Shaped

KEPT_S = 60.0
"""So much of the past a page gets that opens late."""
_LONGEST_QUEUE = 256
"""A page that does not read loses its oldest messages beyond this."""
_PICTURE_SIDE_PX, _JPEG_QUALITY = 480, 70

Message = bytes
"""One event, ready to be sent."""
GOODBYE: Message = b""
"""The last message: whoever gets it leaves."""


def frame_text(frame: LiveFrame, curves: Sequence[Curve], sent_ms: float) -> str:
    """A frame as JSON.

    Args:
        frame: in world metres.
        curves: those of the page.
        sent_ms: now, by the server's clock.
    """
    steps = np.array([curve.step for curve in curves])
    people = []
    for person in frame.people:
        values = curve_values(person.world_m[None], curves)[0] / steps if curves else np.empty(0)
        valid = sum(1 << joint for joint, seen in enumerate(person.pose.valid) if seen)
        joints = _whole(person.world_m.ravel() / PLACE_STEP_M)
        people.append({"id": person.id, "joints": joints, "valid": valid, "curves": _whole(values)})
    course = frame.course
    stations = (
        course.captured_ms,
        course.begun_ms,
        course.detected_ms,
        course.complete_ms,
        course.placed_ms,
        sent_ms,
    )
    content = {
        "index": frame.index,
        "time_s": round(frame.time_s, 4),
        "dropped": frame.dropped,
        "floor": "settled" if frame.floor_settled else "provisional",
        "course": [round(station, 2) for station in stations],
        "people": people,
    }
    return json.dumps(content, separators=(",", ":"))


def picture_text(frame: LiveFrame) -> str:
    """A small JPEG of the frame's picture as JSON; the frame must have one."""
    assert frame.rgb is not None
    # Most pixels go before the careful scaling, which would be the dearest part.
    stride = max(1, max(frame.rgb.shape[:2]) // (2 * _PICTURE_SIDE_PX))
    picture = Image.fromarray(np.ascontiguousarray(frame.rgb[::stride, ::stride]))
    picture.thumbnail((_PICTURE_SIDE_PX, _PICTURE_SIDE_PX), Image.Resampling.BILINEAR)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=_JPEG_QUALITY)
    return json.dumps({"index": frame.index, "jpeg": base64.b64encode(stream.getvalue()).decode()})


class Listener:
    """One page that listens."""

    def __init__(self) -> None:
        self._messages: Queue[Message] = Queue(_LONGEST_QUEUE)

    def put(self, message: Message) -> None:
        """Hand a message over; if the page does not keep up its oldest one goes."""
        while True:
            try:
                self._messages.put_nowait(message)
                return
            except Full:
                self._drop_oldest()

    def get(self, patience_s: float) -> Message | None:
        """The next message; None if none comes in time."""
        try:
            return self._messages.get(timeout=patience_s)
        except Empty:
            return None

    def _drop_oldest(self) -> None:
        with suppress(Empty):
            self._messages.get_nowait()


class Hub:
    """Everybody who listens, and what they missed.

    Example:
        >>> from hyperlift.live.events import Hub
        >>> hub = Hub()
        >>> listener = hub.listen()
        >>> listener.get(patience_s=1.0).startswith(b"event: past")  # what was before comes first
        True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._past: deque[tuple[float, str]] = deque()
        self._end: Message | None = None
        self.somebody = threading.Event()
        """Set once somebody has listened."""

    @property
    def listeners(self) -> int:
        """Pages that listen now."""
        return len(self._listeners)

    def listen(self) -> Listener:
        """Join; the past comes first. Call ``leave`` in the end."""
        listener = Listener()
        with self._lock:
            frames = ",".join(text for _, text in self._past)
            listener.put(_message("past", f'{{"frames":[{frames}]}}'))
            if self._end is not None:
                listener.put(self._end)
            self._listeners.append(listener)
        self.somebody.set()
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no longer."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def frame(self, time_s: float, text: str) -> None:
        """Tell everybody a frame, and keep it for those who come later."""
        with self._lock:
            self._past.append((time_s, text))
            while self._past[0][0] < time_s - KEPT_S:
                self._past.popleft()
            self._tell(_message("frame", text))

    def picture(self, text: str) -> None:
        """Tell everybody a picture."""
        with self._lock:
            self._tell(_message("picture", text))

    def end(self, reason: str) -> None:
        """Tell everybody, and all who come later, that no frame follows."""
        with self._lock:
            self._end = _message("end", json.dumps({"reason": reason}))
            self._tell(self._end)

    def close(self) -> None:
        """Send everybody away."""
        with self._lock:
            for listener in self._listeners:
                listener.put(GOODBYE)

    def _tell(self, message: Message) -> None:
        for listener in self._listeners:
            listener.put(message)


def _message(event: str, data: str) -> Message:
    return f"event: {event}\ndata: {data}\n\n".encode()


def _whole(values: Shaped[np.ndarray, " n"]) -> list[int | None]:
    return [round(float(value)) if np.isfinite(value) else None for value in values]
