"""``Recorded``: what is known of a recording before anybody is followed in it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.keypoints.detections import Detections
from hyperlift.shapes import Float
from hyperlift.video.facts import VideoFacts


@dataclass(frozen=True, eq=False)
class Recorded:
    """Picture size and time of a recording, and where its keypoints and pictures are."""

    path: Path
    """What the user named first."""
    video: Path | None
    """The pictures, if there are any."""
    facts: VideoFacts | None
    """Of the video."""
    detections: Detections | None
    """Of a keypoint file; None where they must be found in the pictures."""
    width: int
    """In pixels, upright."""
    height: int
    """In pixels, upright."""
    fps: float
    times_s: Float[np.ndarray, " frames"]
    """Seconds of every frame since frame 0."""

    @classmethod
    def of_video(cls, video: Path, facts: VideoFacts) -> "Recorded":
        """A video whose keypoints are in its pictures."""
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
