from dataclasses import replace

import numpy as np
import pytest
import synthetic_3dhp

from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.mpi_inf_3dhp_clips import ClipPlan3DHP, convert_mpi_inf_3dhp
from hyperlift.evaluation.protocol import MPI_INF_3DHP
from hyperlift.evaluation.report import report_text
from hyperlift.evaluation.store_evaluation import evaluate_store
from hyperlift.geometry.body_size import body_scale
from hyperlift.skeletons.joint_sets import MPI_INF_3DHP_17

SPEC = LifterSpec(name="oracle", skeleton="mpi_inf_3dhp17", n_frames=27)
NO_FLIP = replace(MPI_INF_3DHP, flip=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = synthetic_3dhp.write(tmp_path_factory.mktemp("3dhp"))
    plan = ClipPlan3DHP(n_frames=27, stride=27, test_stride=27)
    convert_mpi_inf_3dhp(folder / "data_train_3dhp.npz", folder / "data_test_3dhp.npz", folder / "store", plan)
    return ClipStore(folder / "store" / "test")


def oracle(store, labels):
    known = {row.tobytes(): i for i, row in enumerate(store.array("pose2d_norm"))}

    def lift(clips):
        return np.stack([labels[[known[frame.tobytes()] for frame in clip]] for clip in clips]).astype(np.float32)

    return lift


def test_protocol_counts_fourteen_joints():
    counted = MPI_INF_3DHP_17.indices(MPI_INF_3DHP.correct_joints)
    assert counted == list(range(14))
    assert MPI_INF_3DHP.mean == "frame"


def test_the_truth_is_perfect_in_both_label_spaces(store):
    result = evaluate_store(oracle(store, store.array("label_norm")), SPEC, store, NO_FLIP)
    assert max(result.overall.values_mm) < 1e-2
    assert (result.overall.pck_150, result.overall.auc_150) == pytest.approx((1, 30 / 31))
    joints_m = np.array(store.array("joints_m"), np.float64)
    for video in store.videos:
        part = slice(video.first, video.first + video.frames)
        valid = store.array("valid")[part] > 0
        size = body_scale(joints_m[part][valid], MPI_INF_3DHP_17)
        joints_m[part] = (joints_m[part] - joints_m[part][:, 14:15]) * size
    camera = evaluate_store(oracle(store, joints_m), replace(SPEC, label_space="camera"), store, NO_FLIP)
    assert max(camera.overall.values_mm) < 1e-2


def test_only_valid_frames_count(store):
    labels = np.array(store.array("label_norm"))
    labels[np.array(store.array("valid")) == 0] += np.random.default_rng(0).normal(size=3) * np.arange(17)[:, None]
    result = evaluate_store(oracle(store, labels), SPEC, store, NO_FLIP)
    assert result.overall.p1_mm < 1e-2
    assert result.overall.frames == result.frames_total == int(store.array("valid").sum())
    assert list(result.actions) == list(synthetic_3dhp.TEST_FRAMES)
    unspoiled = evaluate_store(oracle(store, store.array("label_norm")), SPEC, store, NO_FLIP)
    assert result.overall.bone_sd_mm == pytest.approx(unspoiled.overall.bone_sd_mm)


def test_known_errors_by_hand_in_millimetres(store):
    # RWrist 200 mm too deep, LWrist 37 mm, Spine 400 mm, in every frame, whatever the picture's width.
    labels = np.array(store.array("label_norm"), np.float64)
    for video in store.videos:
        part = slice(video.first, video.first + video.frames)
        for joint, error_mm in (("RWrist", 200), ("LWrist", 37), ("Spine", 400)):
            labels[part, MPI_INF_3DHP_17.index(joint), 2] += error_mm * 2 / synthetic_3dhp.SIZES[video.source][0]
    result = evaluate_store(oracle(store, labels), SPEC, store, NO_FLIP)
    for errors in (*result.actions.values(), result.overall):
        assert errors.p1_mm == pytest.approx((200 + 37 + 400) / 17, abs=1e-2)
        assert errors.pck_150 == pytest.approx(13 / 14)
        # Thresholds 5 … 150 for twelve joints, 40 … 150 for LWrist, none for RWrist; the spine is not counted.
        assert errors.auc_150 == pytest.approx((12 * 30 + 23) / 31 / 14)
    assert result.overall.joints["RWrist"]["pck_150"] == 0
    assert result.overall.joints["Spine"]["p1_mm"] == pytest.approx(400, abs=1e-2)
    text = report_text(result)
    assert "sequence" in text
    assert "over HeadTop, Neck, RShoulder" in text
    assert "MPI-INF-3DHP; mean over all frames" in text
    assert "input:     annotated 2D joints" in text


def test_the_root_is_the_pelvis(store):
    # Moving everything by the same way is forgiven; moving the pelvis alone is an error of all others.
    labels = np.array(store.array("label_norm"), np.float64)
    moved = evaluate_store(oracle(store, labels + [0.1, -0.2, 0.3]), SPEC, store, NO_FLIP)
    assert moved.overall.p1_mm < 1e-2
    labels[:, 14, 2] += 0.01
    pelvis = evaluate_store(oracle(store, labels), SPEC, store, NO_FLIP)
    by_sequence = pelvis.actions
    assert by_sequence["TS1"].p1_mm == pytest.approx(10.24 * 16 / 17, abs=1e-2)
    assert by_sequence["TS6"].p1_mm == pytest.approx(9.6 * 16 / 17, abs=1e-2)


def test_a_sequence_without_valid_frames_is_left_out(tmp_path):
    content = synthetic_3dhp.make_test_content()
    content["TS2"]["valid"][:] = 0
    content["TS6"]["valid"][:] = 0
    content["TS6"]["valid"][[3, 9]] = 1  # no neighbours: no velocity
    folder = synthetic_3dhp.write(tmp_path, test=content)
    plan = ClipPlan3DHP(n_frames=27, stride=27, test_stride=27)
    convert_mpi_inf_3dhp(folder / "data_train_3dhp.npz", folder / "data_test_3dhp.npz", folder / "store", plan)
    store = ClipStore(folder / "store" / "test")
    result = evaluate_store(oracle(store, store.array("label_norm")), SPEC, store, NO_FLIP)
    assert list(result.actions) == ["TS1", "TS5", "TS6"]
    assert np.isnan(result.actions["TS6"].mpjve_mm_per_frame)
    assert result.overall.mpjve_mm_per_frame < 1e-2
    assert result.mean("action").mpjve_mm_per_frame < 1e-2
