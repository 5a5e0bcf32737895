import numpy as np

from hyperlift.geometry.flip import FlipAveraged, flip_pose
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17


def test_twice_is_the_identity():
    rng = np.random.default_rng(0)
    for skeleton in (H36M_17, COCO_17):
        pose = rng.normal(size=(2, 3, 17, 3)).astype(np.float32)
        pose[0, 0, 4] = np.nan
        np.testing.assert_array_equal(flip_pose(flip_pose(pose, skeleton), skeleton), pose)


def test_a_hand_changes_side_with_its_confidence():
    pose = np.zeros((1, 17, 3))
    pose[0, H36M_17.index("LWrist")] = [0.3, 0.2, 0.9]
    pose[0, H36M_17.index("Head")] = [0.1, -0.5, 1.0]
    before = pose.copy()
    flipped = flip_pose(pose, H36M_17)
    np.testing.assert_array_equal(flipped[0, H36M_17.index("RWrist")], [-0.3, 0.2, 0.9])
    np.testing.assert_array_equal(flipped[0, H36M_17.index("Head")], [-0.1, -0.5, 1.0])
    assert (flipped[0, H36M_17.index("LWrist"), 1:] == 0).all()
    np.testing.assert_array_equal(pose, before)


def test_averaging_makes_any_predictor_equivariant():
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(17, 3, 17, 3))

    def predict(x):
        return np.tanh(np.einsum("ntvc,vcwd->ntwd", x, weights))

    averaged = FlipAveraged(predict, H36M_17)
    clips = rng.normal(size=(2, 3, 17, 3))
    np.testing.assert_allclose(averaged(flip_pose(clips, H36M_17)), flip_pose(averaged(clips), H36M_17), atol=1e-12)
    expected = (predict(clips) + flip_pose(predict(flip_pose(clips, H36M_17)), H36M_17)) / 2
    np.testing.assert_allclose(averaged(clips), expected)


def test_an_equivariant_predictor_is_left_alone():
    clips = np.random.default_rng(2).normal(size=(1, 4, 17, 3))
    np.testing.assert_allclose(FlipAveraged(lambda x: 2 * x, H36M_17)(clips), 2 * clips)
