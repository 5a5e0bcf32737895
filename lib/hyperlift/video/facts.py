"""Types of videos and frames; does not import PyAV."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hyperlift.shapes import Float, Shaped
from hyperlift.video.orientation import UPRIGHT, Orientation

Picture = Shaped[np.ndarray, "_ _ _"]
"""Height x width x RGB, uint8."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoFacts:
    """Properties of a video file as displayed: upright, with square pixels and the first frame at time 0."""

    width: int
    """In pixels, upright."""
    height: int
    """In pixels, upright."""
    fps: float
    """Frame rate: the declared one if the time stamps agree with it, otherwise the mean."""
    times_s: Float[np.ndarray, " frames"]
    """Seconds of every frame since frame 0, strictly increasing, from the time stamps of the file."""
    duration_s: float
    """From the first frame to the end of the last."""
    orientation: Orientation = UPRIGHT
    """Rotation from stored to upright pictures."""
    codec: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Metadata of container and stream, for some phones with the lens."""
    start_s: float | None = 0.0
    """Time stamp of frame 0 in the file; None if the file has no time stamps."""

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.times_s)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, upright."""
        return self.width, self.height

    @property
    def rotation_deg(self) -> int:
        """Clockwise rotation from stored to upright pictures: 0, 90, 180 or 270."""
        return self.orientation.rotation_deg

    @property
    def variable_rate(self) -> bool:
        """Whether the duration of a frame differs from the mean by more than a quarter."""
        gaps_s = np.diff(self.times_s)
        return bool(len(gaps_s) and np.abs(gaps_s * self.fps - 1).max() > 0.25)


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video."""

    index: int
    """Number of the frame in the file, from 0; frames that cannot be decoded count."""
    time_s: float
    """Seconds since frame 0."""
    rgb: Picture
    """uint8 [H,W,3], upright, as stored without tone mapping of HDR; [H,W,4] for ``pixels="rgba"``."""
