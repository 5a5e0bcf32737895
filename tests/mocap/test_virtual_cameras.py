import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.geometry.cameras import Camera, look_at, project
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.mocap.virtual_cameras import CameraRanges, draw_view

JOINTS = procedural_recordings(1, seconds=5.0, seed=1)[0].joints_m.astype(np.float64)
FPS = 50.0


def pitch_deg(R: np.ndarray) -> float:
    """Angle of the optical axis below the horizon."""
    return float(np.degrees(np.arcsin(-R[..., 2, 2])))


def test_pitch_is_what_was_asked_for():
    ranges = CameraRanges(pitch_deg=(-60.0, 60.0), aim_offset_m=0.0, roll_deg=0.0)
    rng = np.random.default_rng(0)
    cameras = [draw_view(JOINTS, FPS, ranges, rng) for _ in range(80)]
    found = [pitch_deg(camera.R) for camera in cameras if isinstance(camera, Camera)]
    assert len(found) == 80
    assert -60.1 < min(found) < -45
    assert 45 < max(found) < 60.1
    for camera in cameras:
        assert isinstance(camera, Camera)
        level = np.array(camera.centre_m) - JOINTS.mean((0, 1))
        # A camera that looks down stands above the person.
        assert np.sign(level[2]) == np.sign(pitch_deg(camera.R))


def test_roll_stays_within_its_limit():
    ranges = CameraRanges(pitch_deg=(0.0, 10.0), roll_deg=30.0, roll_limit_deg=20.0, visible=0.5)
    rng = np.random.default_rng(0)
    for _ in range(40):
        camera = draw_view(JOINTS, FPS, ranges, rng)
        assert camera is not None
        # The horizon's slope in the picture: right is level without roll.
        assert abs(np.degrees(np.arcsin(camera.R[0, 2]))) < 20.1


def test_people_are_off_centre_when_asked_for():
    def offsets(off_centre: float) -> np.ndarray:
        ranges = CameraRanges(pitch_deg=(-10.0, 10.0), aim_offset_m=0.0, off_centre=off_centre, visible=0.3)
        rng, found = np.random.default_rng(0), []
        for _ in range(60):
            camera = draw_view(JOINTS, FPS, ranges, rng)
            assert camera is not None
            points = project(camera.to_camera(JOINTS), camera.K).mean((0, 1))
            found.append((points - [camera.width / 2, camera.height / 2]) / (max(camera.width, camera.height) / 2))
        return np.array(found).std(0)

    assert offsets(0.0).max() < 0.1
    assert offsets(0.3)[0] == pytest.approx(0.3, abs=0.09)


def test_moving_cameras_move_smoothly_and_see_the_motion():
    ranges = CameraRanges(moving=1.0, pitch_deg=(-10.0, 20.0))
    rng = np.random.default_rng(0)
    for _ in range(10):
        camera = draw_view(JOINTS, FPS, ranges, rng)
        assert camera is not None
        assert camera.moves
        assert np.allclose(camera.R @ camera.R.transpose(0, 2, 1), np.eye(3), atol=1e-9)
        assert np.allclose(np.linalg.det(camera.R), 1.0)
        assert np.linalg.norm(np.ptp(camera.centre_m, axis=0)) > 0.01
        assert np.linalg.norm(np.diff(camera.centre_m, axis=0), axis=-1).max() * FPS < 2.0
        seen = camera.to_camera(JOINTS)
        points = project(seen, camera.K)
        assert ((points >= 0) & (points < [camera.width, camera.height])).all(-1).mean() >= ranges.visible
        for frame in (0, 100):
            still = Camera(camera.R[frame], camera.centre_m[frame], camera.focal_px, camera.width, camera.height)
            assert np.allclose(still.to_camera(JOINTS[frame]), seen[frame])


def test_half_of_the_cameras_move_where_half_are_asked_for():
    rng = np.random.default_rng(0)
    drawn = [draw_view(JOINTS[:60], FPS, CameraRanges(moving=0.5), rng) for _ in range(100)]
    assert 35 <= sum(camera is not None and camera.moves for camera in drawn) <= 65


def test_looking_frame_by_frame_is_looking():
    rng = np.random.default_rng(0)
    centre, target, roll = rng.normal(size=(5, 3)) * 4, rng.normal(size=(5, 3)), rng.normal(size=5)
    expected = [look_at(*each) for each in zip(centre, target, roll, strict=True)]
    assert np.allclose(look_at(centre, target, roll), expected)


@pytest.mark.parametrize(
    ("change", "word"),
    [({"pitch_deg": (-90.0, 0.0)}, "pitch_deg"), ({"pitch_deg": (5.0, 0.0)}, "pitch_deg"), ({"moving": 2.0}, "moving")],
)
def test_impossible_ranges_are_refused(change, word):
    with pytest.raises(InputError, match=word):
        CameraRanges(**change)
