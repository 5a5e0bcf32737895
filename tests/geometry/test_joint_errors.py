import numpy as np
import torch

from hyperlift.geometry.joint_errors import (
    acceleration_error,
    bone_length_deviation,
    bone_length_variation,
    joint_distance,
    root_relative,
    share_within,
    velocity_error,
)
from hyperlift.skeletons.joint_sets import H36M_17


def test_distance_by_hand():
    pose = np.array([[[0.0, 0, 0], [1, 2, 3]]])
    truth = np.array([[[3.0, 4, 0], [1, 2, 1]]])
    np.testing.assert_array_equal(joint_distance(pose, truth), [[5, 2]])


def test_tensors_and_arrays_give_the_same():
    rng = np.random.default_rng(0)
    pose, truth = rng.normal(size=(2, 6, 17, 3)), rng.normal(size=(2, 6, 17, 3))
    for function in (joint_distance, velocity_error, acceleration_error):
        as_tensor = function(torch.from_numpy(pose), torch.from_numpy(truth))
        np.testing.assert_allclose(as_tensor.numpy(), function(pose, truth), rtol=1e-12)
    np.testing.assert_array_equal(root_relative(torch.from_numpy(pose), 0).numpy(), root_relative(pose, 0))


def test_root_lies_at_zero():
    pose = np.random.default_rng(0).normal(size=(4, 17, 3))
    moved = root_relative(pose, 8)
    assert (moved[:, 8] == 0).all()
    np.testing.assert_allclose(moved[:, 3] - moved[:, 5], pose[:, 3] - pose[:, 5])


def test_acceleration_by_hand():
    # The prediction falls with 2 a frame², the truth moves evenly: accelerations differ by 2.
    time = np.arange(5.0)
    pose, truth = np.zeros((5, 1, 3)), np.zeros((5, 1, 3))
    pose[:, 0, 1], truth[:, 0, 0] = time**2, 7 * time
    np.testing.assert_allclose(acceleration_error(pose, truth), np.full((3, 1), 2.0))


def test_bone_lengths_that_vary_by_hand():
    pose = np.zeros((2, 17, 3))
    pose[:, H36M_17.index("RHip"), 0] = [1, 3]  # mean 2, standard deviation 1
    variation = bone_length_variation(pose, H36M_17)
    hip = H36M_17.bones.index((H36M_17.index("Pelvis"), H36M_17.index("RHip")))
    knee = H36M_17.bones.index((H36M_17.index("RHip"), H36M_17.index("RKnee")))
    assert variation[hip] == variation[knee] == 0.5
    assert np.delete(variation, [hip, knee]).max() == 0
    deviation = bone_length_deviation(pose, H36M_17)
    assert deviation[hip] == deviation[knee] == 1
    assert np.delete(deviation, [hip, knee]).max() == 0


def test_velocity_by_hand():
    # The prediction moves 3 a frame along x, the truth 4 a frame along y: the velocities differ by 5.
    time = np.arange(5.0)
    pose, truth = np.zeros((5, 2, 3)), np.zeros((5, 2, 3))
    pose[:, 0, 0], truth[:, 0, 1] = 3 * time + 100, 4 * time
    np.testing.assert_allclose(velocity_error(pose, truth), np.tile([5.0, 0.0], (4, 1)))


def test_share_of_thresholds_by_hand():
    distance = np.array([[0.0, 4.9], [5.0, 200.0]])
    np.testing.assert_array_equal(share_within(distance, np.array([5.0])), [[1, 1], [0, 0]])
    np.testing.assert_array_equal(share_within(distance, np.array([0.0, 5, 10, 15])), [[0.75, 0.75], [0.5, 0]])
