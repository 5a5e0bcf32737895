"""From a picture that was just taken to everybody in 3D: detection, following, streaming lift, placing."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.detection.detector import Detector, TrackingDetector
from hyperlift.lifting.streams import StreamedPose, Streams
from hyperlift.live.capture import Captured, Clock
from hyperlift.live.placement import LivePlacing
from hyperlift.shapes import Float
from hyperlift.tracking.association import given_id_cost, motion_cost
from hyperlift.tracking.tracker import Tracker
from hyperlift.video.facts import Picture


@dataclass(frozen=True, eq=False)
class Course:
    """When a frame passed the stations of its way, in milliseconds of the ``Clock``, in this order."""

    captured_ms: float
    begun_ms: float
    """Somebody had time for it."""
    detected_ms: float
    """Its keypoints were known."""
    complete_ms: float
    """The keypoints of the last frame of its look-ahead were known."""
    placed_ms: float
    """Everybody in it was lifted and placed."""


@dataclass(frozen=True, eq=False)
class LivePerson:
    """One person in one frame."""

    id: int
    world_m: Float[np.ndarray, "joints 3"]
    """World metres, z up, the floor at 0."""
    pose: StreamedPose
    """As it came from the lifter."""


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """Everybody in one frame."""

    index: int
    """Number of the picture, those that were dropped counted."""
    time_s: float
    """Seconds since the first picture, by the camera's or the file's clock."""
    people: Sequence[LivePerson]
    course: Course
    dropped: int
    """Pictures so far that nobody had time for."""
    rgb: Picture | None
    """The picture itself."""
    floor_settled: bool
    """Whether gravity and floor rest on enough evidence by now."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Who is in a picture."""

    captured: Captured
    people: Mapping[int, Float[np.ndarray, "joints 3"]]
    """Keypoints by number, pixels and confidence."""
    begun_ms: float
    detected_ms: float


class LivePeople:
    """Takes pictures one by one and gives the people of the picture ``look-ahead`` earlier."""

    def __init__(
        self,
        detector: Detector,
        streams: Streams,
        placing: LivePlacing,
        clock: Clock,
        look_ahead: int,
        fps: float,
    ) -> None:
        """The stages, put together by the caller.

        Args:
            detector: is reset.
            streams: with this look-ahead, of the detector's skeleton.
            placing: for the same pictures.
            clock: stamps the stations.
            look_ahead: pictures that must have come after a picture before its people are given.
            fps: that the detector was opened for.
        """
        detector.reset()
        self._detector, self._streams, self._placing, self._clock = detector, streams, placing, clock
        self._look_ahead, self._fps = look_ahead, fps
        self._last_number = -1
        self._tracker = Tracker(given_id_cost if isinstance(detector, TrackingDetector) else motion_cost)
        self._waiting: deque[Seen] = deque()

    def see(self, captured: Captured) -> Seen:
        """Detect and follow in the next picture. One thread may see while another one lifts what was seen before.

        Raises:
            InputError: the picture, or what comes of it, does not fit.
        """
        begun_ms, frame = self._clock.now_ms(), captured.frame
        # Detectors take numbers for time; a camera may keep to another rate than it says, in the dark for one.
        self._last_number = max(self._last_number + 1, round(frame.time_s * self._fps))
        people = self._detector.detect(frame.rgb, self._last_number)
        keypoints_px = [person.keypoints_px for person in people]
        ids = self._tracker.update(frame.time_s, keypoints_px, [person.track_id for person in people])
        seen = {number: keypoints for number, keypoints in zip(ids, keypoints_px, strict=True) if number is not None}
        return Seen(captured, seen, begun_ms, self._clock.now_ms())

    def lift(self, seen: Seen) -> LiveFrame | None:
        """Take who was seen, picture after picture; None as long as nothing has waited for its look-ahead.

        Raises:
            InputError: what was seen does not fit.
        """
        self._waiting.append(seen)
        poses = self._streams.push(seen.people, seen.captured.frame.time_s)
        return self._frame(poses, seen.detected_ms) if len(self._waiting) > self._look_ahead else None

    def flush(self) -> list[LiveFrame]:
        """The people of the pictures that still wait; none will follow."""
        complete_ms = self._clock.now_ms()
        return [self._frame(poses, complete_ms) for poses in self._streams.flush()]

    def _frame(self, poses: Mapping[int, StreamedPose], complete_ms: float) -> LiveFrame:
        seen = self._waiting.popleft()
        frame = seen.captured.frame
        worlds = self._placing.place(frame.time_s, poses)
        return LiveFrame(
            index=frame.index,
            time_s=frame.time_s,
            people=[LivePerson(number, world_m, poses[number]) for number, world_m in worlds.items()],
            course=Course(
                captured_ms=seen.captured.captured_ms,
                begun_ms=seen.begun_ms,
                detected_ms=seen.detected_ms,
                complete_ms=complete_ms,
                placed_ms=self._clock.now_ms(),
            ),
            dropped=seen.captured.dropped,
            rgb=frame.rgb,
            floor_settled=self._placing.settled,
        )
