"""Live pipeline of a frame: detection, tracking, streaming lift, placement."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hyperlift.detection.detector import Detector, TrackingDetector
from hyperlift.lifting.streams import StreamedPose, Streams
from hyperlift.live.capture import Captured, Clock
from hyperlift.live.placement import LivePlacement
from hyperlift.shapes import Float
from hyperlift.tracking.association import given_id_cost, motion_cost
from hyperlift.tracking.tracker import Tracker
from hyperlift.video.facts import Picture


class FrameTimestamps(NamedTuple):
    """Times at which the stages of a frame ended, in milliseconds of the ``Clock``, ascending."""

    captured_ms: float
    taken_ms: float
    """Start of detection."""
    detected_ms: float
    """End of detection and tracking."""
    complete_ms: float
    """End of detection in the last frame of the look-ahead."""
    placed_ms: float
    """End of lifting and placement."""


@dataclass(frozen=True, eq=False)
class LivePerson:
    """One person in one frame."""

    id: int
    world_m: Float[np.ndarray, "joints 3"]
    """World metres, z up, the floor at 0."""
    pose: StreamedPose
    """Output of the lifter."""


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """All people in one frame."""

    index: int
    """Number of the picture; dropped pictures count."""
    time_s: float
    """Seconds since the first picture, by the clock of the camera or file."""
    people: Sequence[LivePerson]
    timestamps: FrameTimestamps
    dropped: int
    """Number of pictures dropped so far."""
    rgb: Picture | None
    floor_settled: bool
    """Whether the estimates of gravity and floor have converged (``LivePlacement.settled``)."""


@dataclass(frozen=True, eq=False)
class DetectedFrame:
    """Tracked keypoints of a picture."""

    captured: Captured
    people: Mapping[int, Float[np.ndarray, "joints 3"]]
    """Keypoints by person id: pixels and confidence."""
    taken_ms: float
    detected_ms: float


class FramePipeline:
    """Processes pictures one by one and returns the people of the picture ``look_ahead`` frames earlier."""

    def __init__(
        self,
        detector: Detector,
        streams: Streams,
        placement: LivePlacement,
        clock: Clock,
        look_ahead: int,
        fps: float,
    ) -> None:
        """Connect the stages.

        Args:
            detector: is reset.
            streams: with this look-ahead and the skeleton of the detector.
            placement: for pictures of the same camera.
            clock: for timestamps.
            look_ahead: latency of the people in pictures.
            fps: frame rate that the detector was opened for.
        """
        detector.reset()
        self._detector, self._streams, self._placement, self._clock = detector, streams, placement, clock
        self._look_ahead, self._fps = look_ahead, fps
        self._last_number = -1
        self._tracker = Tracker(given_id_cost if isinstance(detector, TrackingDetector) else motion_cost)
        self._waiting: deque[DetectedFrame] = deque()

    def detect(self, captured: Captured) -> DetectedFrame:
        """Detect and track people in the next picture. One thread may call it while another one calls ``lift``.

        Raises:
            InputError: the picture or the output of the detector has the wrong shape.
        """
        taken_ms, frame = self._clock.now_ms(), captured.frame
        # Detectors use frame numbers as time. A camera can deviate from its nominal rate, for example in the dark.
        self._last_number = max(self._last_number + 1, round(frame.time_s * self._fps))
        people = self._detector.detect(frame.rgb, self._last_number)
        keypoints_px = [person.keypoints_px for person in people]
        ids = self._tracker.update(frame.time_s, keypoints_px, [person.track_id for person in people])
        seen = {number: keypoints for number, keypoints in zip(ids, keypoints_px, strict=True) if number is not None}
        return DetectedFrame(captured, seen, taken_ms, self._clock.now_ms())

    def lift(self, detected: DetectedFrame) -> LiveFrame | None:
        """Lift and place the people of the frame ``look_ahead`` frames ago; None if there is no such frame yet.

        Raises:
            InputError: keypoints have the wrong shape, or time stamps do not ascend.
        """
        self._waiting.append(detected)
        poses = self._streams.push(detected.people, detected.captured.frame.time_s)
        return self._frame(poses, detected.detected_ms) if len(self._waiting) > self._look_ahead else None

    def flush(self) -> list[LiveFrame]:
        """Lift and place the people of the last ``look_ahead`` frames, at the end of the source."""
        complete_ms = self._clock.now_ms()
        return [self._frame(poses, complete_ms) for poses in self._streams.flush()]

    def _frame(self, poses: Mapping[int, StreamedPose], complete_ms: float) -> LiveFrame:
        detected = self._waiting.popleft()
        frame = detected.captured.frame
        worlds = self._placement.place(frame.time_s, poses)
        return LiveFrame(
            index=frame.index,
            time_s=frame.time_s,
            people=[LivePerson(number, world_m, poses[number]) for number, world_m in worlds.items()],
            timestamps=FrameTimestamps(
                captured_ms=detected.captured.captured_ms,
                taken_ms=detected.taken_ms,
                detected_ms=detected.detected_ms,
                complete_ms=complete_ms,
                placed_ms=self._clock.now_ms(),
            ),
            dropped=detected.captured.dropped,
            rgb=frame.rgb,
            floor_settled=self._placement.settled,
        )
