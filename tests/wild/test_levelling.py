"""A camera that is held at a roll films somebody; whoever gives its roll gets what an upright camera would give."""

from pathlib import Path

import numpy as np
import pytest
from wild_people import alphapose_entry, standing, write_alphapose

from hyperlift.cli.lift import main
from hyperlift.errors import InputError
from hyperlift.geometry.contract import LifterSpec
from hyperlift.skeletons import COCO_17
from hyperlift.wild.keypoints import Detection, Detections, LiftedPerson
from hyperlift.wild.levelling import unrolled_view
from hyperlift.wild.lift import lift_people, people_in
from hyperlift.wild.poses_npz import read_poses
from hyperlift.wild.timing import even_times

SIDE_PX, FRAMES = 1000, 40


def walk(frame: int, roll_deg: float) -> np.ndarray:
    """Somebody who crosses the picture, seen by a camera that is turned clockwise: they appear counter-clockwise."""
    keypoints_px = standing(COCO_17, 450.0 + 2.0 * frame, 480.0 + frame)
    angle = np.radians(roll_deg)
    x, y = (keypoints_px[:, :2] - SIDE_PX / 2).T
    turned_px = np.stack([np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x], axis=-1)
    return np.concatenate([turned_px + SIDE_PX / 2, keypoints_px[:, 2:]], axis=-1)


def lifted(roll_deg: float, given_deg: float) -> tuple[LiftedPerson, np.ndarray]:
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
    spec = LifterSpec(name="bent", label_space="camera", n_frames=27)
    tracks = people_in(detections, SIDE_PX, SIDE_PX, time_s)
    view = unrolled_view(given_deg, SIDE_PX, SIDE_PX)
    (person,) = lift_people(bent, spec, tracks, SIDE_PX, SIDE_PX, time_s, view=view)
    return person, seen[0]


@pytest.mark.parametrize("roll_deg", [-30.0, 90.0])
def test_the_lifter_sees_what_an_upright_camera_sees_and_its_answer_is_turned_back(roll_deg: float):
    upright, seen_upright = lifted(0.0, 0.0)
    rolled, seen_rolled = lifted(roll_deg, roll_deg)
    np.testing.assert_allclose(seen_rolled, seen_upright, atol=2e-6)
    cos, sin = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    x, y, z = np.moveaxis(upright.pose_norm, -1, 0)
    np.testing.assert_allclose(rolled.pose_norm, np.stack([cos * x + sin * y, cos * y - sin * x, z], -1), atol=5e-6)
    # What was lifted is still told in the picture's own pixels.
    np.testing.assert_allclose(rolled.keypoints_px[7, 1, :2], to_px(walk(7, roll_deg), "RHip"), atol=1e-3)


def to_px(keypoints_px: np.ndarray, joint: str) -> np.ndarray:
    return keypoints_px[COCO_17.index(joint), :2]


def test_without_its_roll_the_lifter_sees_another_picture():
    assert np.abs(lifted(30.0, 0.0)[1] - lifted(0.0, 0.0)[1]).max() > 0.05
    assert unrolled_view(0.0, SIDE_PX, SIDE_PX) is None


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


def test_a_roll_that_is_none():
    with pytest.raises(InputError, match="--camera-roll 200"):
        unrolled_view(200.0, 640, 480)
    with pytest.raises(InputError, match="--camera-roll nan"):
        unrolled_view(float("nan"), 640, 480)


def test_the_command_refuses_it_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source = write_alphapose(tmp_path / "walk.json", [alphapose_entry(f, 100.0 + f, idx=4) for f in range(20)])
    given = ["--camera-roll", "-200", "--video-size", "640x480", "--fps", "30", "--out", str(tmp_path / "out")]
    assert main([str(source), *given]) == 2
    error = capsys.readouterr().err
    assert "--camera-roll -200" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
