"""Frame, track and picture numbers that no recording has: memory goes with the detections, and the number is named."""

import json
import tracemalloc
from pathlib import Path

import keypoint_writers as write
import numpy as np
import pytest
from wild_people import alphapose_entry, write_alphapose

from hyperlift.errors import InputError
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.pipeline.options import LiftOptions
from hyperlift.pipeline.recording_source import open_recording
from hyperlift.skeletons.joint_sets import COCO_17, MEDIAPIPE_33

OPTIONS = LiftOptions(picture_size=(640, 480), fps=30.0)


def refused(path: Path, message: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=message) as caught:
            open_recording(path, None, OPTIONS)
        assert tracemalloc.get_traced_memory()[1] < 2e7
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 600


def test_two_entries_a_billion_frames_apart(tmp_path: Path):
    entries = [alphapose_entry(frame, 100.0) for frame in (0, 999_999_999)]
    path = write_alphapose(tmp_path / "r.json", entries)
    refused(path, "2 detections, and the last is in frame 999999999")
    assert list(read_keypoints(path).frames) == [0, 999_999_999]


@pytest.mark.parametrize(
    "image_id", ["1000000000000.jpg", "1" + "0" * 30 + ".jpg", "9" * 5000, 10**400, 10**18, True, 1.5]
)
def test_alphapose_numbers(tmp_path: Path, image_id: object):
    refused(write_alphapose(tmp_path / "r.json", [{**alphapose_entry(0, 100.0), "image_id": image_id}]), "r.json")


@pytest.mark.parametrize("idx", [10**15, 10**18, 10**400, -(10**15), 1e300, float("inf"), "3", True])
def test_track_numbers(tmp_path: Path, idx: object):
    refused(write_alphapose(tmp_path / "r.json", [{**alphapose_entry(0, 100.0), "idx": idx}]), "idx is .*whole number")


def test_large_track_numbers_that_may_be(tmp_path: Path):
    path = write_alphapose(tmp_path / "r.json", [{**alphapose_entry(0, 100.0), "idx": 10**15 - 1}])
    assert read_keypoints(path).frames[0][0].track_id == 10**15 - 1


@pytest.mark.parametrize("cell", ["1e12", "1e300", "9" * 400, "1e400", "nan", "-1", "0.5"])
def test_mediapipe_frame_cells(tmp_path: Path, cell: str):
    names = ["frame", *(f"{joint}{axis}" for joint in range(33) for axis in ("_x", "_y", "_z", "_v"))]
    landmarks = np.random.default_rng(0).uniform(0.2, 0.8, (33, 4)).reshape(-1)
    path = tmp_path / "r.csv"
    path.write_text(",".join(names) + "\n" + ",".join([cell, *map(str, landmarks)]) + "\n")
    refused(path, "frame")


def test_other_formats(tmp_path: Path):
    body = write.distinct(COCO_17)
    (tmp_path / "c").mkdir()
    refused(write.coco_results(tmp_path / "c", {10**16: [(body, None)]}), "image_id is 10000000000000000")
    demo = write.mmpose_demo(tmp_path, {2: [(body, None)]})
    content = json.loads(demo.read_text())
    content["instance_info"][0]["frame_id"] = 10**9
    refused(write.dump(demo, content), "the last is in frame 999999999")
    frames = [{"frame": 10**9, "landmarks": [{"x": 0.5, "y": 0.5}] * len(MEDIAPIPE_33)}]
    refused(write.dump(tmp_path / "m.json", frames), "the last is in frame 1000000000")


def test_a_hundred_thousand_joints(tmp_path: Path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps([{"image_id": "0.jpg", "keypoints": [1] * 300_000}]))
    with pytest.raises(InputError, match="100000 joints a person; expected 17"):
        read_keypoints(path)


@pytest.mark.parametrize("image_id", ["0.jpg", 0])
def test_a_late_entry_that_does_not_fit_is_named(tmp_path: Path, monkeypatch, image_id: object):
    monkeypatch.setattr("hyperlift.keypoints.formats.alphapose._DECIDING", 1)
    path = write_alphapose(tmp_path / "r.json", [{**alphapose_entry(0, 100.0), "image_id": image_id}, ["\ud800" * 999]])
    with pytest.raises(InputError, match=r"entry 1: is \[.*expected an object with image_id") as caught:
        read_keypoints(path)
    str(caught.value).encode()  # can be printed
