import csv
import json
from pathlib import Path

import numpy as np
import pytest
from pipeline_recordings import HEIGHT, WIDTH, SpotDetector, write_spots
from wild_people import alphapose_entry, standing, write_alphapose, write_flat_lifter

import hyperlift
from hyperlift.errors import InputError
from hyperlift.motion.formats.poses_npz import read_poses
from hyperlift.pipeline.options import LiftOptions
from hyperlift.pipeline.progress import Timings
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17

OF_PICTURE = LiftOptions(picture_size=(WIDTH, HEIGHT), fps=25.0)


@pytest.fixture
def lifter(tmp_path: Path) -> hyperlift.Lifter:
    return hyperlift.Lifter(write_flat_lifter(tmp_path / "flat.onnx"))


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    return write_alphapose(tmp_path / "walk.json", [alphapose_entry(f, 200.0 + f, idx=4) for f in range(40)])


def test_a_video_through_a_detector_of_ones_own(tmp_path: Path, lifter: hyperlift.Lifter):
    video = write_spots(tmp_path / "spot.mp4", np.linspace(200, 400, 40))
    motion = lifter.lift(video, detector=SpotDetector())
    (person,) = motion.people
    assert person.frame.tolist() == list(range(40))
    np.testing.assert_allclose(person.time_s, np.arange(40) / 25, atol=1e-6)
    assert person.joints_m.shape == person.world_m.shape == (40, 17, 3)
    assert person.root_m.shape == (40, 3)
    np.testing.assert_array_equal(person.joints_m[:, H36M_17.root], person.root_m)
    assert (person.joints_m[..., 2] > 0).all(), "in front of the camera"
    # The spot moves to the right, by 200 px at the root's depth.
    moved_m = person.root_m[-1, 0] - person.root_m[0, 0]
    expected_m = 200 / motion.intrinsics.fx_px * np.median(person.root_m[:, 2])
    assert moved_m == pytest.approx(expected_m, rel=0.1)
    assert motion.detections.tool == "spot"
    assert motion.frames == len(motion.times_s) == 40


def test_uneven_time_stamps_come_back(tmp_path: Path, lifter: hyperlift.Lifter):
    times_s = np.cumsum([0.0, *([0.03, 0.05] * 15)])
    video = write_spots(tmp_path / "uneven.mp4", np.linspace(200, 300, len(times_s)), times_s=times_s)
    (person,) = lifter.lift(video, detector=SpotDetector()).people
    np.testing.assert_allclose(person.time_s, times_s, atol=2e-5)


def test_frames_with_nobody_are_normal(tmp_path: Path, lifter: hyperlift.Lifter):
    xs = np.full(60, 300.0)
    xs[:10] = xs[30:36] = xs[55:] = np.nan
    (person,) = lifter.lift(write_spots(tmp_path / "v.mp4", xs), detector=SpotDetector()).people
    assert (person.frame[0], person.frame[-1]) == (10, 54)
    assert person.valid.all(), "a gap of a quarter of a second is bridged"
    assert person.bridged[20:26].all()
    assert not person.bridged[:20].any()


def test_saved_files_hold_the_same(tmp_path: Path, lifter: hyperlift.Lifter, walk: Path):
    motion = lifter.lift(walk, options=OF_PICTURE)
    (person,) = motion.people
    for suffix in ("npz", "json", "csv"):
        motion.save(tmp_path / f"poses.{suffix}")
    (stored,), meta = read_poses(tmp_path / "poses.npz")
    np.testing.assert_array_equal(stored.joints_m, person.joints_m)
    np.testing.assert_array_equal(stored.world_m, person.world_m)
    assert meta["intrinsics"]["assumed"] is True
    assert meta["height"]["height_m"] == 1.70
    content = json.loads((tmp_path / "poses.json").read_text())
    assert content["meta"]["video_size"] == [WIDTH, HEIGHT]
    with (tmp_path / "poses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40
    x_m = float(rows[7]["LWrist_x_m"])
    assert x_m == pytest.approx(person.joints_m[7, H36M_17.index("LWrist"), 0], abs=1e-4)
    with pytest.raises(InputError, match=r"\.npz, \.json, \.csv"):
        motion.save(tmp_path / "poses.xlsx")


def test_keypoints_saved_and_lifted_again(tmp_path: Path, lifter: hyperlift.Lifter):
    video = write_spots(tmp_path / "spot.mp4", np.linspace(200, 400, 30))
    first = lifter.lift(video, detector=SpotDetector())
    first.save_keypoints(tmp_path / "found.json")
    again = lifter.lift(tmp_path / "found.json", video=video)
    np.testing.assert_allclose(again.people[0].joints_m, first.people[0].joints_m, atol=2e-3)


def test_a_taller_person_is_farther_away(lifter: hyperlift.Lifter, walk: Path):
    size = {"picture_size": (WIDTH, HEIGHT), "fps": 25.0}
    (small,) = lifter.lift(walk, options=LiftOptions(height_m=1.50, **size)).people
    (tall,) = lifter.lift(walk, options=LiftOptions(height_m=1.80, **size)).people
    np.testing.assert_allclose(tall.root_m, small.root_m * 1.2, rtol=2e-2, atol=2e-2)


def test_the_size_does_not_depend_on_the_order_of_lifting(lifter: hyperlift.Lifter, walk: Path):
    first = lifter.lift(walk, options=OF_PICTURE)
    second = lifter.lift(walk, options=OF_PICTURE)
    np.testing.assert_array_equal(first.people[0].world_m, second.people[0].world_m)


def test_stages_are_told_and_timed(tmp_path: Path, lifter: hyperlift.Lifter):
    told: list[tuple[str, int, int | None]] = []
    timings = Timings()
    lifter.lift(
        write_spots(tmp_path / "v.mp4", [300.0] * 12),
        detector=SpotDetector(),
        progress=lambda *step: told.append(step),
        timings=timings,
    )
    assert [step for step in told if step[0] == "detect"] == [("detect", n + 1, 12) for n in range(12)]
    assert told[-1] == ("lift", 12, 12)
    assert timings.frames["decode"] == timings.frames["detect"] == timings.frames["lift"] == 12
    assert timings.table().splitlines()[0].split() == ["stage", "seconds", "share", "frames/s"]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"height_m": 17.0}, r"`height_m` is 17"),
        ({"fov_deg": 200.0}, r"`fov_deg` is 200"),
        ({"fov_deg": 60.0, "intrinsics": Path("k.yaml")}, "give one of them"),
        ({"camera_pitch_deg": 500.0}, r"`camera_pitch_deg` is 500"),
        ({"min_confidence": 1.0}, r"`min_confidence` is 1"),
    ],
)
def test_impossible_choices(choice: dict, message: str):
    with pytest.raises(InputError, match=message):
        LiftOptions(**choice)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({}, "size and frame rate .*`picture_size`, `fps`"),
        ({"fps": 25.0}, r"size is not known; give it \(`picture_size`\), or .*`video`"),
        ({"picture_size": (WIDTH, HEIGHT)}, r"rate is not known; give it \(`fps`\), or .*`video`"),
        ({"picture_size": (WIDTH, HEIGHT), "fps": 25.0, "people": (7,)}, r"person 7 \(`people`\)"),
    ],
)
def test_mistakes_name_the_field(lifter: hyperlift.Lifter, walk: Path, choice: dict, message: str):
    with pytest.raises(InputError, match=message):
        lifter.lift(walk, options=LiftOptions(**choice))


def test_a_lifter_says_what_it_is():
    assert repr(hyperlift.Lifter("nano")) == "Lifter(nano: h36m17, 25 frames/s, 81 frames at once)"


def test_a_video_without_anybody(tmp_path: Path, lifter: hyperlift.Lifter):
    with pytest.raises(InputError, match="nobody is in it"):
        lifter.lift(write_spots(tmp_path / "v.mp4", [np.nan] * 12), detector=SpotDetector())


def test_a_video_without_a_detector(tmp_path: Path, lifter: hyperlift.Lifter):
    video = write_spots(tmp_path / "v.mp4", [300.0] * 3)
    with pytest.raises(InputError, match=r"`detector` is none"):
        lifter.lift(video, options=LiftOptions(detector="none"))


def test_keypoints_of_a_longer_video(tmp_path: Path, lifter: hyperlift.Lifter, walk: Path):
    video = write_spots(tmp_path / "v.mp4", [300.0] * 3)
    with pytest.raises(InputError, match=r"has keypoints of frame 39, but .* has 3 frames"):
        lifter.lift(walk, video=video)


def test_the_public_names():
    assert hyperlift.Lifter.__module__ == "hyperlift.pipeline.lifter"
    assert hyperlift.LiftOptions is LiftOptions
    with pytest.raises(AttributeError, match="no attribute 'Lift'"):
        hyperlift.Lift  # noqa: B018


def test_a_stream_gives_what_was_seen_before(lifter: hyperlift.Lifter):
    """The flat lifter returns the picture, so the pose of a frame is that frame's keypoints around the pelvis."""
    stream = lifter.stream(WIDTH, HEIGHT, fps=25.0, lookahead=2, skeleton="coco17")
    poses = [stream.push(standing(COCO_17, 200.0 + frame)) for frame in range(20)]
    assert poses[:2] == [None, None]
    assert [pose.index for pose in poses[2:] if pose is not None] == list(range(18))
    keypoints_px = standing(COCO_17, 200.0)
    expected = (keypoints_px[9, :2] - keypoints_px[11:13, :2].mean(0)) * 2 / WIDTH
    np.testing.assert_allclose(poses[10].pose_norm[H36M_17.index("LWrist"), :2], expected, atol=1e-3)
