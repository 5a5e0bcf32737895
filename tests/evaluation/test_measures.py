import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hyperlift.evaluation.measures import (
    AUC_THRESHOLDS_MM,
    OF_FRAMES,
    OF_JOINTS,
    Scores,
    average_by_frame,
    averaged,
    frame_measures,
    pooled,
    score_video,
)
from hyperlift.evaluation.results import errors_of
from hyperlift.geometry.alignment import align_rigid, align_scale, align_similarity
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.geometry.joint_errors import root_relative
from hyperlift.skeletons.joint_sets import H36M_17

KEYS = [measure.key for measure in OF_FRAMES]


def body_mm(frames, seed=0):
    pose = np.random.default_rng(seed).normal(size=(frames, 17, 3)) * 300
    return root_relative(pose, H36M_17.root)


def errors(pose, truth, frames=None):
    frames = np.arange(len(pose)) if frames is None else np.array(frames)
    return errors_of(score_video(pose, truth, frames, H36M_17), H36M_17)


def test_scaled_axes_by_hand():
    # Three joints at 100 mm along the axes, the root at 0; the prediction is twice as large.
    truth = np.zeros((1, 4, 3))
    truth[0, 1:, :] = np.eye(3) * 100
    values = dict(zip(KEYS, frame_measures(2 * truth, truth)[0], strict=True))
    np.testing.assert_allclose(values["p1_mm"], [0, 100, 100, 100])
    np.testing.assert_allclose(values["p2_mm"], 0, atol=1e-9)
    np.testing.assert_allclose(values["n_mpjpe_mm"], 0, atol=1e-9)
    # Rigidly aligned, both lie about their centre (25, 25, 25): a joint errs by its distance from there.
    np.testing.assert_allclose(values["r_mpjpe_mm"], np.linalg.norm(truth[0] - 25, axis=-1))
    np.testing.assert_array_equal(values["pck_150"], 1)
    # 105, 110 … 150 are above 100: 10 of 31; 5 … 150 are above 0: 30.
    np.testing.assert_allclose(values["auc_150"], np.array([30, 10, 10, 10]) / 31)


@pytest.mark.parametrize(
    ("error_mm", "pck", "above"),
    [(0, 1, 30), (2.5, 1, 30), (37, 1, 23), (40, 1, 22), (149.9, 1, 1), (150, 0, 0), (400, 0, 0)],
)
def test_pck_and_auc_of_a_constant_error_by_hand(error_mm, pck, above):
    assert AUC_THRESHOLDS_MM.tolist() == list(range(0, 151, 5))
    truth = body_mm(3).round()  # so that sums are exact, and 150 is not below 150
    pose = truth + np.array([0, 0, error_mm])
    values = dict(zip(KEYS, frame_measures(pose, truth).mean((0, 2)), strict=True))
    # The root errs with the others here, since poses are taken as they come.
    assert values["pck_150"] == pytest.approx(pck)
    assert values["auc_150"] == pytest.approx(above / 31)


def test_the_truth_has_no_error():
    truth = body_mm(6)
    result = errors(truth, truth)
    assert max(result.values_mm) < 1e-9
    assert (result.pck_150, result.auc_150) == pytest.approx((1, 30 / 31))
    assert result.mpjve_mm_per_frame == 0
    assert result.frames == 6


def test_one_scale_a_video_not_a_frame():
    truth = np.concatenate([body_mm(1), body_mm(1, 1)])
    assert errors(1.3 * truth, truth).n_mpjpe_mm == pytest.approx(0, abs=1e-9)
    sizes = np.array([1.0, 2.0])[:, None, None]
    scale = (sizes * truth * truth).sum() / ((sizes * truth) ** 2).sum()
    expected = np.linalg.norm(scale * sizes * truth - truth, axis=-1).mean()
    assert errors(sizes * truth, truth).n_mpjpe_mm == pytest.approx(expected)
    assert errors(sizes * truth, truth).n_mpjpe_frame_mm == pytest.approx(0, abs=1e-9)
    assert errors(sizes * truth, truth).p2_mm == pytest.approx(0, abs=1e-9)


def test_one_scale_a_frame_by_hand():
    # Two joints beside the root: predicted 3 and 4 where 6 and 2 is true, along axes of their own. The best scale is
    # (3·6 + 4·2) / (9 + 16) = 1.04, so they err by |3.12 - 6| and |4.16 - 2|; another frame of twice the size alike.
    truth = np.zeros((2, 3, 3))
    truth[0, 1, 0], truth[0, 2, 1] = 6, 2
    pose = np.zeros((2, 3, 3))
    pose[0, 1, 0], pose[0, 2, 1] = 3, 4
    truth[1], pose[1] = truth[0], 2 * pose[0]
    values = dict(zip(KEYS, frame_measures(pose, truth).transpose(1, 0, 2), strict=True))
    np.testing.assert_allclose(values["n_mpjpe_frame_mm"], [[0, 2.88, 2.16]] * 2)
    # One scale for both frames: (1 + 2) 26 / ((1 + 4) 25).
    scale = 3 * 26 / (5 * 25)
    expected = [[0, 6 - 3 * scale, 4 * scale - 2], [0, 6 - 6 * scale, 8 * scale - 2]]
    np.testing.assert_allclose(values["n_mpjpe_mm"], np.abs(expected))


def test_what_each_measure_forgives():
    truth = body_mm(5)
    turn = Rotation.from_euler("xyz", [50, -20, 130], degrees=True).as_matrix()
    turned = errors(truth @ turn.T, truth)
    assert max(turned.r_mpjpe_mm, turned.p2_mm) < 1e-9
    assert min(turned.p1_mm, turned.n_mpjpe_mm, turned.n_mpjpe_frame_mm) > 50
    moved = errors(truth + [10, 20, 20], truth)
    assert moved.p1_mm == pytest.approx(30)
    assert max(moved.r_mpjpe_mm, moved.p2_mm) < 1e-9
    scaled = errors(1.5 * truth, truth)
    assert max(scaled.n_mpjpe_mm, scaled.n_mpjpe_frame_mm, scaled.p2_mm) < 1e-9
    assert min(scaled.p1_mm, scaled.r_mpjpe_mm) > 50
    mirrored = errors(truth * [-1, 1, 1], truth)
    assert min(mirrored.values_mm) > 50


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 3))
def test_more_freedom_never_fits_worse(seed, noise):
    # True of what the alignments minimise, the sum of squares; the mean distance follows only loosely.
    truth = body_mm(4, seed)
    pose = root_relative(truth + noise * body_mm(4, seed + 1), H36M_17.root)

    def squares(aligned):
        return ((aligned - truth) ** 2).sum((-1, -2))

    similar, rigid = squares(align_similarity(pose, truth)), squares(align_rigid(pose, truth))
    slack = 1e-6 * squares(pose) + 1e-9
    assert (similar <= rigid + slack).all()
    assert (rigid <= squares(pose) + slack).all()
    assert (similar <= squares(align_scale(pose, truth)) + slack).all()
    assert squares(align_scale(pose, truth)).sum() <= squares(pose).sum() + slack.sum()


def test_p2_ignores_a_similarity_of_the_prediction():
    truth, pose = body_mm(4), body_mm(4, 9)
    turn = Rotation.random(random_state=4).as_matrix()
    plain, changed = errors(pose, truth), errors(0.4 * pose @ turn.T + 7, truth)
    assert changed.p2_mm == pytest.approx(plain.p2_mm)
    assert errors(pose @ turn.T + 7, truth).r_mpjpe_mm == pytest.approx(plain.r_mpjpe_mm)


def test_velocity_by_hand():
    truth = body_mm(1).repeat(5, axis=0)
    drift = np.zeros_like(truth)
    drift[:, 3, 0] = 4 * np.arange(5)
    result = errors(truth + drift, truth)
    assert result.mpjve_mm_per_frame == pytest.approx(4 / 17)
    assert result.joints["RAnkle"]["mpjve_mm_per_frame"] == pytest.approx(4)
    assert result.joints["RAnkle"]["p1_mm"] == pytest.approx(8)
    assert errors(truth + [5, 5, 5], truth).mpjve_mm_per_frame == pytest.approx(0)


def test_velocity_needs_neighbours():
    truth = body_mm(1).repeat(4, axis=0)
    pose = truth + np.array([0, 2, 100, 101])[:, None, None] * np.array([1, 0, 0])
    scores = score_video(pose, truth, np.array([3, 4, 8, 9]), H36M_17)
    assert (scores.frames, scores.pairs) == (4, 2)
    # From 4 to 8 is no neighbour: (2 + 1) / 2.
    np.testing.assert_allclose(scores.joints[-1], 1.5)
    alone = errors(truth[:1], truth[:1])
    assert np.isnan(alone.mpjve_mm_per_frame)


def test_frames_seen_twice_are_averaged_by_hand():
    values = np.array([[1.0, 0], [3, 0], [8, 2], [5, 0]])
    averaged_values = average_by_frame(values, np.array([7, 8, 7, 9]))
    np.testing.assert_array_equal(averaged_values, [[4.5, 1], [3, 0], [5, 0]])
    # Errors of opposite sign do not cancel in the position error, but do in the one trajectory.
    truth = body_mm(1).repeat(3, axis=0)
    pose = truth + np.array([10, -10, 0])[:, None, None] * np.array([1, 0, 0])
    result = errors(pose, truth, [0, 0, 1])
    assert result.frames == 2
    assert result.p1_mm == pytest.approx((10 + 0) / 2)
    assert result.mpjve_mm_per_frame == pytest.approx(0)


def test_bone_spread_by_hand():
    truth = body_mm(1).repeat(2, axis=0)
    pose = truth * np.array([0.9, 1.1])[:, None, None]
    lengths = bone_lengths(truth[0], H36M_17)
    result = errors(pose, truth)
    np.testing.assert_allclose(list(result.bones_sd_mm.values()), 0.1 * lengths)
    assert result.bone_sd_mm == pytest.approx(0.1 * lengths.mean())
    assert list(result.bones_sd_mm)[:2] == ["Pelvis-RHip", "RHip-RKnee"]
    turned = truth @ Rotation.random(2, random_state=0).as_matrix()
    assert errors(turned, truth).bone_sd_mm < 1e-9


def scores(frames, value, pairs):
    joints = np.full((len(OF_JOINTS), 17), float(value))
    joints[-1] = value if pairs else np.nan
    return Scores(frames=frames, pairs=pairs, joints=joints, bones_sd_mm=np.full(16, float(value)))


def test_means_by_hand():
    parts = [scores(3, 10, 2), scores(1, 30, 0), scores(4, 20, 3)]
    by_frame, by_part = pooled(parts), averaged(parts)
    assert by_frame.joints[0, 0] == pytest.approx((3 * 10 + 30 + 4 * 20) / 8)
    assert by_frame.joints[-1, 0] == pytest.approx((2 * 10 + 3 * 20) / 5)
    assert by_part.joints[0, 0] == pytest.approx(20)
    assert by_part.joints[-1, 0] == pytest.approx(15)
    assert by_frame.bones_sd_mm[0] == pytest.approx(17.5)
    assert (by_frame.frames, by_frame.pairs) == (8, 5)
    assert np.isnan(pooled(parts[1:2]).joints[-1]).all()


def test_means_of_means_are_the_mean_of_all_frames():
    truth, pose = body_mm(7), body_mm(7, 5)
    whole = score_video(pose, truth, np.arange(7), H36M_17)
    # Far apart, so that the pair across the cut is missing from the whole too.
    frames = np.array([0, 1, 2, 10, 11, 12, 13])
    parts = pooled([score_video(pose[part], truth[part], frames[part], H36M_17) for part in (slice(3), slice(3, 7))])
    gapped = score_video(pose, truth, frames, H36M_17)
    keys = [measure.key for measure in OF_JOINTS]
    for key in ("p1_mm", "p2_mm", "r_mpjpe_mm", "pck_150", "auc_150"):
        np.testing.assert_allclose(parts.joints[keys.index(key)], whole.joints[keys.index(key)])
    np.testing.assert_allclose(parts.joints[-1], gapped.joints[-1])


def test_joints_average_to_the_whole():
    result = errors(body_mm(4, 3), body_mm(4))
    for measure in OF_JOINTS:
        joints = [joint[measure.key] for joint in result.joints.values()]
        assert np.mean(joints) == pytest.approx(getattr(result, measure.key))
    assert result.joints["Pelvis"]["p1_mm"] == 0


def test_pck_over_chosen_joints():
    truth = body_mm(2)
    pose = truth.copy()
    pose[:, [3, 6]] += 1000.0
    video = score_video(pose, truth, np.arange(2), H36M_17)
    assert errors_of(video, H36M_17).pck_150 == pytest.approx(15 / 17)
    assert errors_of(video, H36M_17, ("RAnkle", "Head")).pck_150 == pytest.approx(0.5)
    assert errors_of(video, H36M_17, ("RAnkle", "Head")).p1_mm == errors_of(video, H36M_17).p1_mm


def test_unmeasured_joints_are_neither_aligned_nor_scored():
    truth, pose = body_mm(5, 1), body_mm(5, 2)
    measured = np.ones(17, bool)
    measured[H36M_17.indices(["Spine", "Head"])] = False
    spoiled = truth.copy()
    spoiled[:, ~measured] += 500.0
    scores = score_video(pose, spoiled, np.arange(5), H36M_17, measured)
    by_hand = frame_measures(pose[:, measured], truth[:, measured]).mean(0)
    np.testing.assert_allclose(scores.joints[:-1, measured], by_hand)
    assert np.isnan(scores.joints[:, ~measured]).all()
    overall = errors_of(scores, H36M_17)
    assert overall.p2_mm == pytest.approx(by_hand[1].mean())
    assert overall.pck_150 == pytest.approx(by_hand[KEYS.index("pck_150")].mean())


def test_a_joint_is_averaged_over_the_videos_that_measured_it():
    truth, pose = body_mm(6, 1), body_mm(6, 2)
    head = H36M_17.index("Head")
    measured = np.arange(17) != head
    headless = score_video(pose[:4], truth[:4], np.arange(4), H36M_17, measured)
    whole = score_video(pose[4:], truth[4:], np.arange(2), H36M_17)
    for mean in (pooled, averaged):
        both = mean([headless, whole])
        np.testing.assert_allclose(both.joints[:, head], whole.joints[:, head])
    wrist = H36M_17.index("RWrist")
    expected = (4 * headless.joints[0, wrist] + 2 * whole.joints[0, wrist]) / 6
    assert pooled([headless, whole]).joints[0, wrist] == pytest.approx(expected)
    assert np.isnan(pooled([headless, headless]).joints[:, head]).all()
