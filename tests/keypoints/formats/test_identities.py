"""Track numbers of files: none where two bodies of one frame share one."""

import json
from pathlib import Path

import keypoint_writers as write
import numpy as np
import pytest

from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17

ONE = write.distinct(COCO_17)
OTHER = write.distinct(COCO_17, 400.0)


def alphapose(path: Path, *frames: list[tuple[np.ndarray, int | None]]) -> Detections:
    entries = [
        {"image_id": f"{number}.jpg", "keypoints": keypoints.ravel().tolist(), **({} if idx is None else {"idx": idx})}
        for number, people in enumerate(frames)
        for keypoints, idx in people
    ]
    (path / "people.json").write_text(json.dumps(entries))
    return read_keypoints(path / "people.json")


def ids(detections: Detections) -> list[list[int | None]]:
    return [[person.track_id for person in people] for people in detections.frames.values()]


def test_one_number_for_everybody_is_none(tmp_path: Path):
    found = alphapose(tmp_path, *[[(ONE, 0), (OTHER, 0)]] * 6)
    assert ids(found) == [[None, None]] * 6
    (note,) = found.notes
    assert "track numbers are not used: in 6 of 6 frames" in note


def test_a_tracker_that_slips_keeps_its_other_numbers(tmp_path: Path):
    found = alphapose(tmp_path, [(ONE, 1), (OTHER, 1)], *[[(ONE, 1), (OTHER, 2)]] * 100)
    assert ids(found) == [[None, None], *[[1, 2]] * 100]
    assert found.notes == ()


def test_a_body_that_is_found_twice_keeps_its_number(tmp_path: Path):
    found = alphapose(tmp_path, *[[(ONE, 3), (ONE + [2.0, 1.0, 0.0], 3)]] * 6)
    assert ids(found) == [[3, 3]] * 6


@pytest.mark.parametrize("idx", [None, 3])
def test_an_exact_double_is_one_person(tmp_path: Path, idx: int | None):
    found = alphapose(tmp_path, *[[(ONE, idx), (OTHER, 7), (ONE, idx)]] * 4)
    assert ids(found) == [[idx, 7]] * 4
    assert found.notes == ("4 detections are there twice, and counted once",)
