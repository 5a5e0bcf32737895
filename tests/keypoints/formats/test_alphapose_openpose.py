import json
from pathlib import Path

import numpy as np
import pytest
from shared_data import shared_path
from wild_people import alphapose_entry, standing, write_alphapose, write_openpose

from hyperlift.errors import InputError
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import BODY_25, COCO_17
from hyperlift.skeletons.mapping import to_h36m


def test_alphapose_frames_sort_as_numbers(tmp_path: Path):
    entries = [alphapose_entry(frame, 100.0 + frame) for frame in (10, 9, 2)]
    detections = read_keypoints(write_alphapose(tmp_path / "results.json", entries))
    assert list(detections.frames) == [2, 9, 10]
    assert (detections.tool, detections.skeleton, detections.span) == ("AlphaPose", COCO_17, 9)
    np.testing.assert_allclose(detections.frames[9][0].keypoints_px, standing(COCO_17, 109.0))


@pytest.mark.parametrize(
    ("image_id", "frame"), [("12.jpg", 12), ("frame_000012.png", 12), ("cam2/shot3_7.jpeg", 7), (5, 5)]
)
def test_alphapose_frame_numbers(tmp_path: Path, image_id: object, frame: int):
    entry = {**alphapose_entry(0, 100.0), "image_id": image_id}
    assert list(read_keypoints(write_alphapose(tmp_path / "r.json", [entry])).frames) == [frame]


@pytest.mark.parametrize(("idx", "track_id"), [(3, 3), ([3], 3), ([[3, 0.9]], 3), (3.0, 3), (None, None), ([], None)])
def test_alphapose_track_numbers(tmp_path: Path, idx: object, track_id: int | None):
    entry = {**alphapose_entry(0, 100.0), "idx": idx}
    detections = read_keypoints(write_alphapose(tmp_path / "r.json", [entry]))
    assert detections.frames[0][0].track_id == track_id


def test_alphapose_confidence_is_clipped_and_missing_is_nan(tmp_path: Path):
    entry = alphapose_entry(0, 100.0)
    entry["keypoints"][2] = 1.3
    entry["keypoints"][3:6] = [0, 0, 0]
    keypoints = read_keypoints(write_alphapose(tmp_path / "r.json", [entry])).frames[0][0].keypoints_px
    assert keypoints[0, 2] == 1
    assert np.isnan(keypoints[1, :2]).all()


def test_openpose_folder(tmp_path: Path):
    folder = write_openpose(tmp_path / "people", {10: [50.0, 200.0], 2: [], 9: [60.0]})
    detections = read_keypoints(folder)
    assert [(frame, len(people)) for frame, people in detections.frames.items()] == [(2, 0), (9, 1), (10, 2)]
    assert detections.skeleton is BODY_25
    # BODY_25 knows the toes, this person does not: missing, not at (0, 0).
    assert np.isnan(detections.frames[9][0].keypoints_px[BODY_25.index("LBigToe"), 0])


def test_one_openpose_file_is_a_recording_of_one_frame(tmp_path: Path):
    folder = write_openpose(tmp_path / "people", {7: [50.0]})
    (file,) = folder.iterdir()
    assert list(read_keypoints(folder).frames) == list(read_keypoints(file).frames) == [7]


def test_both_formats_are_the_same_person(tmp_path: Path):
    alphapose = read_keypoints(write_alphapose(tmp_path / "r.json", [alphapose_entry(0, 80.0)]))
    openpose = read_keypoints(write_openpose(tmp_path / "people", {0: [80.0]}))
    poses = [to_h36m(d.frames[0][0].keypoints_px, d.skeleton) for d in (alphapose, openpose)]
    np.testing.assert_allclose(poses[0], poses[1])
    assert np.isfinite(poses[0]).all()


def _broken(**changes: object) -> list[dict]:
    return [{**alphapose_entry(4, 100.0), **changes}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_broken(keypoints=[1.0] * 45), "15 joints a person; expected 17"),
        (_broken(keypoints=[1.0] * 50), "50 numbers for a person; expected x, y, confidence"),
        ([*_broken(), *_broken(keypoints=[1.0] * 78)], "78 numbers for a person; expected 51"),
        (_broken(keypoints=[float("inf")] * 51), "infinite or absurdly far"),
        (_broken(keypoints=[10**400] * 51), "infinite or absurdly far"),
        (_broken(keypoints=["1"] * 51), "no flat list of numbers"),
        (_broken(keypoints=None), "no flat list of numbers"),
        (_broken(image_id="cover.jpg"), "no frame number"),
        (_broken(idx="a"), "idx is 'a'"),
        (_broken(idx=float("nan")), "idx is nan"),
        ({"people": [{"pose_keypoints_2d": [1.0] * 42}]}, "14 joints a person; expected 25"),
        ({"people": [3]}, "is no object"),
        ({"videos": []}, "this layout is unknown"),
        ([[1, 2]], "this layout is unknown"),
        (7, "this layout is unknown"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, content: object, message: str):
    path = tmp_path / "clip_000000000004_keypoints.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message) as caught:
        read_keypoints(path)
    assert path.name in str(caught.value)


def test_places_where_nothing_is(tmp_path: Path):
    with pytest.raises(InputError, match="no such file or folder"):
        read_keypoints(tmp_path / "gone.json")
    with pytest.raises(InputError, match=r"holds no \*_keypoints.json"):
        read_keypoints(tmp_path)
    (tmp_path / "text.json").write_text("{half")
    with pytest.raises(InputError, match=r"text\.json: is not valid JSON"):
        read_keypoints(tmp_path / "text.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="is not valid JSON"):
        read_keypoints(tmp_path / "binary.json")


def test_two_recordings_in_one_folder(tmp_path: Path):
    folder = write_openpose(tmp_path / "people", {3: [50.0]})
    (folder / "other_3_keypoints.json").write_text('{"people": []}')
    with pytest.raises(InputError, match=r"2 recordings in one; it holds .*other_#"):
        read_keypoints(folder)


@pytest.mark.parametrize(
    ("width", "height", "scale", "message"),
    [
        (0, 480, 1.0, "must be positive"),
        (640, 480, 1 / 640, "these are not pixels"),
        (120, 120, 1.0, r"check `picture_size`"),
    ],
)
def test_pictures_that_keypoints_do_not_fit(tmp_path: Path, width: int, height: int, scale: float, message: str):
    entry = alphapose_entry(0, 300.0)
    entry["keypoints"] = (np.array(entry["keypoints"]) * scale).tolist()
    detections = read_keypoints(write_alphapose(tmp_path / "r.json", [entry]))
    with pytest.raises(InputError, match=message):
        detections.check_fits_picture(width, height)


def test_nobody(tmp_path: Path):
    for path in (write_alphapose(tmp_path / "r.json", []), write_openpose(tmp_path / "people", {0: []})):
        with pytest.raises(InputError, match="nobody is in it"):
            read_keypoints(path).check_fits_picture(640, 480)


@pytest.mark.parametrize(("name", "width", "height"), [("multiperson_cam01", 1088, 1920), ("sports2d_demo", 1768, 994)])
def test_real_recordings(name: str, width: int, height: int):
    for suffix in (".alphapose.json", "_openpose"):
        read_keypoints(shared_path(f"data/wild/{name}{suffix}")).check_fits_picture(width, height)
