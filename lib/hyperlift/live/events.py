"""Events of a live session: frames as JSON, and the hub that sends them to all open pages.

Messages are server-sent events (WHATWG HTML, section 9.2) with JSON data:

``frame``: ``index``, ``time_s``, ``dropped``, ``floor`` ("provisional" until a foot has rested, because gravity and
floor can be far off; then "settled"), ``course`` (``FrameTimestamps`` and the time of sending, milliseconds of the
server's clock) and ``people``, each with ``id``, ``joints`` (x, y, z of each joint in turn, in steps of
``PLACE_STEP_M``, world axes, null where unknown), ``valid`` (bit j: joint j was detected) and ``curves`` (in steps of
the curves of the page, null where unknown).
``past``: ``frames``, a list of such frames, oldest first, from before the page was opened.
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

from hyperlift.live.frame_pipeline import LiveFrame
from hyperlift.rendering.page.curves import Curve, curve_values
from hyperlift.rendering.page.write_page import PLACE_STEP_M
from hyperlift.shapes import Shaped

KEPT_S = 60.0
"""Length of the past that a new page receives. Chosen: the length of the page's curves."""
_LONGEST_QUEUE = 256
"""Messages that wait for a page; beyond them, the oldest are dropped. Chosen: several seconds of frames and
pictures."""
_PICTURE_SIDE_PX, _JPEG_QUALITY = 480, 70
"""Long side and quality of the pictures. Chosen: sharp enough for the panel of the page."""

Message = bytes
"""One encoded event."""
GOODBYE: Message = b""
"""The last message, after which a connection is closed."""


def frame_text(frame: LiveFrame, curves: Sequence[Curve], sent_ms: float) -> str:
    """Encode a frame as JSON; ``sent_ms`` is the current time of the server's clock."""
    steps = np.array([curve.step for curve in curves])
    people = []
    for person in frame.people:
        values = curve_values(person.world_m[None], curves)[0] / steps if curves else np.empty(0)
        valid = sum(1 << joint for joint, seen in enumerate(person.pose.valid) if seen)
        joints = _whole(person.world_m.ravel() / PLACE_STEP_M)
        people.append({"id": person.id, "joints": joints, "valid": valid, "curves": _whole(values)})
    content = {
        "index": frame.index,
        "time_s": round(frame.time_s, 4),
        "dropped": frame.dropped,
        "floor": "settled" if frame.floor_settled else "provisional",
        "course": [round(time_ms, 2) for time_ms in (*frame.timestamps, sent_ms)],
        "people": people,
    }
    return json.dumps(content, separators=(",", ":"))


def picture_text(frame: LiveFrame) -> str:
    """Encode a small JPEG of the frame's picture, which must exist, as JSON."""
    assert frame.rgb is not None
    # Subsampling first: bilinear scaling of the full picture would dominate the cost.
    stride = max(1, max(frame.rgb.shape[:2]) // (2 * _PICTURE_SIDE_PX))
    picture = Image.fromarray(np.ascontiguousarray(frame.rgb[::stride, ::stride]))
    picture.thumbnail((_PICTURE_SIDE_PX, _PICTURE_SIDE_PX), Image.Resampling.BILINEAR)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=_JPEG_QUALITY)
    return json.dumps({"index": frame.index, "jpeg": base64.b64encode(stream.getvalue()).decode()})


class Listener:
    """Message queue of one page."""

    def __init__(self) -> None:
        self._messages: Queue[Message] = Queue(_LONGEST_QUEUE)

    def put(self, message: Message) -> None:
        """Add a message; if the queue is full, its oldest message is dropped."""
        while True:
            try:
                self._messages.put_nowait(message)
                return
            except Full:
                self._drop_oldest()

    def get(self, patience_s: float) -> Message | None:
        """The next message; None after ``patience_s`` without one."""
        try:
            return self._messages.get(timeout=patience_s)
        except Empty:
            return None

    def _drop_oldest(self) -> None:
        with suppress(Empty):
            self._messages.get_nowait()


class Hub:
    """Sends events to all listeners, and the past to new ones.

    Example:
        >>> from hyperlift.live.events import Hub
        >>> hub = Hub()
        >>> listener = hub.listen()
        >>> listener.get(patience_s=1.0).startswith(b"event: past")  # the past comes first
        True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._past: deque[tuple[float, str]] = deque()
        self._end: Message | None = None
        self.first_listener = threading.Event()
        """Set when the first page listens."""

    @property
    def listeners(self) -> int:
        """Number of pages that listen."""
        return len(self._listeners)

    def listen(self) -> Listener:
        """Add a listener, whose first message is the past. Call ``leave`` at the end."""
        listener = Listener()
        with self._lock:
            frames = ",".join(text for _, text in self._past)
            listener.put(_message("past", f'{{"frames":[{frames}]}}'))
            if self._end is not None:
                listener.put(self._end)
            self._listeners.append(listener)
        self.first_listener.set()
        return listener

    def leave(self, listener: Listener) -> None:
        """Remove a listener."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def frame(self, time_s: float, text: str) -> None:
        """Send a frame to all listeners, and keep it for later ones."""
        with self._lock:
            self._past.append((time_s, text))
            while self._past[0][0] < time_s - KEPT_S:
                self._past.popleft()
            self._send(_message("frame", text))

    def picture(self, text: str) -> None:
        """Send a picture to all listeners."""
        with self._lock:
            self._send(_message("picture", text))

    def end(self, reason: str) -> None:
        """Send the end of the session to all listeners, also to later ones."""
        with self._lock:
            self._end = _message("end", json.dumps({"reason": reason}))
            self._send(self._end)

    def close(self) -> None:
        """Send ``GOODBYE`` to all listeners."""
        with self._lock:
            for listener in self._listeners:
                listener.put(GOODBYE)

    def _send(self, message: Message) -> None:
        for listener in self._listeners:
            listener.put(message)


def _message(event: str, data: str) -> Message:
    return f"event: {event}\ndata: {data}\n\n".encode()


def _whole(values: Shaped[np.ndarray, " n"]) -> list[int | None]:
    return [round(float(value)) if np.isfinite(value) else None for value in values]
