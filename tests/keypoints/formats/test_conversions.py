"""The real recordings, written as every other tool would write them, come back as the same people."""

from collections.abc import Callable
from pathlib import Path

import keypoint_writers as write
import numpy as np
import pytest
from shared_data import shared_path

from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.timestamps import even_times
from hyperlift.lifting.lift import track_people

RECORDINGS = {"multiperson_cam01": (1088, 1920, 60.0), "sports2d_demo": (1768, 994, 30.0)}
Written = Callable[[Path, write.Frames, tuple[int, int]], Path]


def without_size(writer: Callable[[Path, write.Frames], Path]) -> Written:
    return lambda path, frames, size: writer(path, frames)


# Format, writer, whether it carries track numbers, whether the skeleton has to be said.
CONVERSIONS: list[tuple[str, Written, bool, bool]] = [
    ("alphapose", without_size(write.alphapose), True, False),
    ("coco-results", without_size(write.coco_results), False, False),
    ("openpose", without_size(write.openpose_coco18), False, False),
    ("mmpose", without_size(write.mmpose_demo), False, False),
    ("mmpose", without_size(write.mmpose_inferencer), False, False),
    ("ultralytics", without_size(write.ultralytics), True, False),
    ("ultralytics-labels", write.ultralytics_labels, True, False),
    ("detectron", write.detectron, False, False),
    ("array", without_size(write.rtmlib_npz), False, True),
    ("deeplabcut", without_size(write.deeplabcut), True, False),
    ("sleap", without_size(write.sleap), True, False),
    ("mediapipe", write.mediapipe_json, False, False),
]


@pytest.fixture(scope="module", params=list(RECORDINGS))
def recording(request: pytest.FixtureRequest) -> tuple[Detections, tuple[int, int], float]:
    width, height, fps = RECORDINGS[request.param]
    return read_keypoints(shared_path(f"data/wild/{request.param}.alphapose.json")), (width, height), fps


@pytest.mark.parametrize(("name", "writer", "has_tracks", "says_skeleton"), CONVERSIONS)
def test_same_tracks(tmp_path: Path, recording, name: str, writer: Written, has_tracks: bool, says_skeleton: bool):
    truth, size, fps = recording
    if not has_tracks:
        truth = without_tracks(truth)
    frames = {frame: [(p.keypoints_px, p.track_id) for p in people] for frame, people in truth.frames.items()}
    path = writer(tmp_path, frames, size)
    skeleton = "coco17" if says_skeleton else None
    detections = read_keypoints(path, picture_size=size, skeleton=skeleton)
    forced = read_keypoints(path, picture_size=size, skeleton=skeleton, format=name)
    assert detections.tool == forced.tool
    assert {f for f, people in detections.frames.items() if people} == set(truth.frames)
    time_s = even_times(max(truth.frames) + 1, fps)
    expected, actual = track_people(truth, *size, time_s), track_people(detections, *size, time_s)
    assert [track.id for track in actual] == [track.id for track in expected]
    for track, other in zip(expected, actual, strict=True):
        np.testing.assert_array_equal(other.frame, track.frame)
        np.testing.assert_allclose(other.keypoints_px, track.keypoints_px, atol=1e-6)


def without_tracks(detections: Detections) -> Detections:
    frames = {f: [Detection(person.keypoints_px) for person in people] for f, people in detections.frames.items()}
    return Detections(source="r", tool="t", skeleton=detections.skeleton, frames=frames)
