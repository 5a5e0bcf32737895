"""``LiveSession``: owns source, pipeline and server; starts and ends all threads."""

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
from hyperlift.live.frame_pipeline import DetectedFrame, FramePipeline, FrameTimestamps, LiveFrame
from hyperlift.live.options import LiveOptions
from hyperlift.live.placement import LivePlacement
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
"""Interval of pictures for the page. Chosen: fluent enough beside the 3D view, half the traffic of every frame."""
_POLL_S = 0.2
"""Interval at which ``wait`` handles Ctrl-C. Chosen: short for a user."""
_MAX_TIMESTAMPS = 4000
"""Frames whose timestamps are kept for the summary: 2 minutes at 30 frames a second. Chosen: bounds memory."""


class LiveSession:
    """Processes a source and serves its pages; use it in a ``with`` block, which ends all threads.

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
        """Connect the stages; nothing runs before ``start``.

        Args:
            source: is closed at the end.
            server: of ``hub`` and ``clock``; is stopped at the end.
            hub: receives the frames.
            clock: for timestamps.
            lifter: the network.
            lift: detector, minimum confidence, height and camera.
            live: look-ahead and playback.
            detector: replaces the one that ``lift`` names.

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
        self.people = FramePipeline(
            detector,
            lifter.streams(
                source.width,
                source.height,
                source.fps,
                look_ahead,
                skeleton=detector.skeleton.name,
                min_confidence=lift.min_confidence,
            ),
            LivePlacement(lifter.spec, intrinsics, height, lift.camera_pitch_deg, lift.camera_roll_deg),
            clock,
            look_ahead,
            source.fps,
        )
        self._page = live_page(
            source.name, self._skeleton, source.fps, KEPT_S, _facts(source, lifter, detector, intrinsics, height, live)
        )
        self._capture = Capture(source, clock, live.every_frame)
        self._thread = threading.Thread(target=self._work, name="live-people", daemon=True)
        self._done, self._stopped = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._picture_s = -np.inf
        self._frames = 0
        self._timestamps: list[FrameTimestamps] = []

    def start(self) -> None:
        """Serve the page. A camera starts immediately, a file when the first page listens."""
        self._server.start(self._page)
        self._thread.start()

    def wait(self, patience_s: float | None = None) -> bool:
        """Wait for the end of the source, after which the pages stay open; False after ``patience_s``.

        Raises:
            InputError: the source failed, or a stage rejected its input.
        """
        end = None if patience_s is None else time.monotonic() + patience_s
        # Polling: on Windows, Ctrl-C does not wake a waiting thread.
        while not self._done.wait(_POLL_S):
            if end is not None and time.monotonic() > end:
                return False
        if self._error is not None:
            raise self._error
        return True

    def summary(self) -> str:
        """One line with the number of frames, the frame rate and the mean latency of each stage."""
        if len(self._timestamps) < 2:
            return f"{self._frames} frame{'s' * (self._frames != 1)}"
        times_ms = np.array(self._timestamps)
        # Means, not medians, so that the stages sum to the total.
        waits, detection, look_ahead, lift = np.mean(np.diff(times_ms), axis=0)
        # From the first capture: the last frames of a video are sent together.
        rate = 1e3 * len(times_ms) / max(times_ms[-1, 4] - times_ms[0, 0], 1e-9)
        total = float(np.mean(times_ms[:, 4] - times_ms[:, 0]))
        hint = " (`every_frame` leaves out none)" if self._source.waits and self._capture.dropped else ""
        return (
            f"{self._frames} frames, {rate:.1f} a second, {self._capture.dropped} dropped{hint}; on average "
            f"{total:.0f} ms from picture to sending: waits {waits:.0f}, detection {detection:.0f}, "
            f"look-ahead {look_ahead:.0f}, lift {lift:.0f}"
        )

    def __enter__(self) -> "LiveSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End all threads, except one that is blocked by a device that hangs."""
        self._stopped.set()
        self._hub.first_listener.set()
        with ExitStack() as stack:
            stack.callback(self._server.stop)
            if self._capture.stop():
                stack.callback(self._source.close)
            if self._thread.is_alive():
                self._thread.join()

    def _work(self) -> None:
        try:
            if self._source.waits:
                self._hub.first_listener.wait()
            if not self._stopped.is_set():
                self._capture.start()
                self._process()
            self._hub.end("The server was stopped." if self._stopped.is_set() else "The video is over.")
        except BaseException as error:  # raised by ``wait``
            self._error = error
            self._hub.end("Nothing more comes; the terminal says why.")
        finally:
            self._done.set()

    def _process(self) -> None:
        # Detection in the next picture runs while this one is lifted. One frame ahead only, which bounds the latency.
        with ThreadPoolExecutor(1, "live-detect") as pool:
            try:
                coming = pool.submit(self._detect_next)
                while (detected := coming.result()) is not None:
                    coming = pool.submit(self._detect_next)
                    frame = self.people.lift(detected)
                    if frame is not None:
                        self._send(frame)
            finally:
                self._capture.stop()  # wakes the other thread, which may wait for a picture
        if not self._stopped.is_set():
            for frame in self.people.flush():
                self._send(frame)

    def _detect_next(self) -> DetectedFrame | None:
        captured = self._capture.take()
        return None if captured is None else self.people.detect(captured)

    def _send(self, frame: LiveFrame) -> None:
        self._hub.frame(frame.time_s, frame_text(frame, self._curves, self._clock.now_ms()))
        self._frames += 1
        if len(self._timestamps) < _MAX_TIMESTAMPS:
            self._timestamps.append(frame.timestamps)
        show = self._live.picture and self._hub.listeners and frame.rgb is not None
        if show and frame.time_s - self._picture_s >= _PICTURE_EVERY_S:
            self._picture_s = frame.time_s
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
        "Places": "metres in the world, z up, the floor at 0 (provisional until a foot has rested for a moment); the "
        "camera is above the origin",
        "Size": height.sentence,
        "Camera": intrinsics.source,
        "Look-ahead": f"{live.look_ahead} frame{'s' * (live.look_ahead != 1)} of delay before a person is shown",
        "Latency": "from the capture of a picture (after the camera's exposure and transfer) to the first callback of "
        "the page after it drew the frame (before the delay of the display), by the server's clock, which the page "
        "knows to half the round-trip time of its fastest request",
        "Detector": detector.name,
        "Lifter": " · ".join(text for text in (lifter.spec.name, lifter.spec.licence) if text),
        "Credit": lifter.spec.credit,
        "Made by": f"HyperLift {__version__}",
    }
