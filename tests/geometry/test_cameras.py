import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, body_scale, bone_lengths
from hyperlift.geometry.cameras import Camera, look_at, project, scaled_orthographic_label
from hyperlift.geometry.normalisation import denormalise_points, denormalise_pose, normalise_points, normalise_pose
from hyperlift.skeletons.joint_sets import H36M_17


def test_normalisation_by_hand():
    corners = np.array([[0.0, 0.0], [1920.0, 1080.0], [960.0, 540.0]])
    expected = [[-1.0, -0.5625], [1.0, 0.5625], [0.0, 0.0]]
    assert np.allclose(normalise_points(corners, 1920, 1080), expected)
    portrait = normalise_points(np.array([[1080.0, 1920.0]]), 1080, 1920)
    assert np.allclose(portrait, [[1.0, 1920 / 1080]])


def test_normalisation_round_trip_keeps_nan_and_depth():
    pose = np.random.default_rng(0).uniform(0, 1000, (4, 17, 3)).astype(np.float32)
    pose[1, 2] = np.nan
    norm = normalise_pose(pose, 1000, 1002)
    assert norm.dtype == np.float32
    assert np.allclose(norm[..., 2], pose[..., 2] / 500, equal_nan=True)
    assert np.allclose(denormalise_pose(norm, 1000, 1002), pose, atol=1e-3, equal_nan=True)
    assert np.allclose(denormalise_points(norm[..., :2], 1000, 1002), pose[..., :2], atol=1e-3, equal_nan=True)


@pytest.mark.parametrize("size", [(0, 10), (10, -1), (float("nan"), 10), (float("inf"), 10)])
def test_pictures_without_area_are_refused(size):
    with pytest.raises(InputError, match="picture size"):
        normalise_points(np.zeros((1, 2)), *map(float, size))


def test_a_camera_on_the_x_axis_by_hand():
    R = look_at(np.array([5.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]), 0.0)
    camera = Camera(R=R, centre_m=np.array([5.0, 0.0, 1.0]), focal_px=1000.0, width=1000, height=800)
    # Looking along -x with z up, +y of the world is on the right.
    points = camera.to_camera(np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 2.0]]))
    assert np.allclose(points, [[0, 0, 5], [1, 0, 5], [0, -1, 5]])
    assert np.allclose(project(points, camera.K), [[500, 400], [700, 400], [500, 200]])


def test_look_at_is_a_rotation_and_roll_turns_the_picture():
    centre, target = np.array([1.0, -3.0, 2.0]), np.array([0.2, 0.5, 0.9])
    level, rolled = look_at(centre, target, 0.0), look_at(centre, target, 0.3)
    for R in (level, rolled):
        assert np.allclose(R @ R.T, np.eye(3))
        assert np.linalg.det(R) == pytest.approx(1)
        assert np.allclose(R @ (target - centre) / np.linalg.norm(target - centre), [0, 0, 1])
    assert level[0, 2] == pytest.approx(0)  # the picture's horizontal is level
    # A camera turned clockwise shows the world turned counter-clockwise (y down: a negative angle).
    assert np.allclose(rolled @ level.T, Rotation.from_euler("z", -0.3).as_matrix())


def test_the_label_is_perspective_with_scaled_depth():
    joints_m = np.zeros((1, 17, 3)) + [0.0, 0.0, 4.0]
    joints_m[0, 1] = [0.5, -0.25, 4.2]
    K = np.array([[1000.0, 0, 500], [0, 1000, 400], [0, 0, 1]])
    label_px, mm_per_px = scaled_orthographic_label(joints_m, K, root=0)
    assert mm_per_px == pytest.approx([4.0])
    assert np.allclose(label_px[0, 0], [500, 400, 0])
    assert np.allclose(label_px[0, 1], [500 + 500 / 4.2, 400 - 250 / 4.2, 50.0])
    assert label_px[0, 1, 2] * mm_per_px[0] == pytest.approx(200)


def test_body_scale_ignores_place_turn_and_size():
    joints = np.random.default_rng(0).normal(size=(3, 17, 3))
    joints *= (REFERENCE_BONE_SUM_M / bone_lengths(joints, H36M_17).sum(-1))[:, None, None]
    assert body_scale(joints, H36M_17) == pytest.approx(1)
    turn = Rotation.random(random_state=0).as_matrix()
    assert body_scale(1.7 * joints @ turn + 3, H36M_17) == pytest.approx(1 / 1.7)
