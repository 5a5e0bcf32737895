"""What goes with a frame is strided with it: actions, factors and ground truth of the test split."""

import numpy as np
import pytest
import synthetic_h36m

from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.h36m import read_h36m
from hyperlift.datasets.h36m_clips import ClipPlan, convert_h36m
from hyperlift.evaluation.protocol import HUMAN36M
from hyperlift.evaluation.store_evaluation import evaluate_store


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    content = synthetic_h36m.build()
    test = content["test"]
    frames = len(test["source"])
    # Every frame has a factor of its own, so that one taken from elsewhere shows.
    test["2.5d_factor"] = 3 + np.arange(frames) / frames
    test["joints_2.5d_image"] = test["joint3d_image"] * test["2.5d_factor"][:, None, None]
    return synthetic_h36m.write(tmp_path_factory.mktemp("tds") / "h36m.pkl", content), test


@pytest.mark.parametrize("tds", [1, 2, 3])
def test_arrays_are_strided_alike(source, tds):
    path, content = source
    frames = read_h36m(path)["test"].every(tds)
    assert len(frames) == -(-len(content["source"]) // tds)
    for name, key in (
        ("source", "source"),
        ("camera_name", "camera_name"),
        ("action", "action"),
        ("joints_px", "joint_2d"),
        ("label_px", "joint3d_image"),
        ("truth_mm", "joints_2.5d_image"),
        ("mm_per_px", "2.5d_factor"),
    ):
        np.testing.assert_array_equal(getattr(frames, name), np.asarray(content[key])[::tds])


@pytest.mark.parametrize("tds", [1, 2, 3])
def test_a_perfect_lifter_scores_zero_at_every_stride(source, tmp_path, tds):
    path, content = source
    convert_h36m(path, tmp_path / "out", ClipPlan(tds=tds, n_frames=9, stride=9, test_stride=9))
    store = ClipStore(tmp_path / "out" / "test")
    np.testing.assert_allclose(store.array("mm_per_px"), content["2.5d_factor"][::tds], rtol=1e-6)
    actions = np.concatenate([[video.action] * video.frames for video in store.videos])
    np.testing.assert_array_equal(actions, np.asarray(content["action"])[::tds])
    inputs, labels = store.array("pose2d_norm"), store.array("label_norm")
    known = {row.tobytes(): i for i, row in enumerate(inputs)}

    def oracle(clips):
        return np.stack([labels[[known[frame.tobytes()] for frame in clip]] for clip in clips])

    spec = LifterSpec(name="oracle", n_frames=9, fps=50.0 / tds)
    protocol = HUMAN36M.__class__(**{**vars(HUMAN36M), "flip": False, "slicing": "complete"})
    result = evaluate_store(oracle, spec, store, protocol)
    assert result.overall.p1_mm < 1e-3
    assert result.overall.mpjve_mm_per_frame < 1e-3
    assert result.overall.pck_150 == 1
    # Factors of neighbouring frames, as from a stride that missed them, are seen.
    shifted = np.roll(store.array("mm_per_px"), 1)[:, None, None] / store.array("mm_per_px")[:, None, None]
    labels = np.array(labels) * shifted
    assert evaluate_store(oracle, spec, store, protocol).overall.p1_mm > 0.01
