"""The interface itself, filled in by a detector of somebody else's."""

from dataclasses import dataclass

import numpy as np
import pytest

from hyperlift.detection.detector import Detector, detect_video
from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detection
from hyperlift.skeletons.joint_sets import COCO_17


@dataclass(frozen=True)
class Frame:
    index: int
    rgb: np.ndarray


class BrightestPoint:
    """Every joint on the brightest pixel; nobody in the dark."""

    name = "brightest point"
    skeleton = COCO_17

    def __init__(self) -> None:
        self.resets = 0

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        light = frame_rgb.sum(2)
        if light.max() == 0:
            return []
        y, x = np.unravel_index(light.argmax(), light.shape)
        return [Detection(np.tile([float(x), float(y), 1.0], (len(COCO_17), 1)))]

    def reset(self) -> None:
        self.resets += 1


def test_anything_with_the_four_members_is_a_detector():
    detector = BrightestPoint()
    assert isinstance(detector, Detector)
    pictures = np.zeros((3, 20, 30, 3), np.uint8)
    pictures[0, 4, 9] = pictures[2, 15, 2] = 255
    seen = []
    frames = (Frame(10 * number, picture) for number, picture in enumerate(pictures))
    detections = detect_video(frames, detector, on_frame=lambda index, people: seen.append((index, len(people))))
    assert seen == [(0, 1), (10, 0), (20, 1)]
    assert not detections.tracked
    assert (detections.tool, detections.skeleton, detector.resets) == ("brightest point", COCO_17, 1)
    assert list(detections.frames) == [0, 10, 20]
    np.testing.assert_array_equal(detections.frames[20][0].keypoints_px[0], [2, 15, 1])


def test_a_video_without_frames_has_nobody_in_it():
    assert detect_video([], BrightestPoint()).frames == {}


def test_a_frame_that_is_no_picture():
    with pytest.raises(InputError, match="expected RGB pictures"):
        detect_video([Frame(0, np.zeros((4, 4)))], BrightestPoint())
