"""What a detector is, and running one over a video."""

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
    """One picture of a video, such as ``hyperlift.video`` yields."""

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
    """Finds people and their joints, picture by picture. Anything with these four members is one."""

    @property
    def name(self) -> str:
        """For messages and metadata."""
        ...

    @property
    def skeleton(self) -> Skeleton:
        """The joints it gives, in this order."""
        ...

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        """Everybody in one picture of a video.

        Args:
            frame_rgb: the picture, uint8 [height, width, 3], upright.
            index: its frame number; it grows from call to call, frames may be left out.

        Returns:
            Keypoints in pixels of the picture, x right, y down, with confidences 0..1; ``track_id`` where the
            detector knows who is who over time. Nobody is an empty list.
        """
        ...

    def reset(self) -> None:
        """Forget everybody: another video follows."""
        ...


@runtime_checkable
class ResumableDetector(Detector, Protocol):
    """A detector that can go on in the middle of a video, as if it had seen the frames before."""

    def state(self) -> Any:
        """What it remembers of the frames so far, as plain JSON values that later calls do not change.

        Asked for after every frame, so it must be cheap. None where nothing is remembered from picture to picture.
        """
        ...

    def restore(self, state: Any) -> None:
        """Be as when ``state`` was returned: what follows is equal to the last bit."""
        ...


@runtime_checkable
class TrackingDetector(Detector, Protocol):
    """A detector whose track ids are identities: they come from its ``tracker``. Those of others are evidence."""

    @property
    def tracker(self) -> Tracker:
        """What gives the ids."""
        ...


@runtime_checkable
class FrameLog(Protocol):
    """Keeps what is found while it is found, such as ``hyperlift.detection.journal`` does."""

    found: dict[int, list[Detection]]
    """What was found before this run."""

    def add(self, index: int, people: list[Detection]) -> None:
        """The next frame is finished."""
        ...


def detect_video(
    frames: Iterable[VideoFrame],
    detector: Detector,
    on_frame: Callable[[int, list[Detection]], None] = lambda index, people: None,
    source: str = "video",
    log: FrameLog | None = None,
) -> Detections:
    """Run a detector over a video, holding one picture at a time.

    Args:
        frames: pictures in order; each is let go before the next is asked for.
        detector: is reset first, unless a log says where it is.
        on_frame: called after each picture with its number and who is in it, for progress bars.
        source: name of the video in messages.
        log: told about every finished frame. Its detector stands after the frames that it has; ``frames`` go on from
            there.

    Returns:
        An entry for every frame that came, empty where nobody is, after those of the log.

    Raises:
        InputError: a frame is no RGB picture, or the detector fails in it or gives what are no keypoints.

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
        people = found[frame.index] = _looked(detector, frame, source)
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


def _looked(detector: Detector, frame: VideoFrame, source: str) -> list[Detection]:
    try:
        people = detector.detect(frame.rgb, frame.index)
    except Exception as error:  # somebody's detector, or ONNX Runtime's private classes
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
    # One precision, whatever the detector's: what was read back from a log is the same as what was never written.
    return [Detection(person.keypoints_px.astype(np.float64, copy=False), person.track_id) for person in people]
