import json
from dataclasses import replace

import numpy as np
import pytest
from shared_data import shared_path

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.formats.alphapose_writer import Recording, read_recording, write_alphapose
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17


def some_people(rng: np.random.Generator) -> Detections:
    def person(track_id: int | None) -> Detection:
        keypoints = np.concatenate([rng.uniform(1, 900, (17, 2)), rng.uniform(0.1, 1, (17, 1))], axis=1)
        keypoints[rng.integers(17)] = [np.nan, np.nan, 0]
        return Detection(keypoints, track_id)

    frames = {0: [], 1: [person(0), person(7)], 2: [], 3: [person(7)], 4: [person(None)], 5: []}
    return Detections(source="video", tool="MoveNet thunder", skeleton=COCO_17, frames=frames)


def test_what_is_written_reads_back(tmp_path):
    path, written = tmp_path / "out" / "people.json", some_people(np.random.default_rng(0))
    write_alphapose(path, written, 1280, 720)
    read = read_keypoints(path)
    assert list(read.frames) == [1, 3, 4]
    for frame, people in read.frames.items():
        for ours, theirs in zip(written.frames[frame], people, strict=True):
            assert ours.track_id == theirs.track_id
            np.testing.assert_allclose(theirs.keypoints_px[:, :2], ours.keypoints_px[:, :2], atol=0.00501)
            np.testing.assert_allclose(theirs.keypoints_px[:, 2], ours.keypoints_px[:, 2], atol=0.0000501)
    recording = Recording(frames=6, width=1280, height=720, detector="MoveNet thunder", skeleton="coco17")
    assert read_recording(path) == recording
    write_alphapose(path, replace(written, tracked=True), 1280, 720)
    assert read_recording(path) == replace(recording, tracked=True)
    assert sorted(file.name for file in path.parent.iterdir()) == ["people.json", "people.recording.json"]


def test_entries_have_what_alphapose_writes(tmp_path):
    """The keys and their meaning, checked against results in AlphaPose's layout from another program."""
    real = json.loads(shared_path("data/wild/sports2d_demo.alphapose.json").read_text())
    source = read_keypoints(shared_path("data/wild/sports2d_demo.alphapose.json"))
    write_alphapose(tmp_path / "again.json", source, 1768, 994)
    again = json.loads((tmp_path / "again.json").read_text())
    assert len(again) == len(real)
    for ours, theirs in zip(again, real, strict=True):
        assert ours.keys() == theirs.keys()
        assert [ours[key] for key in ("image_id", "category_id", "idx")] == [
            theirs[key] for key in ("image_id", "category_id", "idx")
        ]
        np.testing.assert_allclose(ours["keypoints"], theirs["keypoints"], atol=0.006)
        assert ours["score"] == pytest.approx(theirs["score"], abs=0.001)


def test_a_video_without_people(tmp_path):
    nobody = Detections(source="video", tool="none", skeleton=COCO_17, frames={0: [], 1: []})
    write_alphapose(tmp_path / "nobody.json", nobody, 64, 48)
    assert json.loads((tmp_path / "nobody.json").read_text()) == []
    recording = read_recording(tmp_path / "nobody.json")
    assert recording is not None
    assert (recording.frames, recording.width, recording.height) == (2, 64, 48)


def test_a_person_without_any_joint_leaves_no_nan_in_the_file(tmp_path):
    blank = Detection(np.array([[np.nan, np.nan, 0.0]] * 17), 0)
    write_alphapose(tmp_path / "a.json", Detections("v", "t", COCO_17, {0: [blank]}), 64, 48)
    assert "NaN" not in (tmp_path / "a.json").read_text()


def test_files_of_other_programs_have_no_facts_and_broken_ones_are_refused(tmp_path):
    (tmp_path / "people.json").write_text("[]")
    assert read_recording(tmp_path / "people.json") is None
    facts = '"width":1,"height":1,"detector":"","skeleton":""'
    (tmp_path / "people.recording.json").write_text(f'{{"frames":1,{facts}}}')  # as earlier versions wrote it
    recording = read_recording(tmp_path / "people.json")
    assert recording is not None
    assert not recording.tracked
    for broken in ("{", "[]", "3", '{"frames": 3}', f'{{"frames":-1,{facts}}}', f'{{"frames":1,"tracked":1,{facts}}}'):
        (tmp_path / "people.recording.json").write_text(broken)
        with pytest.raises(InputError, match="delete it and detect again"):
            read_recording(tmp_path / "people.json")


def test_nothing_is_left_behind_when_writing_fails(tmp_path):
    with pytest.raises(InputError, match="width 0"):
        write_alphapose(tmp_path / "people.json", some_people(np.random.default_rng(0)), 0, 720)
    (tmp_path / "people.json").mkdir()  # cannot be replaced by a file
    with pytest.raises(InputError, match="is a folder"):
        write_alphapose(tmp_path / "people.json", some_people(np.random.default_rng(0)), 1280, 720)
    assert [file.name for file in tmp_path.rglob("*")] == ["people.json"]
