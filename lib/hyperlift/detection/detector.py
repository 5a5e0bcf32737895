"""What a detector is, and running one over a video."""

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

import numpy as np

from hyperlift.detection.pictures import check_picture
from hyperlift.skeletons import Skeleton
from hyperlift.wild.keypoints import Detection, Detections


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


def detect_video(
    frames: Iterable[VideoFrame],
    detector: Detector,
    on_frame: Callable[[int, list[Detection]], None] = lambda index, people: None,
    source: str = "video",
) -> Detections:
    """Run a detector over a video, holding one picture at a time.

    Args:
        frames: pictures in order; each is let go before the next is asked for.
        detector: is reset first.
        on_frame: called after each picture with its number and who is in it, for progress bars.
        source: name of the video in messages.

    Returns:
        An entry for every frame that came, empty where nobody is.

    Raises:
        InputError: a frame is no RGB picture.
    """
    detector.reset()
    found: dict[int, list[Detection]] = {}
    for frame in frames:
        check_picture(frame.rgb)
        found[frame.index] = detector.detect(frame.rgb, frame.index)
        on_frame(frame.index, found[frame.index])
    return Detections(source=source, tool=detector.name, skeleton=detector.skeleton, frames=found)
