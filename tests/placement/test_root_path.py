import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placed_people import FPS, camera_at, person_walking, see

from hyperlift.geometry.cameras import project, reprojection_error
from hyperlift.geometry.flip import flip_pose
from hyperlift.placement.path_smoothing import PathSystem
from hyperlift.placement.root_path import root_path
from hyperlift.skeletons.joint_sets import H36M_17

CAMERA = camera_at((0.5, -5.0, 1.6), (0.0, 0.0, 0.9), roll_deg=4)
WALK = person_walking(50, start=(-1.0, 0.0), velocity=(0.8, 0.5), heading=0.7)


def exact(world_m=WALK, camera=CAMERA):
    scene = see(world_m, camera)
    pose_m = scene.joints_m - scene.joints_m[:, :1]
    return pose_m, scene.track.keypoints_px, scene.joints_m[:, 0]


@given(st.floats(-3, 3), st.floats(-2, 2), st.floats(1.5, 40), st.floats(300, 4000), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_exact_projections_give_the_exact_root(x: float, y: float, z: float, focal: float, seed: int):
    rng = np.random.default_rng(seed)
    pose_m = rng.normal(0, 0.3, (5, 17, 3)).clip(-0.9, 0.9)
    pose_m[:, 0] = 0
    root_m = np.array([x, y, z]) + rng.uniform(-0.3, 0.3, (5, 3))
    K = np.array([[focal, 0, 640], [0, focal * 1.1, 360], [0, 0, 1]])
    keypoints_px = np.concatenate([project(pose_m + root_m[:, None], K), rng.uniform(0.1, 1, (5, 17, 1))], -1)
    found = root_path(pose_m, keypoints_px, K, np.arange(5) / FPS, acceleration_density=np.inf)
    np.testing.assert_allclose(found.root_m, root_m, atol=1e-6)
    np.testing.assert_allclose(found.reprojection_px, 0, atol=1e-4)


def test_smoothing_leaves_steady_motion_exact_and_bridges_unseen_frames():
    pose_m, keypoints_px, truth_m = exact()
    keypoints_px[20:30] = np.nan
    found = root_path(pose_m, keypoints_px, CAMERA.K, np.arange(50) / FPS)
    np.testing.assert_allclose(found.root_m, truth_m, atol=1e-6)
    assert np.isnan(found.reprojection_px[20:30]).all()
    assert np.nanmax(found.reprojection_px) < 1e-3
    # Nobody knows what happened in between.
    assert found.std_m[25, 2] > found.std_m[10, 2]


def test_a_third_of_the_joints_may_be_elsewhere():
    pose_m, keypoints_px, truth_m = exact()
    rng = np.random.default_rng(0)
    keypoints_px[..., :2] += rng.normal(0, 1.0, keypoints_px[..., :2].shape)
    wrong = np.argsort(rng.random((50, 17)), axis=1)[:, :5]
    np.put_along_axis(keypoints_px[..., 0], wrong, 300.0, axis=1)
    found = root_path(pose_m, keypoints_px, CAMERA.K, np.arange(50) / FPS)
    error = np.abs(found.root_m - truth_m)
    assert error[:, :2].max() < 0.02
    assert error[:, 2].max() < 0.15
    # Joints that claim no confidence are as good as absent.
    np.put_along_axis(keypoints_px[..., 2], wrong, 0.0, axis=1)
    assert np.abs(root_path(pose_m, keypoints_px, CAMERA.K, np.arange(50) / FPS).root_m - truth_m).max() < 0.06


def test_turning_the_camera_about_its_axis_turns_the_path():
    pose_m, keypoints_px, _ = exact()
    keypoints_px[..., :2] += np.random.default_rng(1).normal(0, 3.0, keypoints_px[..., :2].shape)
    cos, sin = np.cos(0.4), np.sin(0.4)
    turn = np.array([[cos, -sin], [sin, cos]])
    turned_px = keypoints_px.copy()
    centre = CAMERA.K[:2, 2]
    turned_px[..., :2] = (keypoints_px[..., :2] - centre) @ turn.T + centre
    turned_pose = pose_m.copy()
    turned_pose[..., :2] = pose_m[..., :2] @ turn.T
    time_s = np.arange(50) / FPS
    plain, turned = (
        root_path(pose, points, CAMERA.K, time_s) for pose, points in ((pose_m, keypoints_px), (turned_pose, turned_px))
    )
    np.testing.assert_allclose(turned.root_m[:, :2], plain.root_m[:, :2] @ turn.T, atol=1e-6)
    np.testing.assert_allclose(turned.root_m[:, 2], plain.root_m[:, 2], atol=1e-6)
    np.testing.assert_allclose(turned.reprojection_px, plain.reprojection_px, atol=1e-4)


def test_the_mirror_image_has_the_mirrored_path():
    pose_m, keypoints_px, _ = exact()
    keypoints_px[..., :2] += np.random.default_rng(2).normal(0, 3.0, keypoints_px[..., :2].shape)
    centred = keypoints_px - [CAMERA.K[0, 2], 0, 0]
    mirrored_px = flip_pose(centred, H36M_17) + [CAMERA.K[0, 2], 0, 0]
    time_s = np.arange(50) / FPS
    plain = root_path(pose_m, keypoints_px, CAMERA.K, time_s).root_m
    mirrored = root_path(flip_pose(pose_m, H36M_17), mirrored_px, CAMERA.K, time_s).root_m
    np.testing.assert_allclose(mirrored, plain * [-1, 1, 1], atol=1e-6)


def test_the_stated_uncertainty_covers_the_true_one():
    """Errors like those that are assumed: the same for 0.6 s on average, 4 cm large; depth far worse than the rest."""
    pose_m, keypoints_px, truth_m = exact(person_walking(1500, start=(0.0, 0.0)))
    rng = np.random.default_rng(3)
    keep = np.exp(-1 / (0.6 * FPS))
    noise = np.zeros((1500, 17, 2))
    for frame in range(1, 1500):
        noise[frame] = keep * noise[frame - 1] + np.sqrt(1 - keep**2) * rng.normal(0, 1, (17, 2))
    keypoints_px[..., :2] += noise * 0.04 * CAMERA.focal_px / 5.0
    found = root_path(pose_m, keypoints_px, CAMERA.K, np.arange(1500) / FPS)
    ratio = np.sqrt(np.mean(((found.root_m - truth_m) / found.std_m) ** 2, axis=0))
    assert (ratio > 0.25).all()
    assert (ratio < 1.3).all()
    assert found.std_m[700, 2] > 4 * found.std_m[700, 0]


def test_one_frame_two_frames_and_nobody():
    pose_m, keypoints_px, truth_m = exact()
    for frames in (1, 2):
        found = root_path(pose_m[:frames], keypoints_px[:frames], CAMERA.K, np.arange(frames) / FPS)
        np.testing.assert_allclose(found.root_m, truth_m[:frames], atol=1e-4)
        assert np.isfinite(found.std_m).all()
    blind = root_path(pose_m, np.full_like(keypoints_px, np.nan), CAMERA.K, np.arange(50) / FPS)
    assert np.isfinite(blind.root_m).all()
    assert (blind.std_m > 10).all()


def test_reprojection_error_by_hand():
    joints_m = np.array([[[0.0, 0.0, 2.0], [1.0, 0.0, 2.0], [0.0, 1.0, 4.0]]])
    K = np.array([[100.0, 0, 50], [0, 100, 40], [0, 0, 1]])
    keypoints = np.array([[[53.0, 44.0, 1.0], [100.0, 40.0, 1.0], [0.0, 0.0, 0.0]]])  # 5 px and 0 px off, one unseen
    assert reprojection_error(joints_m, keypoints, K) == pytest.approx([np.sqrt(25 / 2)])


@pytest.mark.parametrize("frames", [1, 2, 3, 6, 7, 40])
def test_the_smoother_against_dense_algebra(frames: int):
    rng = np.random.default_rng(frames)
    root = rng.normal(size=(frames, 3, 3))
    information = root @ np.swapaxes(root, -1, -2) + 0.1 * np.eye(3)
    time_s = np.cumsum(rng.uniform(0.02, 0.06, frames))
    target = rng.normal(size=(frames, 3))
    dense = np.zeros((3 * frames, 3 * frames))
    for frame in range(frames):
        dense[3 * frame : 3 * frame + 3, 3 * frame : 3 * frame + 3] = information[frame]
    for middle in range(1, frames - 1):
        h0, h1 = time_s[middle] - time_s[middle - 1], time_s[middle + 1] - time_s[middle]
        span = (h0 + h1) / 2
        row = np.zeros(frames)
        row[middle - 1 : middle + 2] = [1 / h0, -1 / h0 - 1 / h1, 1 / h1]
        dense += np.kron(np.outer(row, row) / span / 5.0, np.eye(3))
    inverse = np.linalg.inv(dense + 1e-6 * np.eye(3 * frames))
    system = PathSystem.of(information, time_s, 5.0)
    np.testing.assert_allclose(system.path(target).reshape(-1), inverse @ target.reshape(-1), rtol=1e-6, atol=1e-8)
    expected = [inverse[3 * f : 3 * f + 3, 3 * f : 3 * f + 3] for f in range(frames)]
    np.testing.assert_allclose(system.covariance(), expected, rtol=1e-6, atol=1e-10)
