import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.mocap.recording import Recording, centred, with_constant_bones
from hyperlift.skeletons.joint_sets import H36M_17


@pytest.fixture
def joints_m():
    return np.random.default_rng(1).normal(size=(13, 17, 3)).astype(np.float32)


def recording(joints_m, fps=120.0):
    return Recording(name="a", subject="s", group="walk", fps=fps, joints_m=joints_m)


@pytest.mark.parametrize("frames", [2, 3, 4, 13])
def test_resampling_bends_as_little_as_it_can(joints_m, frames):
    """The natural spline has the least bending of all curves through the frames, and keeps straight lines."""
    finer = recording(joints_m[:frames], 10.0).resampled(100.0).joints_m
    np.testing.assert_allclose(finer[::10], joints_m[:frames], atol=1e-6)
    assert np.abs(np.diff(finer, n=2, axis=0)[[0, -1]]).max() < 0.05 * np.abs(joints_m).max()
    line = np.arange(frames)[:, None, None] * joints_m[:1]
    straight = recording(line, 10.0).resampled(100.0).joints_m
    np.testing.assert_allclose(straight, np.arange(len(straight))[:, None, None] / 10 * joints_m[:1], atol=1e-5)


def test_resampling_keeps_the_time_of_every_frame(joints_m):
    slower = recording(joints_m).resampled(50.0)
    # 12 steps of 1/120 s are 0.1 s, five steps of 1/50 s and both ends.
    assert slower.joints_m.shape == (6, 17, 3)
    assert slower.seconds == pytest.approx(0.1)
    np.testing.assert_allclose(slower.joints_m[[0, 5]], joints_m[[0, 12]], atol=1e-6)
    halved = recording(joints_m).resampled(60.0)
    np.testing.assert_allclose(halved.joints_m, joints_m[::2], atol=1e-6)
    assert halved.resampled(60.0) is halved


def test_resampling_that_leaves_no_motion_is_refused(joints_m):
    with pytest.raises(InputError, match="at least 2"):
        recording(joints_m).resampled(5.0)
    with pytest.raises(InputError, match="positive"):
        recording(joints_m).resampled(0.0)


def test_what_is_no_motion_is_refused(joints_m):
    with pytest.raises(InputError, match="1 frame"):
        recording(joints_m[:1])
    with pytest.raises(InputError, match=r"shape \(13, 16, 3\)"):
        recording(joints_m[:, :16])
    with pytest.raises(InputError, match="frame rate"):
        recording(joints_m, fps=0.0)
    joints_m[7, H36M_17.index("LKnee"), 1] = np.inf
    with pytest.raises(InputError, match="LKnee of frame 7 is not finite"):
        recording(joints_m)


def test_centred_moves_over_the_floor_only(joints_m):
    shifted = centred(joints_m)
    np.testing.assert_allclose(shifted[:, H36M_17.root, :2].mean(0), 0.0, atol=1e-6)
    np.testing.assert_array_equal(shifted[..., 2], joints_m[..., 2])


def test_constant_bones_keep_directions(joints_m):
    fixed = with_constant_bones(joints_m)
    lengths = bone_lengths(fixed, H36M_17)
    np.testing.assert_allclose(
        lengths, np.median(bone_lengths(joints_m, H36M_17), axis=0)[None].repeat(13, 0), rtol=1e-5
    )
    parent, child = np.array(H36M_17.bones).T
    before, after = joints_m[:, child] - joints_m[:, parent], fixed[:, child] - fixed[:, parent]
    np.testing.assert_allclose(np.cross(before, after), 0.0, atol=1e-5)
    np.testing.assert_allclose(with_constant_bones(fixed), fixed, atol=1e-5)
