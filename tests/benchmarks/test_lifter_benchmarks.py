"""Benchmarks run and print what they promise; no figure of theirs is judged."""

import numpy as np
from bench_scripts import rows_of, run_script
from tiny_onnx import write_tiny_lifter


def test_int8(tmp_path):
    tiny = str(write_tiny_lifter(tmp_path / "tiny.onnx"))
    out = run_script("int8.py", tiny, "--no-page", "--repetitions", "1")
    rows = rows_of(out)[2:]
    assert [row[0] for row in rows[:2]] == ["lifter, fp32", "lifter, int8"]
    assert len(rows) == 4
    assert all(float(row[2].replace(",", "")) > 0 for row in rows)
    assert "of 3 products stay in fp32" in out


def test_start_up():
    out = run_script("startup.py", "--no-page", "--repetitions", "1", "--long", "300")
    assert "lifting 300 frames of one person" in out
    for name in ("load_lifter", "keypoint file to metres", "hyperlift lift --help"):
        assert name in out


def write_bench(path):
    """A benchmark file of one view; returns its truth."""
    rng = np.random.default_rng(0)
    truth_m = (rng.normal(0, 0.3, (10, 17, 3)) + [0, 0, 4]).astype(np.float32)
    seen_px = np.concatenate([500 + 1000 * truth_m[..., :2] / truth_m[..., 2:], np.ones((10, 17, 1))], -1)
    arrays = {"kp": seen_px, "cam": truth_m, "K": np.eye(3), "wh": np.array([1000, 1000])}
    np.savez(path, **{f"a/{key}": array for key, array in arrays.items()})
    return truth_m


def test_accuracy_scores_lifters_and_predictions_alike(tmp_path):
    truth_m = write_bench(tmp_path / "bench.npz")
    np.savez(tmp_path / "exact.npz", a=2 * truth_m)
    tiny = str(write_tiny_lifter(tmp_path / "tiny.onnx"))
    more = ("--lifter", tiny, "--more", f"exact={tmp_path / 'exact.npz'}", "--no-page")
    out = run_script("accuracy.py", str(tmp_path / "bench.npz"), *more)
    scores = {row[0]: [float(cell.split()[0]) for cell in row[1:4]] for row in rows_of(out)[2:]}
    assert list(scores) == ["2D with zero depth", "`tiny`, one pass", "`tiny`, mirror-averaged (the default)", "exact"]
    assert scores["exact"] == [0, 0, 0]  # any scale
    assert min(scores["2D with zero depth"]) > 0
    assert "1 view, 10 frames." in out


def test_data_sets_stand_side_by_side_without_what_they_did_not_measure(tmp_path):
    write_bench(tmp_path / "bench.npz")
    tiny, bench = str(write_tiny_lifter(tmp_path / "tiny.onnx")), str(tmp_path / "bench.npz")
    out = run_script("data_sets.py", bench, f"{bench}=Spine,Head", "--lifter", tiny, "--no-page")
    whole, part = rows_of(out)[2:]
    assert whole[0] == part[0] == "bench"
    assert whole[1] != part[1]
    assert "bench: 1 view, 10 frames; bench: 1 view, 10 frames without Spine, Head." in out


def test_a_file_that_is_not_there_is_one_line():
    message = run_script("accuracy.py", "nowhere.npz", status=2)
    assert message.count("\n") == 1
    assert "nowhere.npz: there is no such file" in message
