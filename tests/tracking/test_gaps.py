import numpy as np

from hyperlift.keypoints.timestamps import even_times
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.tracking.gaps import drop_weak_joints, fill_gaps


def track(frames: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Every joint moves 2 px a frame in x; y is the joint's number."""
    frame = np.array(frames)
    keypoints = np.ones((len(frame), len(H36M_17), 3))
    keypoints[..., 0] = 2.0 * frame[:, None]
    keypoints[..., 1] = np.arange(len(H36M_17))
    return frame, keypoints


def test_absent_frames_are_bridged_with_confidence_0():
    filled = fill_gaps(*track([10, 11, 15, 16]), H36M_17, even_times(70, 30.0))
    np.testing.assert_array_equal(filled.frame, np.arange(10, 17))
    np.testing.assert_allclose(filled.keypoints_px[:, 3, 0], 2.0 * np.arange(10, 17))
    np.testing.assert_array_equal(filled.keypoints_px[:, 0, 2], [1, 1, 0, 0, 0, 1, 1])
    assert filled.valid.all()
    assert (filled.bridged == np.isin(filled.frame, [12, 13, 14])[:, None]).all()


def test_a_second_is_measured_in_the_time_stamps():
    """The same frames, the first pause long, the second short: only the time between sightings counts."""
    time_s = np.concatenate([[0.0, 1.5, 3.0], np.arange(4.0, 5.0, 0.01)])
    frame, keypoints = track([0, 2, 3, 40])
    filled = fill_gaps(frame, keypoints, H36M_17, time_s)
    np.testing.assert_array_equal(filled.frame, np.arange(41))
    np.testing.assert_array_equal(filled.valid[:, 0], np.arange(41) != 1)
    np.testing.assert_allclose(filled.keypoints_px[1, :, 0], 2.0)  # half-way in time between 0 and 4 px
    np.testing.assert_allclose(filled.time_s, time_s[:41])


def test_long_bridges_and_open_ends_are_not_valid():
    frame, keypoints = track(list(range(60)))
    wrist = H36M_17.index("RWrist")
    for first, last in ((0, 2), (10, 15), (20, 55)):
        keypoints[first : last + 1, wrist] = [np.nan, np.nan, 0]
    filled = fill_gaps(frame, keypoints, H36M_17, even_times(70, 30.0))
    assert np.isfinite(filled.keypoints_px).all()
    expected = np.ones(60, bool)
    expected[0:3] = False  # before the first sighting
    expected[20:56] = False  # 36 frames at 30 fps are more than a second
    np.testing.assert_array_equal(filled.valid[:, wrist], expected)
    assert filled.valid[:, :wrist].all()
    assert (filled.keypoints_px[0:3, wrist, 0] == 6).all()


def test_joints_never_seen_stand_on_their_ancestor():
    frame, keypoints = track([0, 1])
    keypoints[:, H36M_17.indices(["LKnee", "LAnkle"])] = [np.nan, np.nan, 0]
    filled = fill_gaps(frame, keypoints, H36M_17, even_times(70, 30.0))
    hip, ankle = H36M_17.indices(["LHip", "LAnkle"])
    np.testing.assert_array_equal(filled.keypoints_px[:, ankle, :2], filled.keypoints_px[:, hip, :2])
    assert not filled.valid[:, ankle].any()
    assert (filled.keypoints_px[:, ankle, 2] == 0).all()


def test_never_seen_root_stands_in_the_middle():
    frame, keypoints = track([0])
    keypoints[:, H36M_17.root] = [np.nan, np.nan, 0]
    filled = fill_gaps(frame, keypoints, H36M_17, even_times(70, 30.0))
    np.testing.assert_allclose(filled.keypoints_px[0, H36M_17.root, 1], np.arange(1, 17).mean())


def test_a_joint_that_is_only_ever_weak_is_not_seen():
    """Two joints, 30 frames a second: one always sure, one that flickers at 0.1 but for one moment of 0.4."""
    time_s = np.arange(60) / 30
    keypoints_px = np.ones((60, 2, 3))
    keypoints_px[:, 0, 2] = 0.9
    keypoints_px[:, 1, 2] = 0.1
    weak = drop_weak_joints(keypoints_px, time_s)
    assert np.isnan(weak[:, 1, 0]).all()
    assert (weak[:, 1, 2] == 0).all()
    np.testing.assert_array_equal(weak[:, 0], keypoints_px[:, 0])
    keypoints_px[30, 1, 2] = 0.4
    seen = np.isfinite(drop_weak_joints(keypoints_px, time_s)[:, 1, 0])
    assert np.flatnonzero(seen).tolist() == list(range(15, 46))


def test_a_detector_that_is_never_sure_is_taken_at_its_word():
    keypoints_px = np.ones((20, 3, 3))
    keypoints_px[..., 2] = 0.08
    np.testing.assert_array_equal(drop_weak_joints(keypoints_px, np.arange(20) / 30), keypoints_px)
    nobody = np.full((4, 3, 3), [np.nan, np.nan, 0.0])
    np.testing.assert_array_equal(drop_weak_joints(nobody, np.arange(4) / 30), nobody)
