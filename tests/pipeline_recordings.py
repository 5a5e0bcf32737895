"""Small videos and a detector that the pipeline's tests can predict."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from wild_people import standing

from hyperlift.keypoints.detections import Detection
from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.video.writing import write_mp4

WIDTH, HEIGHT = 640, 480


def write_spots(
    path: Path,
    xs: Sequence[float],
    fps: float = 25.0,
    times_s: Sequence[float] | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Path:
    """A dark video in which a bright spot stands at x; NaN leaves a frame dark."""
    with write_mp4(path, *size, fps) as video:
        for number, x in enumerate(xs):
            picture = np.zeros((size[1], size[0], 3), np.uint8)
            if np.isfinite(x):
                picture[280:320, round(x) - 20 : round(x) + 20] = 255
            video.add(picture, None if times_s is None else times_s[number])
    return path


class SpotDetector:
    """Takes the bright spot for the hips of somebody who stands; a detector as a user would write one."""

    name = "spot"
    skeleton: Skeleton = COCO_17

    def __init__(self) -> None:
        self.looked_at: list[int] = []

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        self.looked_at.append(index)
        bright = np.argwhere(frame_rgb[..., 1] > 128)
        if not len(bright):
            return []
        y, x = bright.mean(0)
        return [Detection(standing(COCO_17, float(x), float(y)), track_id=0)]

    def reset(self) -> None:
        self.looked_at.clear()
