"""A camera that is held at a roll films somebody; whoever gives its roll gets what an upright camera would give."""

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from placed_people import STANDING_M, camera_at, person_walking, see
from wild_people import alphapose_entry, standing, write_alphapose

from hyperlift.body.person import LiftedTrack, Person
from hyperlift.cli.main import run as hyperlift
from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.geometry.cameras import project
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.timestamps import even_times
from hyperlift.lifting.camera_roll import (
    MIN_ROLL_DEG,
    contradicting_roll,
    lift_and_find_roll,
    roll_warning,
    upright_predictor,
)
from hyperlift.lifting.lift import lift_people, track_people
from hyperlift.motion.formats.poses_npz import read_poses
from hyperlift.placement.lens import Intrinsics, assumed_intrinsics, fov_intrinsics
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17

main = partial(hyperlift, "lift")


SIDE_PX, FRAMES = 1000, 40
SPEC = LifterSpec(name="test", label_space="camera", n_frames=27)


def walk(frame: int, roll_deg: float) -> np.ndarray:
    """Somebody who crosses the picture, seen by a camera that is turned clockwise: they appear counter-clockwise."""
    keypoints_px = standing(COCO_17, 450.0 + 2.0 * frame, 480.0 + frame)
    angle = np.radians(roll_deg)
    x, y = (keypoints_px[:, :2] - SIDE_PX / 2).T
    turned_px = np.stack([np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x], axis=-1)
    return np.concatenate([turned_px + SIDE_PX / 2, keypoints_px[:, 2:]], axis=-1)


def lifted(roll_deg: float, given_deg: float) -> tuple[LiftedTrack, np.ndarray]:
    """The person, and what the network saw."""
    seen = []

    def bent(pose2d_norm: np.ndarray) -> np.ndarray:
        """Knows up from down: what lies lower in the picture is nearer."""
        seen.append(pose2d_norm)
        flat = pose2d_norm - pose2d_norm[:, :, :1]
        return np.concatenate([flat[..., :2], -0.3 * flat[..., 1:2]], axis=-1)

    frames = {frame: [Detection(walk(frame, roll_deg), track_id=0)] for frame in range(FRAMES)}
    detections = Detections(source="walk", tool="test", skeleton=COCO_17, frames=frames)
    time_s = even_times(FRAMES, 30.0)
    tracks = track_people(detections, SIDE_PX, SIDE_PX, time_s)
    predict = upright_predictor(FlipAveraged(bent, H36M_17), SPEC, given_deg, None)
    (person,) = lift_people(predict, SPEC, tracks, SIDE_PX, SIDE_PX, time_s)
    return person, seen[0]


@pytest.mark.parametrize("roll_deg", [-30.0, 90.0])
def test_the_lifter_sees_what_an_upright_camera_sees_and_its_answer_is_turned_back(roll_deg: float):
    upright_person, seen_upright = lifted(0.0, 0.0)
    rolled, seen_rolled = lifted(roll_deg, roll_deg)
    np.testing.assert_allclose(seen_rolled, seen_upright, atol=2e-6)
    cos, sin = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    x, y, z = np.moveaxis(upright_person.pose_norm, -1, 0)
    np.testing.assert_allclose(rolled.pose_norm, np.stack([cos * x + sin * y, cos * y - sin * x, z], -1), atol=5e-6)
    # What was lifted is still told in the picture's own pixels.
    np.testing.assert_allclose(rolled.keypoints_px[7, 1, :2], walk(7, roll_deg)[COCO_17.index("RHip"), :2], atol=1e-3)


def test_without_its_roll_the_lifter_sees_another_picture():
    assert np.abs(lifted(30.0, 0.0)[1] - lifted(0.0, 0.0)[1]).max() > 0.05


def test_nothing_known_changes_nothing():
    def predict(pose2d_norm: np.ndarray) -> np.ndarray:
        return pose2d_norm

    assert upright_predictor(predict, SPEC, 0.0, None) is predict
    assert upright_predictor(predict, SPEC, 0.0, assumed_intrinsics(640, 480)) is predict
    picture_space = LifterSpec(name="h36m", label_space="image")
    assert upright_predictor(predict, picture_space, 0.0, fov_intrinsics(70, 640, 480)) is predict
    assert upright_predictor(predict, SPEC, 0.0, fov_intrinsics(70, 640, 480)) is not predict


def test_with_a_known_lens_a_person_off_centre_is_lifted_as_by_a_camera_that_looks_at_them():
    """The oracle knows every pose in its own camera's axes by where the picture's middle is."""
    world_m = person_walking(30, velocity=(0.3, 0.0))
    aside = camera_at((0, -4, 1.0), (1.6, 0, 1.0), roll_deg=15.0)
    lens = Intrinsics(fx_px=1100, fy_px=1100, cx_px=640, cy_px=360, width=1280, height=720, source="test")
    filmed = project(aside.to_camera(world_m), aside.K)
    clip = np.concatenate([normalise_points(filmed, 1280, 720), np.ones((30, 17, 1))], -1).astype(np.float32)
    seen = []

    def oracle(pose2d_norm: np.ndarray) -> np.ndarray:
        seen.append(pose2d_norm)
        return np.broadcast_to(STANDING_M[:, [0, 2, 1]] * [1, -1, 1], pose2d_norm.shape).astype(np.float32)

    answer = upright_predictor(oracle, SPEC, 15.0, lens)(clip[None])[0]
    middle = seen[0][0, ..., :2].mean((0, 1))
    np.testing.assert_allclose(middle, 0.0, atol=0.02)
    spine = answer[0, H36M_17.index("Thorax")] - answer[0, 0]
    # Up in the answer is up of the camera that filmed, rolled clockwise by 15 degrees.
    np.testing.assert_allclose(spine[:2] / np.linalg.norm(spine), -np.sin(np.radians([15, 75])), atol=0.01)
    # A body that faces a camera which looks at it is turned as that camera is.
    across = answer[0, H36M_17.index("RHip")] - answer[0, H36M_17.index("LHip")]
    direction = clip[..., 0].mean() * 640 / 1100
    assert np.degrees(np.arctan(direction)) == pytest.approx(np.degrees(np.arctan2(-across[2], across[0])), abs=3.0)


def test_a_found_roll_is_taken_out_until_it_stays():
    asked = []

    def lift_at(roll_deg: float) -> float:
        asked.append(roll_deg)
        return roll_deg

    # Each pass finds two thirds of what is missing to 60 degrees.
    poses, roll_deg = lift_and_find_roll(lift_at, lambda at: (at + (60 - at) * 2 / 3, 4.0))
    assert asked == [0.0, 40.0, pytest.approx(53.333, abs=1e-3)]
    assert poses == roll_deg == asked[-1]
    asked.clear()
    assert lift_and_find_roll(lift_at, lambda at: (MIN_ROLL_DEG - 0.1, 4.0)) == (0.0, 0.0)
    assert lift_and_find_roll(lift_at, lambda at: (45.0, 20.0)) == (0.0, 0.0)  # too unsure
    assert asked == [0.0, 0.0]


def test_the_command_gives_the_same_world_for_a_rolled_and_an_upright_camera(tmp_path: Path):
    worlds, poses = {}, {}
    for roll_deg in (0, 60):
        entries = [alphapose_entry(frame, 0.0, idx=1) for frame in range(FRAMES)]
        for frame, entry in enumerate(entries):
            entry["keypoints"] = walk(frame, roll_deg).ravel().tolist()
            entry["box"] = [0, 0, SIDE_PX, SIDE_PX]
        source = write_alphapose(tmp_path / f"{roll_deg}.json", entries)
        out = tmp_path / str(roll_deg)
        known = ["--camera-roll", str(roll_deg), "--camera-pitch", "0", "--video-size", f"{SIDE_PX}x{SIDE_PX}"]
        assert main([str(source), *known, "--fps", "30", "--no-render", "--out", str(out)]) == 0
        ((person,), _) = read_poses(out / "pose3d.npz")
        worlds[roll_deg], poses[roll_deg] = person.world_m, person.pose_norm
    heights_m = {roll_deg: world[..., 2] for roll_deg, world in worlds.items()}
    np.testing.assert_allclose(heights_m[60], heights_m[0], atol=2e-3)
    np.testing.assert_allclose(poses[60][..., 2], poses[0][..., 2], atol=1e-3)  # depth


def reported(tmp_path: Path, roll_deg: float, *known: str) -> dict:
    """What ``report.json`` says of the walk, filmed with a roll."""
    entries = [alphapose_entry(frame, 0.0, idx=1) for frame in range(FRAMES)]
    for frame, entry in enumerate(entries):
        entry["keypoints"] = walk(frame, roll_deg).ravel().tolist()
        entry["box"] = [0, 0, SIDE_PX, SIDE_PX]
    source, out = write_alphapose(tmp_path / "walk.json", entries), tmp_path / "out"
    arguments = ["--video-size", f"{SIDE_PX}x{SIDE_PX}", "--fps", "30", "--no-render", "--no-flip", "--out", str(out)]
    assert main([str(source), *known, *arguments]) == 0
    return json.loads((out / "report.json").read_text())


def gravity_line(report: dict) -> str:
    (line,) = [line for line in report["summary"] if line.startswith("gravity: ")]
    return line


def test_the_report_says_which_roll_was_found_and_how_surely(tmp_path: Path):
    report = reported(tmp_path, 40.0)
    gravity = report["gravity"]
    assert gravity["camera_roll_deg"] == pytest.approx(40.0, abs=12.0)
    assert gravity["levelled_deg"] == pytest.approx(40.0, abs=12.0)
    assert 0.0 < gravity["std_deg"] < 8.0
    assert not gravity["doubted"]
    line = gravity_line(report)
    assert f"up is known to ± {gravity['std_deg']:.0f}°; the camera looks" in line
    assert f"rolled {gravity['camera_roll_deg']:.0f}° clockwise" in line
    assert f"turned upright by {gravity['levelled_deg']:.0f}°" in line


def test_what_is_doubted_does_not_sound_sure(tmp_path: Path):
    report = reported(tmp_path, 0.0, "--camera-roll", "60")
    assert any(warning.startswith("`camera_roll_deg` is 60, but") for warning in report["warnings"])
    gravity = report["gravity"]
    assert gravity["doubted"]
    assert gravity["camera_roll_deg"] == pytest.approx(60.0)
    assert gravity["seen_roll_deg"] == pytest.approx(0.0, abs=10.0)
    line = gravity_line(report)
    assert f"the people contradict the roll: they show about {gravity['seen_roll_deg']:.0f} degrees" in line
    assert "; taken as it was given, the camera looks" in line
    assert "known" not in line


def test_an_unsure_up_says_so(tmp_path: Path):
    """Somebody who lies in the picture from the first frame to the last lies, or was filmed by a camera on its side."""
    report = reported(tmp_path, 90.0)
    assert report["gravity"]["doubted"]
    assert report["gravity"]["levelled_deg"] == 0.0
    assert f"up is not sure to ± {report['gravity']['std_deg']:.0f}°" in gravity_line(report)


@pytest.mark.parametrize("roll_deg", [0.0, 15.0, -90.0, 180.0])
def test_a_given_roll_that_the_people_contradict_is_doubted(roll_deg: float):
    filmed = see(person_walking(50, velocity=(0.3, 0.1)), camera_at((0, -4, 1.5), (0, 0, 1), roll_deg=roll_deg))
    people = [Person.of(**vars(filmed.track), joints_m=filmed.joints_m)]
    for given_deg in (roll_deg, roll_deg + 8.0 if roll_deg < 180.0 else -175.0):
        assert contradicting_roll(people, H36M_17, 1.7, given_deg) is None
    for given_deg in (roll_deg - 40.0, 90.0 - roll_deg / 2):
        found_deg = contradicting_roll(people, H36M_17, 1.7, given_deg)
        assert found_deg is not None
        said = roll_warning(given_deg, found_deg)
        assert said.startswith(f"`camera_roll_deg` is {given_deg:g}, but the people look as if")
        assert float(re.search(r"by about (-?\d+)", said)[1]) == round(found_deg)
        assert abs((found_deg - roll_deg + 180.0) % 360.0 - 180.0) <= 5.0


def test_a_roll_that_is_none():
    with pytest.raises(InputError, match=r"^`camera_roll_deg` is 200; give degrees within -180"):
        upright_predictor(lambda pose: pose, SPEC, 200.0, None)
    with pytest.raises(InputError, match=r"`camera_roll_deg` is nan"):
        upright_predictor(lambda pose: pose, SPEC, float("nan"), None)


def test_the_command_refuses_it_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source = write_alphapose(tmp_path / "walk.json", [alphapose_entry(f, 100.0 + f, idx=4) for f in range(20)])
    given = ["--camera-roll", "-200", "--video-size", "640x480", "--fps", "30", "--out", str(tmp_path / "out")]
    assert main([str(source), *given]) == 2
    error = capsys.readouterr().err
    assert "--camera-roll is -200; " in error
    assert "pitch" not in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
