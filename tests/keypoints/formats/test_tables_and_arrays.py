"""DeepLabCut, SLEAP, MediaPipe, and the NumPy files."""

import os
from pathlib import Path

import keypoint_writers as write
import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17, MEDIAPIPE_33

SIZE = (1000, 800)
FRAMES = {
    2: [(write.distinct(COCO_17), 0), (write.distinct(COCO_17, 50.0), 1)],
    11: [(write.distinct(COCO_17, 50.0), 1)],
}


def check(detections, frames: write.Frames, tracks: bool, atol: float = 1e-9) -> None:
    seen = {frame: people for frame, people in detections.frames.items() if people}
    assert list(seen) == list(frames)
    for frame, people in frames.items():
        for person, (keypoints, track_id) in zip(seen[frame], people, strict=True):
            np.testing.assert_allclose(person.keypoints_px, keypoints, atol=atol)
            assert person.track_id == (track_id if tracks else None)


# DeepLabCut and SLEAP: names are the user's own.


def test_deeplabcut_several_animals(tmp_path: Path):
    detections = read_keypoints(write.deeplabcut(tmp_path, FRAMES))
    assert (detections.tool, detections.skeleton) == ("DeepLabCut", COCO_17)
    check(detections, FRAMES, tracks=True)


SPELLINGS = ["nose", "L-Eye", "Right Eye", "lear", "EarRight", "LShoulder", "shoulder_r", "leftElbow", "r.elbow"]
SPELLINGS += ["wrist_l", "RIGHT_WRIST", "l hip", "hip-right", "LeftKnee", "knee_R", "ankleL", "R_ankle"]


def one_animal(path: Path, names: list[str], keypoints: np.ndarray) -> Path:
    axes = ("x", "y", "likelihood")
    rows = [
        ["scorer", *["me"] * 3 * len(names)],
        ["bodyparts", *(name for name in names for _ in axes)],
        ["coords", *axes * len(names)],
        ["7", *write.cells(keypoints)],
    ]
    return write.table(path / "one.csv", rows)


def test_deeplabcut_any_spelling_any_order(tmp_path: Path):
    keypoints = write.distinct(COCO_17)
    check(read_keypoints(one_animal(tmp_path, SPELLINGS, keypoints)), {7: [(keypoints, None)]}, tracks=False)
    order = np.random.default_rng(0).permutation(17)
    shuffled = read_keypoints(
        one_animal(tmp_path, [SPELLINGS[i] for i in order] + ["tail tip"], np.vstack([keypoints[order], [[1, 2, 0.5]]]))
    )
    back = shuffled.frames[7][0].keypoints_px
    for number, joint in enumerate(COCO_17.joints):
        np.testing.assert_array_equal(back[shuffled.skeleton.index(joint)], keypoints[number])
    assert shuffled.skeleton.joints[-1] == "tail tip"


def test_deeplabcut_labelled_pictures(tmp_path: Path):
    keypoints = write.distinct(COCO_17)
    axes = [axis for _ in SPELLINGS for axis in ("x", "y")]
    rows = [
        ["scorer", "", "", *["me"] * 34],
        ["bodyparts", "", "", *(name for name in SPELLINGS for _ in "xy")],
        ["coords", "", "", *axes],
        ["labeled-data", "clip", "img0012.png", *write.cells(keypoints[:, :2])],
    ]
    (person,) = read_keypoints(write.table(tmp_path / "CollectedData_me.csv", rows)).frames[12]
    np.testing.assert_array_equal(person.keypoints_px[:, :2], keypoints[:, :2])
    assert (person.keypoints_px[:, 2] == 1).all()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["ankle9", *SPELLINGS[:-1]], r"no joint is called RAnkle; its joints are ankle9, nose"),
        (SPELLINGS[1:], None),
        ([*SPELLINGS, "left_hip"], "l hip, left_hip all mean the joint LHip"),
        (["snout", "tail"], "no joint is called RHip, RKnee.*Nose or Head"),
    ],
)
def test_names_that_are_needed(tmp_path: Path, names: list[str], message: str | None):
    path = one_animal(tmp_path, names, np.full((len(names), 3), 0.5) + 100)
    if message is None:
        with pytest.raises(InputError, match="Nose or Head"):
            read_keypoints(path)
    else:
        with pytest.raises(InputError, match=message):
            read_keypoints(path)


def test_sleap(tmp_path: Path):
    detections = read_keypoints(write.sleap(tmp_path, FRAMES))
    assert (detections.tool, detections.skeleton) == ("SLEAP", COCO_17)
    check(detections, FRAMES, tracks=True)


def test_sleap_tracks_with_names_and_without(tmp_path: Path):
    path = write.sleap(tmp_path, FRAMES)
    path.write_text(path.read_text().replace("track_0", "anna").replace("track_1", "ben"))
    check(read_keypoints(path), FRAMES, tracks=True)
    path.write_text(path.read_text().replace("anna", "").replace("ben", ""))
    check(read_keypoints(path), FRAMES, tracks=False)


@pytest.mark.parametrize(("writer", "frame"), [(write.deeplabcut, "\n11,"), (write.sleap, ",11,")])
def test_damaged_tables(tmp_path: Path, writer, frame: str):
    path = writer(tmp_path, FRAMES)
    text = path.read_text()
    for before, after, message in [
        ("100.0", "left", "'left' is no number"),
        ("100.0", "1e99", "absurdly far"),
        (frame, frame.replace("11", "1.5"), "no frame number"),
    ]:
        assert before in text
        path.write_text(text.replace(before, after, 1))
        try:
            (said,) = read_keypoints(path).notes
        except InputError as error:  # what tells the frame concerns everybody in it
            said = str(error)
        assert message in said
        assert path.name in said
    path.write_text(text[:-40])
    with pytest.raises(InputError, match="cut off"):
        read_keypoints(path)


# Written by others' libraries: pandas as DeepLabCut uses it, and sleap-io, which orders its columns as it likes.
# Joint i in frame f stands at x 100 + 10 i + f, y 200 + 20 i + f with likelihood 0.5 + i / 100; ben 300 px further.
BODY_NAMES = [
    "Nose",
    *(side + joint for joint in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle") for side in "LR"),
]


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("deeplabcut_single.csv", {0: [None], 1: [None], 2: [None]}),
        ("deeplabcut_multi.csv", {0: [0, 1], 1: [0], 2: [0, 1]}),
        ("sleap.csv", {0: [0, 1], 1: [0], 5: [0, 1]}),
    ],
)
def test_tables_by_their_own_writers(name: str, people: dict[int, list[int | None]]):
    detections = read_keypoints(Path(__file__).parent / "fixtures" / name)
    assert {frame: [p.track_id for p in seen] for frame, seen in detections.frames.items()} == people
    for frame, seen in detections.frames.items():
        for person in seen:
            offset = frame + 300 * (person.track_id or 0)
            for number, joint in enumerate(BODY_NAMES):
                expected = [100 + 10 * number + offset, 200 + 20 * number + offset, 0.5 + number / 100]
                actual = person.keypoints_px[detections.skeleton.index(joint)]
                np.testing.assert_allclose(actual, expected)


def test_hdf5_asks_for_csv(tmp_path: Path):
    (tmp_path / "clipDLC.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputError, match="export CSV"):
        read_keypoints(tmp_path / "clipDLC.h5")


# MediaPipe: fractions of width and of height.

BODY = write.distinct(MEDIAPIPE_33)
LANDMARKS = write.landmarks(BODY, SIZE)


@pytest.mark.parametrize(
    "content",
    [
        [LANDMARKS, [], LANDMARKS],
        [LANDMARKS, None, LANDMARKS],
        [{"pose_landmarks": LANDMARKS}, {"pose_landmarks": []}, {"pose_landmarks": [LANDMARKS]}],
        {"frames": [{"frame": 2, "pose_landmarks": {"landmark": LANDMARKS}}, {"frame": 0, "landmarks": [LANDMARKS]}]},
    ],
)
def test_mediapipe_json(tmp_path: Path, content: object):
    path = write.dump(tmp_path / "m.json", content)
    detections = read_keypoints(path, picture_size=SIZE)
    assert (detections.tool, detections.skeleton) == ("MediaPipe", MEDIAPIPE_33)
    check(detections, {0: [(BODY, None)], 2: [(BODY, None)]}, tracks=False)
    with pytest.raises(InputError, match=r"fractions of the picture"):
        read_keypoints(path)


def csv_row(keypoints: np.ndarray) -> list[object]:
    points = keypoints / [*SIZE, 1]
    return [value for x, y, v in points.tolist() for value in (x, y, -0.2, v)]


@pytest.mark.parametrize(
    "header",
    [
        None,
        [f"{axis}{i}" for i in range(1, 34) for axis in "xyzv"],
        [f"landmark_{i}_{axis}" for i in range(33) for axis in ("x", "y", "z", "visibility")],
        [f"{joint}_{axis}" for joint in MEDIAPIPE_33.joints for axis in ("x", "y", "z", "visibility")],
        [f"{joint}.{axis}" for joint in MEDIAPIPE_33.joints for axis in ("X", "Y", "Z", "V")],
    ],
)
@pytest.mark.parametrize("numbered", [False, True])
def test_mediapipe_csv(tmp_path: Path, header: list[str] | None, numbered: bool):
    rows = [([frame] if numbered else []) + csv_row(BODY) for frame in (4, 6)]
    titles = [] if header is None else [["frame"] * numbered + header]
    detections = read_keypoints(write.table(tmp_path / "m.csv", titles + rows), picture_size=SIZE)
    assert detections.tool == "MediaPipe"
    frames = (4, 6) if numbered else (0, 1)
    check(detections, {frame: [(BODY, None)] for frame in frames}, tracks=False)


def test_mediapipe_in_pixels_already(tmp_path: Path):
    path = write.dump(tmp_path / "m.json", [write.landmarks(BODY, (1, 1))])
    check(read_keypoints(path), {0: [(BODY, None)]}, tracks=False)


def test_mediapipe_names_in_another_order(tmp_path: Path):
    order = np.random.default_rng(1).permutation(33)
    header = [f"{MEDIAPIPE_33.joints[i]}_{axis}" for i in order for axis in ("x", "y", "z", "visibility")]
    path = write.table(tmp_path / "m.csv", [header, csv_row(BODY[order])])
    check(read_keypoints(path, picture_size=SIZE), {0: [(BODY, None)]}, tracks=False)


def test_tables_of_something_else(tmp_path: Path):
    for number, rows in enumerate([[["a", "b"], [1, 2]], [[5.0] * 132], [[0.5] * 99], [["x1", "y1"], [1, 2]]]):
        path = write.table(tmp_path / f"{number}.csv", rows)
        with pytest.raises(InputError, match="this layout is unknown"):
            read_keypoints(path)


# NumPy files.


def test_detectron(tmp_path: Path):
    path = write.detectron(tmp_path, FRAMES, SIZE)
    detections = read_keypoints(path)
    assert (detections.tool, detections.skeleton, detections.picture_size) == ("Detectron", COCO_17, SIZE)
    assert list(detections.frames) == list(range(12))
    check(detections, FRAMES, tracks=False)
    detections.check_fits_picture(*SIZE)
    with pytest.raises(InputError, match="made from a picture of 1000x800, not 640x480"):
        detections.check_fits_picture(640, 480)


def test_videopose3d(tmp_path: Path):
    points = np.stack([write.distinct(COCO_17, shift)[:, :2] for shift in range(5)])
    detections = read_keypoints(write.videopose3d(tmp_path, points, SIZE))
    assert (detections.tool, detections.skeleton, detections.picture_size) == ("VideoPose3D", COCO_17, SIZE)
    for frame in range(5):
        (person,) = detections.frames[frame]
        np.testing.assert_allclose(person.keypoints_px[:, :2], points[frame], atol=1e-4)
        assert (person.keypoints_px[:, 2] == 1).all()
    path = write.videopose3d(tmp_path, points, SIZE, layout_name="h36m")
    assert read_keypoints(path).skeleton is H36M_17
    path = write.videopose3d(tmp_path, points, SIZE, layout_name="mine")
    with pytest.raises(InputError, match=r"layout_name is 'mine'.*`skeleton`"):
        read_keypoints(path)


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


@pytest.mark.parametrize("name", ["keypoints", "positions_2d"])
def test_pickles_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(tmp_path)
    np.savez("evil.npz", **{name: np.array([Evil()], object), "boxes": np.zeros(1)})
    with pytest.raises(InputError, match=r"this pickle wants to use .*system"):
        read_keypoints("evil.npz")
    assert not Path("pwned").exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"boxes": 0, "keypoints": np.zeros(3)}, "no list of classes"),
        ({"boxes": 0, "keypoints": np.zeros((2, 2, 5, 3, 17))}, "expected .people, 4, joints"),
        ({"boxes": 0, "keypoints": np.ones((2, 2, 5, 4, 9))}, "9 joints a person; expected 17"),
        ({"positions_2d": np.array({}, object)}, "holds no recording"),
        (
            {"positions_2d": np.array({"a": {"Walk": [np.zeros((3, 17, 2))] * 4}}, object)},
            "4 recordings in one",
        ),
        ({"positions_2d": np.array({"a": {"Walk": [np.zeros((3, 17, 3))]}}, object)}, "expected .frames, joints, 2"),
        ({"something": np.zeros(3), "else": np.zeros(3)}, "unknown .it holds else, something"),
        ({"keypoints": np.zeros((3, 2, 17, 2)), "scores": np.zeros((3, 17))}, "scores of shape"),
        ({"keypoints": np.zeros((3, 17))}, "expected .frames, joints, 2 or 3"),
        ({"keypoints": np.full((3, 17, 2), 1e9)}, "absurdly far"),
    ],
)
def test_damaged_npz(tmp_path: Path, arrays: dict, message: str):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(InputError, match=message) as caught:
        read_keypoints(tmp_path / "bad.npz", skeleton=None if "9 joints" in message else "coco17")
    assert "bad.npz" in str(caught.value)


@pytest.mark.parametrize("dims", [2, 3])
def test_plain_arrays_need_a_skeleton(tmp_path: Path, dims: int):
    points = np.stack([write.distinct(H36M_17), np.full((17, 3), np.nan), write.distinct(H36M_17, 9.0)])
    np.save(tmp_path / "k.npy", points[..., :dims])
    with pytest.raises(InputError, match=r"17 joints does not say which.*`skeleton`\), one of h36m17, h36m25, coco17"):
        read_keypoints(tmp_path / "k.npy")
    detections = read_keypoints(tmp_path / "k.npy", skeleton="h36m17")
    assert detections.skeleton is H36M_17
    assert [len(people) for people in detections.frames.values()] == [1, 0, 1]
    expected = points[2] if dims == 3 else np.concatenate([points[2][:, :2], np.ones((17, 1))], axis=-1)
    np.testing.assert_allclose(detections.frames[2][0].keypoints_px, expected)
    np.savez(tmp_path / "k.npz", points[:, None, :, :dims])
    again = read_keypoints(tmp_path / "k.npz", skeleton="h36m17")
    np.testing.assert_allclose(again.frames[2][0].keypoints_px, expected)


def test_arrays_that_are_no_keypoints(tmp_path: Path):
    np.save(tmp_path / "3d.npy", np.random.default_rng(0).normal(0, 500, (4, 17, 3)))
    with pytest.raises(InputError, match="are no confidences"):
        read_keypoints(tmp_path / "3d.npy", skeleton="coco17")
    np.save(tmp_path / "o.npy", np.array([Evil()], object))
    with pytest.raises(InputError, match="array of objects"):
        read_keypoints(tmp_path / "o.npy", skeleton="coco17")
    np.save(tmp_path / "t.npy", np.array([["a"]]))
    with pytest.raises(InputError, match="expected numbers"):
        read_keypoints(tmp_path / "t.npy", skeleton="coco17")
    whole = (tmp_path / "3d.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut\.npy: .*takes 1,632 bytes, the file has 752"):
        read_keypoints(tmp_path / "cut.npy", skeleton="coco17")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04" + bytes(50))
    with pytest.raises(InputError, match=r"cut\.npz: damaged or no \.npz"):
        read_keypoints(tmp_path / "cut.npz")
    np.save(tmp_path / "k.npy", np.ones((4, 26, 2)))
    with pytest.raises(InputError, match="26 joints a person; the skeleton coco17 has 17"):
        read_keypoints(tmp_path / "k.npy", skeleton="coco17")
