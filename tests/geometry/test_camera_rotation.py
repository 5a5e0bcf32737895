import numpy as np
import pytest
from placed_people import camera_at, person_walking

from hyperlift.errors import InputError
from hyperlift.geometry.camera_rotation import CAMERA_UP, look_rotation, rotate_keypoints, rotate_pose
from hyperlift.geometry.cameras import Camera, project
from hyperlift.placement.world_frame import up_from_pitch_roll

WALK_M = person_walking(20, start=(-0.6, 0.3), velocity=(0.9, 0.2), heading=0.7)
AHEAD = np.array([0.0, 0.0, 1.0])


def keypoints(camera: Camera) -> np.ndarray:
    points_px = project(camera.to_camera(WALK_M), camera.K)
    confidence = np.random.default_rng(0).uniform(0.1, 1.0, (*points_px.shape[:2], 1))
    return np.concatenate([points_px, confidence], axis=-1)


def up_of(camera: Camera) -> np.ndarray:
    return camera.R @ [0.0, 0.0, 1.0]


@pytest.mark.parametrize("roll_deg", [-90.0, -25.0, 10.0, 170.0])
def test_levelled_keypoints_of_a_rolled_camera_are_those_of_the_same_camera_unrolled(roll_deg: float):
    upright, rolled = (camera_at((1, -4, 2.5), (0, 0, 1), roll) for roll in (0.0, roll_deg))
    turn = look_rotation(AHEAD, up_from_pitch_roll(0.0, roll_deg))
    np.testing.assert_allclose(rotate_keypoints(keypoints(rolled), rolled.K, turn), keypoints(upright), atol=1e-9)
    # The pose that the upright camera sees is turned back into the rolled camera's axes.
    back = rotate_pose(upright.to_camera(WALK_M), turn.T)
    np.testing.assert_allclose(back, rolled.to_camera(WALK_M), atol=1e-12)


def test_a_roll_needs_no_focal_length():
    rolled = camera_at((1, -4, 2.5), (0, 0, 1), 35.0)
    turn = look_rotation(AHEAD, up_from_pitch_roll(0.0, 35.0))
    other_lens = rolled.K * [[2.0, 1, 1], [1, 2.0, 1], [1, 1, 1]]
    seen_px = keypoints(rolled)
    np.testing.assert_allclose(rotate_keypoints(seen_px, rolled.K, turn), rotate_keypoints(seen_px, other_lens, turn))


def test_a_camera_turned_level_sees_what_a_level_camera_sees():
    tilted = camera_at((1, -4, 2.5), (0, 0, 1), 20.0)
    up = up_of(tilted)
    turn = look_rotation(AHEAD - (AHEAD @ up) * up, up)
    np.testing.assert_allclose(turn @ up, CAMERA_UP, atol=1e-12)
    level = Camera(turn @ tilted.R, tilted.centre_m, tilted.focal_px, tilted.width, tilted.height)
    np.testing.assert_allclose(rotate_keypoints(keypoints(tilted), tilted.K, turn), keypoints(level), atol=1e-9)


def test_a_camera_turned_towards_a_person_sees_them_in_the_middle_and_upright():
    camera = camera_at((1, -4, 2.5), (2.0, 0, 0.4), 30.0)
    up = up_of(camera)
    pelvis_m = camera.to_camera(WALK_M)[:, 0]
    turn = look_rotation(pelvis_m, up)
    assert turn.shape == (20, 3, 3)
    np.testing.assert_allclose(np.linalg.det(turn), 1.0)
    seen_px = rotate_keypoints(keypoints(camera), camera.K, turn)
    np.testing.assert_allclose(seen_px[:, 0, :2], np.broadcast_to([640.0, 360.0], (20, 2)), atol=1e-9)
    np.testing.assert_allclose((turn @ up)[:, 0], 0.0, atol=1e-12)  # up is neither to the left nor to the right
    assert ((turn @ up)[:, 1] < 0).all()
    there_and_back = rotate_pose(rotate_pose(camera.to_camera(WALK_M), turn), np.swapaxes(turn, -1, -2))
    np.testing.assert_allclose(there_and_back, camera.to_camera(WALK_M), atol=1e-12)


def test_what_was_not_seen_stays_so_and_confidences_stay():
    camera = camera_at((1, -4, 2.5), (0, 0, 1))
    seen_px = keypoints(camera)
    seen_px[3, 5] = [np.nan, np.nan, 0.0]
    turned = rotate_keypoints(seen_px, camera.K, look_rotation(AHEAD, up_from_pitch_roll(0.0, 45.0)))
    assert np.isnan(turned[3, 5, :2]).all()
    np.testing.assert_array_equal(turned[..., 2], seen_px[..., 2])
    assert np.isfinite(np.delete(turned.reshape(-1, 3), 3 * 17 + 5, axis=0)).all()


def test_what_leaves_the_turned_picture_stays_finite():
    camera = camera_at((1, -4, 2.5), (0, 0, 1))
    behind = look_rotation(np.array([0.0, 0.0, -1.0]))
    assert np.isfinite(rotate_keypoints(keypoints(camera), camera.K, behind)).all()


def test_looking_straight_up_cannot_be_levelled():
    with pytest.raises(InputError, match="straight up or down"):
        look_rotation(AHEAD, np.array([0.0, 0.0, 1.0]))
