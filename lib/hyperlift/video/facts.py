"""What a video and its frames are, for those who do not open one: PyAV is not imported here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hyperlift.shapes import Float, Shaped
from hyperlift.video.orientation import UPRIGHT, Orientation

Picture = Shaped[np.ndarray, "_ _ _"]
"""Height x width x RGB, uint8."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoFacts:
    """What a video file holds, as it is shown: turned upright, pixels made square, the first frame at time 0."""

    width: int
    """In pixels, upright."""
    height: int
    """In pixels, upright."""
    fps: float
    """Frames a second: the declared rate where the frames keep to it, otherwise their number over their time."""
    times_s: Float[np.ndarray, " frames"]
    """Seconds of every frame since frame 0, strictly increasing; as uneven as the file's own time stamps."""
    duration_s: float
    """From the first frame to the end of the last."""
    orientation: Orientation = UPRIGHT
    """How stored pictures are turned to stand upright."""
    codec: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The container's and the stream's own notes, among them the lens of some phones."""
    start_s: float | None = 0.0
    """The file's own time stamp of frame 0; None where it has no time stamps and frames are counted instead."""

    @property
    def frames(self) -> int:
        """How many frames the file holds."""
        return len(self.times_s)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, upright."""
        return self.width, self.height

    @property
    def rotation_deg(self) -> int:
        """By how much stored pictures are turned clockwise to stand upright: 0, 90, 180 or 270."""
        return self.orientation.rotation_deg

    @property
    def variable_rate(self) -> bool:
        """Whether some frame lasts noticeably longer or shorter than the usual one."""
        gaps_s = np.diff(self.times_s)
        return bool(len(gaps_s) and np.abs(gaps_s * self.fps - 1).max() > 0.25)


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video."""

    index: int
    """Number of the frame in the file, from 0; numbers of frames that cannot be decoded are left out."""
    time_s: float
    """Seconds since frame 0."""
    rgb: Picture
    """uint8 [H,W,3], upright, sRGB as stored (no tone mapping of HDR); with a fourth byte if that was asked for."""
