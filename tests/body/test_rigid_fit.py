import numpy as np
import pytest
from rigid_people import LENGTHS_M, moving_person, times_s
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation
from shared_data import shared_path

from hyperlift.body.gauss_newton import kinematics_matrix
from hyperlift.body.joint_limits import BODY_LIMITS, JointLimits
from hyperlift.body.rigid_fit import fit_motion
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.geometry.forward_kinematics import forward_kinematics
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17

at = H36M_17.index
UNIT_M = 2e-4
"""Of the recordings' whole numbers."""
BONE_ENDS = [child for _, child in H36M_17.bones]


def _noisy(frames: int, seed: int, spread_m: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    truth_m, _ = moving_person(frames, seed)
    return truth_m, truth_m + np.random.default_rng(seed).normal(0, spread_m, truth_m.shape)


def test_rigid_joints_are_left_alone():
    truth_m, _ = moving_person(50, 0)
    fitted = fit_motion(truth_m, times_s(50), axes="world")
    np.testing.assert_allclose(fitted.joints_m, truth_m, atol=1e-6)
    assert fitted.report.most_moved_mm < 1e-3
    np.testing.assert_allclose(np.linalg.norm(fitted.offsets_m, axis=-1), LENGTHS_M, atol=1e-6)


def test_bones_become_constant_and_left_equals_right():
    _, joints_m = _noisy(80, 1)
    fitted = fit_motion(joints_m, times_s(80), axes="world")
    lengths = bone_lengths(fitted.joints_m, H36M_17)
    assert np.ptp(lengths, axis=0).max() < 1e-12
    assert fitted.report.bone_spread_mm < 1e-9
    assert fitted.report.bone_spread_before_mm > 15.0
    by_joint = dict(zip(BONE_ENDS, lengths[0], strict=True))
    for right, left in H36M_17.pairs:
        assert by_joint[right] == pytest.approx(by_joint[left], abs=1e-12)
    again = forward_kinematics(fitted.rotations, fitted.offsets_m, fitted.joints_m[:, 0], H36M_17.parents)
    np.testing.assert_allclose(again, fitted.joints_m, atol=1e-12)


def test_what_moved_is_reported():
    truth_m, joints_m = _noisy(80, 2)
    fitted = fit_motion(joints_m, times_s(80), axes="world")
    moved = 1000 * np.linalg.norm(fitted.joints_m - joints_m, axis=-1)
    assert fitted.report.mean_moved_mm == pytest.approx(moved.mean())
    assert fitted.report.moved_mm["LWrist"] == pytest.approx(moved[:, at("LWrist")].mean())
    assert f"{moved.mean():.0f} mm on average" in fitted.report.sentence
    # Rigid bones take part of the noise away.
    before, after = (np.linalg.norm(j - truth_m, axis=-1).mean() for j in (joints_m, fitted.joints_m))
    assert after < 0.9 * before


def test_no_other_pose_of_the_same_bones_is_nearer():
    _, joints_m = _noisy(3, 3, 0.05)
    fitted = fit_motion(joints_m, times_s(3), axes="world", lengths_m=LENGTHS_M)
    matrix = kinematics_matrix(LENGTHS_M)

    def residual(unknown: np.ndarray, frame: int) -> np.ndarray:
        directions = unknown[3:].reshape(-1, 3)
        directions = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
        return (unknown[:3] + matrix @ directions - joints_m[frame]).ravel()

    for frame in range(3):
        start = np.random.default_rng(0).normal(0, 0.1, 48) + np.r_[joints_m[frame, 0], np.zeros(45)]
        best = min(least_squares(residual, start + 0.3 * k, args=(frame,)).cost for k in range(4))
        ours = 0.5 * ((fitted.joints_m[frame] - joints_m[frame]) ** 2).sum()
        assert ours < 1.001 * best


def test_keypoints_pull_joints_onto_their_lines_of_sight():
    truth_m, _ = moving_person(40, 4)
    to_camera = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    truth_m = truth_m @ to_camera.T + [0.0, 1.0, 4.0]
    camera = np.array([[1200.0, 0, 640], [0, 1200, 360], [0, 0, 1]])
    pixels = (truth_m @ camera.T)[..., :2] / truth_m[..., 2:]
    keypoints_px = np.concatenate([pixels, np.ones((40, 17, 1))], axis=-1)
    keypoints_px[:, at("Head")] = np.nan  # one that was not seen
    joints_m = truth_m + np.random.default_rng(0).normal(0, 0.03, truth_m.shape)

    def reprojection_px(fitted_m: np.ndarray) -> float:
        there = (fitted_m @ camera.T)[..., :2] / fitted_m[..., 2:]
        return float(np.nanmean(np.linalg.norm(there - pixels, axis=-1)))

    arguments = {"axes": "camera", "lengths_m": LENGTHS_M}
    without = fit_motion(joints_m, times_s(40), **arguments)
    with_them = fit_motion(joints_m, times_s(40), **arguments, keypoints_px=keypoints_px, camera_matrix=camera)
    strongly = fit_motion(
        joints_m,
        times_s(40),
        **arguments,
        keypoints_px=keypoints_px,
        camera_matrix=camera,
        reprojection_weight=100.0,
    )
    assert reprojection_px(with_them.joints_m) < 0.7 * reprojection_px(without.joints_m)
    assert reprojection_px(strongly.joints_m) < 1.0
    error = [np.linalg.norm(f.joints_m - truth_m, axis=-1).mean() for f in (without, with_them)]
    assert error[1] < error[0]


def test_limits_hold_after_the_fit():
    joints_m, _ = moving_person(30, 5)
    # A shin that bends forward: the wrong way.
    joints_m[:, at("LAnkle")] = joints_m[:, at("LKnee")] + 2.2 * (joints_m[:, at("LKnee")] - joints_m[:, at("LHip")])
    joints_m[:, at("LAnkle")] += [0.0, -0.0, 0.2]
    narrow = JointLimits({"Knee": {"X": (0.0, 0.8), "Y": (-0.1, 0.1), "Z": (-0.1, 0.1)}, "Hip": {"X": (-0.5, 0.3)}})
    for limits in (narrow, BODY_LIMITS):
        fitted = fit_motion(joints_m, times_s(30), axes="world", limits=limits, lengths_m=LENGTHS_M)
        np.testing.assert_allclose(limits.clamp(fitted.rotations), fitted.rotations, atol=1e-6)
        assert np.ptp(bone_lengths(fitted.joints_m, H36M_17), axis=0).max() < 1e-9


def test_smoothing_takes_jitter_and_keeps_the_motion():
    truth_m, joints_m = _noisy(150, 6)

    def jitter(j: np.ndarray) -> float:
        return float(np.linalg.norm(np.diff(j - truth_m, 2, axis=0), axis=-1).mean())

    rough = fit_motion(joints_m, times_s(150), axes="world")
    smooth = fit_motion(joints_m, times_s(150), axes="world", cutoff_hz=5.0)
    assert jitter(smooth.joints_m) < 0.3 * jitter(rough.joints_m)
    assert (
        np.linalg.norm(smooth.joints_m - truth_m, axis=-1).mean()
        < np.linalg.norm(rough.joints_m - truth_m, axis=-1).mean()
    )


def test_missing_joints_are_bridged_and_marked():
    truth_m, _ = moving_person(60, 7)
    joints_m = truth_m.copy()
    joints_m[20:26, at("LWrist")] = np.nan
    joints_m[40:43] = np.nan
    joints_m[:, at("Head")] = np.nan
    joints_m[:4, at("RAnkle")] = np.nan
    fitted = fit_motion(joints_m, times_s(60), axes="world")
    assert np.isfinite(fitted.joints_m).all()
    assert np.isfinite(fitted.rotations).all()
    np.testing.assert_array_equal(fitted.seen, np.isfinite(joints_m).all(-1))
    assert "Head" not in fitted.report.moved_mm
    error = np.linalg.norm(fitted.joints_m - truth_m, axis=-1)
    assert error[fitted.seen].max() < 0.03
    assert error[20:26, at("LWrist")].max() < 0.15
    assert np.ptp(bone_lengths(fitted.joints_m, H36M_17), axis=0).max() < 1e-9


def test_a_whole_arm_that_is_never_seen_hangs_on_the_body():
    truth_m, _ = moving_person(20, 8)
    truth_m[:, [at("RElbow"), at("RWrist"), at("RShoulder")]] = np.nan
    fitted = fit_motion(truth_m, times_s(20), axes="world")
    lengths = np.linalg.norm(fitted.offsets_m, axis=-1)
    assert lengths[at("RElbow")] == pytest.approx(lengths[at("LElbow")])
    assert np.isfinite(fitted.joints_m).all()


def test_joints_that_are_not_valid_count_less():
    truth_m, _ = moving_person(30, 9)
    joints_m = truth_m.copy()
    valid = np.ones((30, 17), bool)
    valid[:, at("LWrist")] = False
    joints_m[:, at("LWrist")] += 0.3
    fitted = fit_motion(joints_m, times_s(30), valid, axes="world", lengths_m=LENGTHS_M)
    others = [i for i in range(17) if i != at("LWrist")]
    assert np.linalg.norm(fitted.joints_m - truth_m, axis=-1)[:, others].max() < 0.05


def test_a_body_says_what_it_is_in_one_line():
    truth_m, _ = moving_person(51, 0)
    assert repr(fit_motion(truth_m, times_s(51), axes="world")) == (
        f"FittedMotion(1 person: 51 frames, {times_s(51)[-1]:.2f} s, h36m17, world axes)"
    )


def test_one_frame():
    truth_m, _ = moving_person(1, 10)
    fitted = fit_motion(truth_m, np.array([3.0]), axes="world", cutoff_hz=6.0)
    np.testing.assert_allclose(fitted.joints_m, truth_m, atol=1e-6)


def test_bones_of_no_length():
    truth_m, _ = moving_person(20, 11)
    truth_m[:, at("Spine")] = truth_m[:, at("Pelvis")]
    truth_m[:, [at("LHip"), at("RHip")]] = truth_m[:, [at("Pelvis")]]
    fitted = fit_motion(truth_m, times_s(20), axes="world")
    assert np.isfinite(fitted.joints_m).all()
    lengths = bone_lengths(fitted.joints_m, H36M_17)
    assert lengths[:, [BONE_ENDS.index(at("Spine")), BONE_ENDS.index(at("LHip"))]].max() < 1e-9
    point = fit_motion(np.zeros((5, 17, 3)), times_s(5), axes="world")
    np.testing.assert_allclose(point.joints_m, 0.0, atol=1e-9)


def test_other_axes_are_the_same_motion():
    _, joints_m = _noisy(20, 12)
    turn = Rotation.from_euler("xyz", [1.0, 0.4, -2.0]).as_matrix()
    first = fit_motion(joints_m, times_s(20), axes="camera").moved(turn, np.array([1.0, 2, 3]), "world")
    second = fit_motion(joints_m @ turn.T + [1, 2, 3], times_s(20), axes="world")
    np.testing.assert_allclose(first.joints_m, second.joints_m, atol=1e-6)
    np.testing.assert_allclose(first.rotations, second.rotations, atol=1e-5)
    assert first.axes == "world"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"joints_m": np.full((5, 17, 3), np.nan)}, "no joint of this person was seen"),
        ({"joints_m": np.zeros((5, 16, 3))}, "[5, 16, 3]"),
        ({"joints_m": np.zeros((0, 17, 3)), "time_s": np.zeros(0)}, "T ≥ 1"),
        ({"time_s": np.array([0.0, 1, 1, 2, 3])}, "do not rise"),
        ({"time_s": np.arange(4.0)}, "times of 5 frames"),
        ({"valid": np.ones((5, 3), bool)}, "valid has the shape"),
        ({"keypoints_px": np.zeros((5, 17, 3))}, "give both or none"),
        ({"keypoints_px": np.zeros((5, 17, 3)), "camera_matrix": np.eye(3)}, "expected camera axes"),
        ({"cutoff_hz": 0.0}, "above 0"),
        ({"skeleton": COCO_17}, "coco17"),
    ],
)
def test_what_is_refused(change, words):
    arguments = {"joints_m": moving_person(5, 0)[0], "time_s": times_s(5), "axes": "world"} | change
    with pytest.raises(InputError) as refused:
        fit_motion(**arguments)
    assert words in str(refused.value)


@pytest.mark.shared
def test_recorded_people_hardly_move():
    recordings = np.load(shared_path("data/mocap/train.npz"))
    for name in recordings.files[::40]:
        joints_m = recordings[name][::2] * UNIT_M
        fitted = fit_motion(joints_m, times_s(len(joints_m)), axes="world")
        assert fitted.report.mean_moved_mm < 8.0, name
        assert fitted.report.bone_spread_mm < 1e-9
