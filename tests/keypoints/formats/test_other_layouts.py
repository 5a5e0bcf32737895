"""Layouts that people bring beside those of the tools' own documentation, each made by hand."""

import codecs
import json
import pickle
from pathlib import Path

import keypoint_writers as write
import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import BODY_19, BODY_25, BODY_25B, COCO_17, COCO_18, MEDIAPIPE_33, OPENPOSE_MPI_15
from hyperlift.skeletons.skeleton import Skeleton

SIZE = (1000, 800)


def check(found: Detections, skeleton: Skeleton, frames: dict[int, list[np.ndarray]], atol: float = 1e-9) -> None:
    assert found.skeleton is skeleton
    assert {frame: len(people) for frame, people in found.frames.items()} == {f: len(p) for f, p in frames.items()}
    for frame, people in frames.items():
        for person, keypoints in zip(found.frames[frame], people, strict=True):
            np.testing.assert_allclose(person.keypoints_px, keypoints, atol=atol)


def one_and_two(skeleton: Skeleton) -> list[list[np.ndarray]]:
    """Nobody in frame 1."""
    return [[write.distinct(skeleton)], [], [write.distinct(skeleton), write.distinct(skeleton, 60.0)]]


def openpose_list(people: list[list[np.ndarray]], scale: tuple[float, float] = (1.0, 1.0)) -> list[dict]:
    scaled = [[write.zeroed(k) * [*scale, 1.0] for k in frame] for frame in people]
    return [
        {
            "people": [{"pose_keypoints_2d": k.ravel().tolist(), "face_keypoints_2d": None} for k in frame],
            "canvas_width": 1000,
            "canvas_height": 800,
        }
        for frame in scaled
    ]


@pytest.mark.parametrize("scale", [(1.0, 1.0), (1 / 1000, 1 / 800)])
def test_comfyui_and_dwpose(tmp_path: Path, scale: tuple[float, float]):
    frames = one_and_two(COCO_18)
    found = read_keypoints(write.dump(tmp_path / "poses.json", openpose_list(frames, scale)))
    check(found, COCO_18, dict(enumerate(frames)))
    assert found.picture_size == SIZE


@pytest.mark.parametrize("skeleton", [OPENPOSE_MPI_15, COCO_17, BODY_19])
def test_other_models_of_openpose(tmp_path: Path, skeleton: Skeleton):
    frames = one_and_two(skeleton)
    check(read_keypoints(write.dump(tmp_path / "poses.json", openpose_list(frames))), skeleton, dict(enumerate(frames)))


def test_body_25b_is_told_from_body_25_by_its_bodies(tmp_path: Path):
    at = {
        **{"Nose": (0, 0), "Eye": (3, -3), "Ear": (6, -1), "Shoulder": (18, 20), "Elbow": (24, 45), "Wrist": (26, 68)},
        **{"Hip": (11, 72), "Knee": (12, 112), "Ankle": (12, 150), "BigToe": (16, 158), "SmallToe": (19, 156)},
        **{"Heel": (11, 156), "UpperNeck": (0, 12), "HeadTop": (0, -14), "Neck": (0, 19), "MidHip": (0, 72)},
    }

    def standing(joint: str) -> tuple[float, float]:
        x, y = at[joint] if joint in at else at[joint[1:]]
        return 300.0 + (x if joint[0] == "L" and joint not in at else -x), 200.0 + y

    for skeleton in (BODY_25B, BODY_25):
        body = np.array([[*standing(joint), 0.9] for joint in skeleton.joints])
        frames = [[body + [2.0 * frame, 0, 0]] for frame in range(12)]
        path = write.dump(tmp_path / f"{skeleton.name}.json", openpose_list(frames))
        found = read_keypoints(path)
        check(found, skeleton, dict(enumerate(frames)))
        assert len(found.notes) == (skeleton is BODY_25B)
        assert read_keypoints(path, skeleton="body25").skeleton is BODY_25


def test_opencap_and_mmpose_0(tmp_path: Path):
    for skeleton, writer in ((BODY_25, write.opencap), (COCO_17, write.mmpose_0)):
        frames = dict(enumerate(one_and_two(skeleton)))
        path = writer(tmp_path, {frame: [(k, None) for k in people] for frame, people in frames.items()})
        check(read_keypoints(path), skeleton, frames)


def of_mmpose_1(frames: list[list[np.ndarray]]) -> list:
    return [
        [
            {"keypoints": write.zeroed(k)[:, :2].tolist(), "keypoint_scores": k[:, 2].tolist(), "bbox": [[1, 2, 3, 4]]}
            for k in frame
        ]
        for frame in frames
    ]


def test_what_the_inferencer_of_mmpose_returns(tmp_path: Path):
    frames = one_and_two(COCO_17)
    content = {"predictions": of_mmpose_1(frames), "visualization": []}
    check(read_keypoints(write.dump(tmp_path / "p.json", content)), COCO_17, dict(enumerate(frames)))


def test_mmpose_with_a_file_a_picture(tmp_path: Path):
    frames = one_and_two(COCO_17)
    for number, people in enumerate(of_mmpose_1(frames)):
        write.dump(tmp_path / f"img_{number + 5:06d}.json", people)
    check(read_keypoints(tmp_path), COCO_17, {number + 5: people for number, people in enumerate(frames)})


@pytest.mark.parametrize("landmarks", [33 + 468, 33 + 468 + 42])
def test_holistic_of_mediapipe(tmp_path: Path, landmarks: int):
    body = write.distinct(MEDIAPIPE_33)
    fractions = body / [*SIZE, 1.0]
    row = [*fractions, *np.full((landmarks - 33, 3), 0.25)]
    header = ["class", *(f"{axis}{n + 1}" for n in range(landmarks) for axis in "xyzv")]
    cells = ["squat", *(str(value) for x, y, sure in row for value in (x, y, 0.0, sure))]
    path = write.table(tmp_path / "coords.csv", [header, cells, cells])
    check(read_keypoints(path, picture_size=SIZE), MEDIAPIPE_33, {0: [body], 1: [body]})


def long_rows(frames: dict[int, list[np.ndarray]], names: list[str], person: bool) -> list[list[str]]:
    return [
        [str(frame), *([f"who{n}"] if person else []), name, *(str(value) for value in point)]
        for frame, people in frames.items()
        for n, keypoints in enumerate(people)
        for name, point in zip(names, keypoints, strict=True)
    ]


@pytest.mark.parametrize("person", [False, True])
def test_long_tables(tmp_path: Path, person: bool):
    frames = {3: [write.distinct(COCO_17)], 5: [write.distinct(COCO_17), write.distinct(COCO_17, 60.0)]}
    header = ["frame", *(["person"] if person else []), "keypoint", "x", "y", "score"]
    path = write.table(tmp_path / "long.csv", [header, *long_rows(frames, write.LABELS, person)])
    found = read_keypoints(path)
    check(found, COCO_17, frames)
    assert [p.track_id for p in found.frames[5]] == ([0, 1] if person else [None, None])


def test_a_long_table_of_mediapipe_numbers_with_times(tmp_path: Path):
    body = write.distinct(MEDIAPIPE_33)
    rows = [
        [str(time), str(number), *(str(value) for value in point / [*SIZE, 1.0])]
        for time in (0.0, 0.04, 0.12)
        for number, point in enumerate(body)
    ]
    path = write.table(tmp_path / "long.csv", [["timestamp", "landmark", "x", "y", "visibility"], *rows])
    check(read_keypoints(path, picture_size=SIZE), MEDIAPIPE_33, {0: [body], 1: [body], 3: [body]})


@pytest.mark.parametrize(("separator", "comma"), [(";", ","), (";", "."), ("\t", ".")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_decimal_commas_and_encodings(tmp_path: Path, separator: str, comma: str, encoding: str):
    frames = {0: [write.distinct(COCO_17) + [0.25, 0.5, 0.0]]}
    rows = [["frame", "joint", "x", "y", "confidence"], *long_rows(frames, write.LABELS, False)]
    text = "\r\n".join(separator.join(cell.replace(".", comma) for cell in row) for row in rows)
    (tmp_path / "table.csv").write_bytes(text.encode(encoding))
    assert encoding != "utf-16" or text.encode(encoding)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    check(read_keypoints(tmp_path / "table.csv"), COCO_17, frames)


def test_ultralytics_table(tmp_path: Path):
    frames = {4: [write.distinct(COCO_17)], 9: [write.distinct(COCO_17), write.distinct(COCO_17, 60.0)]}
    path = write.ultralytics_csv(tmp_path, {frame: [(k, None) for k in people] for frame, people in frames.items()})
    check(read_keypoints(path), COCO_17, frames)


def test_full_human_of_deeplabcut(tmp_path: Path):
    names = ["ankle1", "knee1", "hip1", "hip2", "knee2", "ankle2", "wrist1", "elbow1", "shoulder1", "shoulder2"]
    names += ["elbow2", "wrist2", "chin", "forehead"]
    numbers = [[100.0 + n, 200.0 + n, 0.9] for n in range(14)]
    rows = [
        ["scorer", *["me"] * 42],
        ["bodyparts", *(name for name in names for _ in range(3))],
        ["coords", *["x", "y", "likelihood"] * 14],
        ["0", *(str(value) for point in numbers for value in point)],
    ]
    found = read_keypoints(write.table(tmp_path / "full.csv", rows))
    joints = found.skeleton.joints
    # As MPII's points, of which its own are a subset: 1 is the person's right side.
    assert (joints[0], joints[3], joints[7], joints[12], joints[13]) == (
        *("RAnkle", "LHip", "RElbow", "UpperNeck", "HeadTop"),
    )
    assert found.people.keypoints_px[0, 3].tolist() == [103.0, 203.0, 0.9]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["frame", "joint", "x", "y"], ["0", "0", "1", "2"], ["0", "1", "3", "4"]], "2 numbered joints do not say"),
        (
            [["frame", "joint", "x", "y"], *(["0", name, "1", "2"] for name in write.LABELS), ["1", "Nose", "1"]],
            "3 cells",
        ),
        ([["frame", "joint", "x", "y"], ["0", "tail", "1", "2"]], "no joint is called"),
    ],
)
def test_long_tables_that_cannot_be_read(tmp_path: Path, rows: list[list[str]], message: str):
    with pytest.raises(InputError, match=message):
        read_keypoints(write.table(tmp_path / "bad.csv", rows))


def test_a_pickle_with_code_is_not_run(tmp_path: Path):
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(json.dumps))
    with pytest.raises(InputError, match=r"bad\.pkl"):
        read_keypoints(tmp_path / "bad.pkl")
