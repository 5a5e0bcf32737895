"""Which number in the names of pictures counts the frames."""

import json
from pathlib import Path

import keypoint_writers as write
import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.keypoints.formats.numbers import frames_of_times
from hyperlift.keypoints.formats.picture_names import frame_numbers
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17


def frames(names: list[str], recording: str | None = None) -> list[int | None]:
    return frame_numbers(names, "clip.json", "'12.jpg'", recording)


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["0.jpg", "10.jpg", "2.jpg"], [0, 10, 2]),
        (["frame_0001_1920x1080.jpg", "frame_0003_1920x1080.jpg"], [1, 3]),
        (["2024-05-01_cam3_000041.png", "2024-05-01_cam3_000042.png"], [41, 42]),
        (["take2/img_7.jpg", "take2/img_8.jpg"], [7, 8]),
        (["C:\\\\clips\\\\4\\\\img_7.jpg", "C:\\\\clips\\\\4\\\\img_8.jpg"], [7, 8]),
        (["0001_ab34f9.jpg", "0002_9ff1.jpg", "0003_c0de22.jpg"], [1, 2, 3]),
        (["ab34f_0001.jpg", "9ff1a2_0002.jpg", "c0de2_0003.jpg"], [1, 2, 3]),
        (["img_000001.rf.8a7b6c.jpg", "img_000002.rf.1a2b3c.jpg"], [1, 2]),
        (["000001_1714550000.jpg", "000002_1714550033.jpg", "000003_1714550067.jpg"], [1, 2, 3]),
        (["walk_12"], [12]),
        ([], []),
    ],
)
def test_the_number_that_changes(names: list[str], numbers: list[int]):
    assert frames(names) == numbers


CAMERAS = [f"cam{camera}_{frame:04d}.jpg" for frame in range(5) for camera in (1, 2)]


def test_several_recordings_in_one_file():
    with pytest.raises(InputError, match=r"clip.json: 2 recordings in one; it holds 'cam1_#', 'cam2_#'; choose one"):
        frames(CAMERAS)
    assert frames(CAMERAS, "cam2") == [None, 0, None, 1, None, 2, None, 3, None, 4]
    with pytest.raises(InputError, match="no recording has 'cam3' in its name; it holds 'cam1_#'"):
        frames(CAMERAS, "cam3")
    with pytest.raises(InputError, match="several recordings have 'cam' in their name"):
        frames(CAMERAS, "cam")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["walk.mp4"], "'walk.mp4' holds no frame number"),
        (["01.jpg", "1.jpg"], "01.jpg and 1.jpg are both frame 1"),
        (["9" * 40 + ".jpg"], "holds no frame number"),
    ],
)
def test_names_without_an_order(names: list[str], message: str):
    with pytest.raises(InputError, match=message):
        frames(names)


def walk(frame: int) -> list[float]:
    return (write.distinct(COCO_17) + [8.0 * frame, 0.0, 0.0]).ravel().tolist()


def test_alphapose_of_two_cameras(tmp_path: Path):
    path = tmp_path / "two.json"
    path.write_text(json.dumps([{"image_id": name, "keypoints": walk(n // 2)} for n, name in enumerate(CAMERAS)]))
    with pytest.raises(InputError, match="`recording`"):
        read_keypoints(path)
    found = read_keypoints(path, recording="cam1")
    assert [len(people) for people in found.frames.values()] == [1] * 5
    assert found.people.keypoints_px[:, 0, 0] == pytest.approx(write.distinct(COCO_17)[0, 0] + 8.0 * np.arange(5))


def test_names_go_before_the_ids_of_annotations(tmp_path: Path):
    keypoints = write.distinct(COCO_17)
    keypoints[:, 2] = 2
    order = [3, 0, 2, 1]
    images = [{"id": number, "file_name": f"clip/{frame:06d}.jpg"} for number, frame in enumerate(order)]
    people = [
        {"image_id": number, "category_id": 1, "keypoints": (keypoints + [frame, 0, 0]).ravel().tolist()}
        for number, frame in enumerate(order)
    ]
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps({"images": images, "annotations": people}))
    found = read_keypoints(path)
    assert found.people.keypoints_px[:, 0, 0].tolist() == (keypoints[0, 0] + np.arange(4)).tolist()


def test_holes_in_time_stay_holes(tmp_path: Path):
    assert frames_of_times([0.0, 0.033, 0.067, 0.2, 0.233]) == [0, 1, 2, 6, 7]
    assert frames_of_times([5.0]) == [0]
    assert frames_of_times([3.0, 2.0, 1.0]) == [0, 1, 2]
    body = [{"x": 0.5, "y": (n + 1) / 40, "visibility": 0.9} for n in range(33)]
    path = tmp_path / "landmarks.json"
    path.write_text(json.dumps([{"timestamp_ms": time, "landmarks": body} for time in (0, 33, 67, 200)]))
    assert list(read_keypoints(path, picture_size=(640, 480)).frames) == [0, 1, 2, 6]


def test_an_order_that_makes_people_leap_is_doubted(tmp_path: Path):
    order = np.random.default_rng(0).permutation(40).tolist()
    path = tmp_path / "shuffled.json"
    path.write_text(json.dumps([{"image_id": f"{n}.jpg", "keypoints": walk(k)} for k, n in enumerate(order)]))
    (note,) = read_keypoints(path).notes
    assert "frame numbers are not in the order of the file" in note
    path.write_text(json.dumps([{"image_id": f"{n}.jpg", "keypoints": walk(n)} for n in order]))
    assert read_keypoints(path).notes == ()
