"""Protocols of detectors, and detection in a video."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hyperlift.detection.crops import check_picture
from hyperlift.errors import InputError, one_line
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.tracker import Tracker


@runtime_checkable
class VideoFrame(Protocol):
    """One picture of a video, such as those of ``hyperlift.video``."""

    @property
    def index(self) -> int:
        """Frame number, from 0."""
        ...

    @property
    def rgb(self) -> np.ndarray:
        """uint8 [height, width, 3], upright."""
        ...


@runtime_checkable
class Detector(Protocol):
    """Finds people and their joints in each picture; any object with these four members."""

    @property
    def name(self) -> str:
        """For messages and metadata."""
        ...

    @property
    def skeleton(self) -> Skeleton:
        """Joints of the keypoints, in this order."""
        ...

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        """Detect all people in one picture of a video.

        Args:
            frame_rgb: the picture, uint8 [height, width, 3], upright.
            index: frame number; it increases from call to call, and frames may be skipped.

        Returns:
            Keypoints in pixels, x right, y down, with confidence 0..1; with ``track_id`` if the detector tracks people.
            Empty without people.
        """
        ...

    def reset(self) -> None:
        """Reset the state before another video."""
        ...


@runtime_checkable
class ResumableDetector(Detector, Protocol):
    """A detector whose state can be saved and restored, to resume in the middle of a video."""

    def state(self) -> Any:
        """The state after the frames so far, as plain JSON values that later calls do not change.

        It is read after every frame, so it must be cheap. None for a detector without state.
        """
        ...

    def restore(self, state: Any) -> None:
        """Restore a state of ``state``: later detections are bit-identical to an uninterrupted run."""
        ...


@runtime_checkable
class TrackingDetector(Detector, Protocol):
    """A detector whose track ids come from our ``Tracker`` and are final. Ids of other detectors are only hints."""

    @property
    def tracker(self) -> Tracker:
        """The source of the ids."""
        ...


@runtime_checkable
class FrameLog(Protocol):
    """Log of detections by frame, such as ``hyperlift.detection.journal``."""

    found: dict[int, list[Detection]]
    """Detections of earlier runs."""

    def add(self, index: int, people: list[Detection]) -> None:
        """Add the detections of the next frame."""
        ...


def detect_video(
    frames: Iterable[VideoFrame],
    detector: Detector,
    on_frame: Callable[[int, list[Detection]], None] = lambda index, people: None,
    source: str = "video",
    log: FrameLog | None = None,
) -> Detections:
    """Run a detector over a video; one picture is in memory at a time.

    Args:
        frames: pictures in order.
        detector: is reset first, unless a log is given.
        on_frame: called after each picture with its frame number and detections.
        source: name of the video for messages.
        log: receives the detections of every frame. If it has frames of an earlier run, ``detector`` must have the
            state after them, and ``frames`` must continue there.

    Returns:
        Detections of the frames of the log and of all ``frames``, with an empty entry for a frame without people.

    Raises:
        InputError: a frame is no RGB picture, the detector raises an error, or its keypoints have the wrong shape.

    Example:
        >>> from itertools import islice
        >>> from hyperlift.detection.detector import detect_video
        >>> from hyperlift.detection.registry import make_detector
        >>> from hyperlift.video.reading import read_frames
        >>> frames = islice(read_frames("examples/multiperson.mp4"), 3)
        >>> list(detect_video(frames, make_detector("movenet-fast")).frames)
        [0, 1, 2]
    """
    if log is None:
        detector.reset()
    found = {} if log is None else dict(log.found)
    for frame in frames:
        check_picture(frame.rgb)
        people = found[frame.index] = _detect_checked(detector, frame, source)
        if log is not None:
            log.add(frame.index, people)
        on_frame(frame.index, people)
    return Detections(
        source=source,
        tool=detector.name,
        skeleton=detector.skeleton,
        frames=found,
        tracked=isinstance(detector, TrackingDetector),
    )


def _detect_checked(detector: Detector, frame: VideoFrame, source: str) -> list[Detection]:
    try:
        people = detector.detect(frame.rgb, frame.index)
    except Exception as error:  # a detector of the user, or private classes of ONNX Runtime
        reason = one_line(str(error)) or type(error).__name__
        raise InputError(f"{source}: the detector {detector.name} fails in frame {frame.index}: {reason}") from error
    expected = (len(detector.skeleton), 3)
    for person in people:
        if person.keypoints_px.shape != expected:
            raise InputError(
                f"{source}: the detector {detector.name} gives keypoints of the shape "
                f"{list(person.keypoints_px.shape)} in frame {frame.index}; its skeleton {detector.skeleton.name} has "
                f"{list(expected)}"
            )
    # float64 for every detector, so that detections read from a log equal new ones.
    return [Detection(person.keypoints_px.astype(np.float64, copy=False), person.track_id) for person in people]
