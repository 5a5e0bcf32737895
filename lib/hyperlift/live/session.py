"""``LiveSession``: source, people and server held together; starts and ends all threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType

import numpy as np

from hyperlift import __version__
from hyperlift.detection.detector import Detector
from hyperlift.errors import InputError
from hyperlift.live.capture import Capture, Clock
from hyperlift.live.events import KEPT_S, Hub, frame_text, picture_text
from hyperlift.live.frame_worker import LiveFrame, LivePeople, Seen
from hyperlift.live.options import LiveOptions
from hyperlift.live.placement import LivePlacing
from hyperlift.live.server import LiveServer
from hyperlift.live.source import LiveSource
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.options import LiftOptions
from hyperlift.placement.body_height import BodyHeight
from hyperlift.placement.lens import Intrinsics, choose_intrinsics
from hyperlift.rendering.page.curves import curves_of
from hyperlift.rendering.page.write_page import live_page
from hyperlift.skeletons.joint_sets import skeleton_named

_PICTURE_EVERY_S = 1 / 15
_POLL_S = 0.2
_REMEMBERED = 4000
"""Frames whose times are kept for the summary."""


class LiveSession:
    """From a source to pages; use it in a ``with`` block, which ends all threads.

    Example:
        >>> from hyperlift import Lifter, LiftOptions
        >>> from hyperlift.live.capture import Clock
        >>> from hyperlift.live.events import Hub
        >>> from hyperlift.live.options import LiveOptions
        >>> from hyperlift.live.server import LiveServer
        >>> from hyperlift.live.session import LiveSession
        >>> from hyperlift.live.source import open_source
        >>> clock, hub = Clock(), Hub()
        >>> server, source = LiveServer(0, hub, clock), open_source("examples/multiperson.mp4")
        >>> lifter, lift = Lifter("nano"), LiftOptions(detector="movenet-fast")
        >>> with LiveSession(source, server, hub, clock, lifter=lifter, lift=lift, live=LiveOptions()) as session:
        ...     session.start()  # the video starts when a page listens at ``server.url``
        ...     session.wait(patience_s=0.1)
        False
    """

    def __init__(
        self,
        source: LiveSource,
        server: LiveServer,
        hub: Hub,
        clock: Clock,
        *,
        lifter: Lifter,
        lift: LiftOptions,
        live: LiveOptions,
        detector: Detector | None = None,
    ) -> None:
        """Put the stages together; nothing runs before ``start``.

        Args:
            source: is closed in the end.
            server: of ``hub`` and ``clock``; is stopped in the end.
            hub: gets the frames.
            clock: stamps everything.
            lifter: lifts.
            lift: detector, least confidence, height and camera.
            live: look-ahead and pace.
            detector: in place of the one that ``lift`` names.

        Raises:
            InputError: the options do not fit the source.
        """
        if live.every_frame and not source.waits:
            raise InputError(f"`every_frame` is for video files, and {source.name} does not wait; leave it out")
        look_ahead = lifter.look_ahead(source.fps) if live.look_ahead is None else live.look_ahead
        live = replace(live, look_ahead=look_ahead)
        self._source, self._server, self._hub, self._clock, self._live = source, server, hub, clock, live
        self._skeleton = skeleton_named(lifter.spec.skeleton)
        self._curves = curves_of(self._skeleton)
        intrinsics = choose_intrinsics(
            source.width, source.height, fov_deg=lift.fov_deg, given=lift.intrinsics, metadata=source.metadata
        )
        height = BodyHeight() if lift.height_m is None else BodyHeight.given(lift.height_m)
        detector = detector or lifter.open_detector(lift, source.fps)
        self.people = LivePeople(
            detector,
            lifter.streams(
                source.width,
                source.height,
                source.fps,
                look_ahead,
                skeleton=detector.skeleton.name,
                min_confidence=lift.min_confidence,
            ),
            LivePlacing(lifter.spec, intrinsics, height, lift.camera_pitch_deg, lift.camera_roll_deg),
            clock,
            look_ahead,
            source.fps,
        )
        self._page = live_page(
            source.name, self._skeleton, source.fps, KEPT_S, _facts(source, lifter, detector, intrinsics, height, live)
        )
        self._capture = Capture(source, clock, live.every_frame)
        self._thread = threading.Thread(target=self._work, name="live-people", daemon=True)
        self._done, self._left = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._pictured_s = -np.inf
        self._frames = 0
        self._courses: list[tuple[float, ...]] = []

    def start(self) -> None:
        """Serve the page. A camera starts at once, a file when the first page listens."""
        self._server.start(self._page)
        self._thread.start()

    def wait(self, patience_s: float | None = None) -> bool:
        """Wait until no frame follows; the pages can be looked at further. Whether that is so.

        Raises:
            InputError: the source broke down, or a stage refused what came.
        """
        end = None if patience_s is None else time.monotonic() + patience_s
        # In short naps: on Windows Ctrl-C does not wake a thread that waits.
        while not self._done.wait(_POLL_S):
            if end is not None and time.monotonic() > end:
                return False
        if self._error is not None:
            raise self._error
        return True

    def summary(self) -> str:
        """Frames, rate and means of the way of a frame up to its sending, in a line."""
        if len(self._courses) < 2:
            return f"{self._frames} frames"
        courses = np.array(self._courses)
        # Means, not medians: parts of a sum must sum up.
        captured, begun, detected, complete, placed = np.mean(np.diff(courses, prepend=courses[:, :1]), axis=0)[:5]
        del captured
        # Against the pictures' own clock: the last frames of a video leave together.
        rate = 1e3 * len(courses) / max(courses[-1, 4] - courses[0, 0], 1e-9)
        total = float(np.mean(courses[:, 4] - courses[:, 0]))
        hint = " (`every_frame` leaves out none)" if self._source.waits and self._capture.dropped else ""
        return (
            f"{self._frames} frames, {rate:.1f} a second, {self._capture.dropped} dropped{hint}; on average "
            f"{total:.0f} ms from picture to sending: waits {begun:.0f}, detection {detected:.0f}, "
            f"look-ahead {complete:.0f}, lift {placed:.0f}"
        )

    def __enter__(self) -> "LiveSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End everything; no thread is left, unless a device hangs."""
        self._left.set()
        self._hub.somebody.set()
        with ExitStack() as stack:
            stack.callback(self._server.stop)
            if self._capture.stop():
                stack.callback(self._source.close)
            if self._thread.is_alive():
                self._thread.join()

    def _work(self) -> None:
        try:
            if self._source.waits:
                self._hub.somebody.wait()
            if not self._left.is_set():
                self._capture.start()
                self._follow()
            self._hub.end("The server was stopped." if self._left.is_set() else "The video is over.")
        except BaseException as error:  # told to whoever waits
            self._error = error
            self._hub.end("Nothing more comes; the terminal says why.")
        finally:
            self._done.set()

    def _follow(self) -> None:
        # The next picture is looked at while this one is lifted, and no further: nobody waits for two liftings.
        with ThreadPoolExecutor(1, "live-detect") as pool:
            try:
                coming = pool.submit(self._see_next)
                while (seen := coming.result()) is not None:
                    coming = pool.submit(self._see_next)
                    frame = self.people.lift(seen)
                    if frame is not None:
                        self._tell(frame)
            finally:
                self._capture.stop()  # a camera may keep the other thread waiting for its next picture
        if not self._left.is_set():
            for frame in self.people.flush():
                self._tell(frame)

    def _see_next(self) -> Seen | None:
        captured = self._capture.take()
        return None if captured is None else self.people.see(captured)

    def _tell(self, frame: LiveFrame) -> None:
        self._hub.frame(frame.time_s, frame_text(frame, self._curves, self._clock.now_ms()))
        self._frames += 1
        if len(self._courses) < _REMEMBERED:
            course = frame.course
            self._courses.append(
                (course.captured_ms, course.begun_ms, course.detected_ms, course.complete_ms, course.placed_ms)
            )
        wanted = self._live.picture and self._hub.listeners and frame.rgb is not None
        if wanted and frame.time_s - self._pictured_s >= _PICTURE_EVERY_S:
            self._pictured_s = frame.time_s
            self._hub.picture(picture_text(frame))


def _facts(
    source: LiveSource,
    lifter: Lifter,
    detector: Detector,
    intrinsics: Intrinsics,
    height: BodyHeight,
    live: LiveOptions,
) -> dict[str, object]:
    return {
        "Source": f"{source.name}, {source.width} × {source.height}, {source.fps:g} frames a second",
        "Places": "metres in the world, z up, the floor at 0 as far as it is known by now (provisional until somebody "
        "has stood for a moment); the camera above the origin",
        "Size": height.sentence,
        "Camera": intrinsics.source,
        "Look-ahead": f"{live.look_ahead} frames: those are waited for before somebody is shown",
        "Latency": "from the moment at which the picture was there (after the camera's own exposure and transfer) to "
        "the page's next turn after it drew it (before the display's own delay), by the server's clock, which the page "
        "asks for and knows to half the time of the quickest answer",
        "Detector": detector.name,
        "Lifter": " · ".join(text for text in (lifter.spec.name, lifter.spec.licence) if text),
        "Credit": lifter.spec.credit,
        "Made by": f"HyperLift {__version__}",
    }
