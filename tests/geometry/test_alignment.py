import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from hyperlift.geometry.alignment import align_rigid, align_scale, align_similarity


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_similarity_undoes_a_similarity_of_each_frame(rng):
    target = rng.normal(size=(2, 5, 17, 3))
    rotation = Rotation.random(10, random_state=1).as_matrix().reshape(2, 5, 3, 3)
    scale = rng.uniform(0.1, 9, (2, 5, 1, 1))
    pose = scale * (target @ rotation) + rng.normal(size=(2, 5, 1, 3))
    np.testing.assert_allclose(align_similarity(pose, target), target, atol=1e-12)


def test_similarity_agrees_with_scipy(rng):
    pose, target = rng.normal(size=(17, 3)), rng.normal(size=(17, 3))
    centred = target - target.mean(0)
    residual = ((align_similarity(pose, target) - target) ** 2).sum() / (centred**2).sum()
    # scipy's procrustes also allows reflections: mirror the pose where that is what it would choose.
    left, _, right = np.linalg.svd((pose - pose.mean(0)).T @ centred)
    if np.linalg.det(left @ right) < 0:
        pose = pose * [-1, 1, 1]
        residual = ((align_similarity(pose, target) - target) ** 2).sum() / (centred**2).sum()
    assert residual == pytest.approx(procrustes(target, pose)[2], rel=1e-10)


def test_a_mirror_image_is_not_forgiven(rng):
    target = rng.normal(size=(17, 3))
    mirrored = target * [-1, 1, 1]
    assert np.abs(align_similarity(mirrored, target) - target).mean() > 0.1
    turned = align_rigid(mirrored, target) - target.mean(0)
    # The handedness of three joints around the centre tells: a rotation keeps the mirrored one.
    assert np.sign(np.linalg.det(turned[:3])) == np.sign(np.linalg.det((mirrored - mirrored.mean(0))[:3]))


def test_rigid_keeps_the_size(rng):
    target = rng.normal(size=(4, 17, 3))
    pose = 2 * target @ Rotation.random(random_state=2).as_matrix() + 5
    aligned = align_rigid(pose, target)
    centre = target.mean(1, keepdims=True)
    np.testing.assert_allclose(aligned - centre, 2 * (target - centre), atol=1e-12)


def test_rigid_agrees_with_scipy(rng):
    pose, target = rng.normal(size=(17, 3)), rng.normal(size=(17, 3))
    expected, _ = Rotation.align_vectors(target - target.mean(0), pose - pose.mean(0))
    np.testing.assert_allclose(
        align_rigid(pose, target), expected.apply(pose - pose.mean(0)) + target.mean(0), atol=1e-9
    )


def test_scale_is_one_a_sequence(rng):
    target = rng.normal(size=(2, 6, 17, 3))
    pose = target * np.array([0.5, 40.0])[:, None, None, None]
    np.testing.assert_allclose(align_scale(pose, target), target, atol=1e-12)
    # Hand-computed: scale (1*2 + 1*4) / (1 + 1) = 3.
    pose, target = np.zeros((2, 1, 3)), np.zeros((2, 1, 3))
    pose[:, 0, 0], target[:, 0, 0] = [1, 1], [2, 4]
    np.testing.assert_allclose(align_scale(pose, target)[:, 0, 0], [3, 3])


def test_a_pose_without_size_stays_finite():
    target = np.arange(9.0).reshape(1, 3, 3)
    np.testing.assert_allclose(align_similarity(np.ones((1, 3, 3)), target), np.tile(target.mean(1), (1, 3, 1)))
    np.testing.assert_array_equal(align_scale(np.zeros((1, 3, 3)), target), np.zeros((1, 3, 3)))
