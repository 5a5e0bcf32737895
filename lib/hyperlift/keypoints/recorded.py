"""``Recorded``: the inputs of a recording before tracking."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.keypoints.detections import Detections
from hyperlift.shapes import Float
from hyperlift.video.facts import VideoFacts


@dataclass(frozen=True, eq=False)
class Recorded:
    """Picture size and time stamps of a recording, its video and its keypoints."""

    path: Path
    """The first path that the user gave."""
    video: Path | None
    """None for a recording of keypoints only."""
    facts: VideoFacts | None
    """Properties of the video."""
    detections: Detections | None
    """Content of a keypoint file; None if people must be detected in the video."""
    width: int
    """In pixels, after rotation to upright."""
    height: int
    """In pixels, after rotation to upright."""
    fps: float
    times_s: Float[np.ndarray, " frames"]
    """Time of every frame in seconds; frame 0 is at 0."""

    @classmethod
    def of_video(cls, video: Path, facts: VideoFacts) -> "Recorded":
        """A video without a keypoint file."""
        return cls(
            path=video,
            video=video,
            facts=facts,
            detections=None,
            width=facts.width,
            height=facts.height,
            fps=facts.fps,
            times_s=facts.times_s,
        )
