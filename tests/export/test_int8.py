import json

import numpy as np
import onnx
import pytest
from tiny_onnx import NODES, SPEC, write_tiny_lifter

from hyperlift.errors import InputError
from hyperlift.export.calibration import read_calibration
from hyperlift.export.int8 import choose_fp32, multiplications, quantise, quantised_alone
from hyperlift.export.int8_report import compare_int8
from hyperlift.runtime.loading import load_lifter


@pytest.fixture(scope="module")
def calibration():
    return read_calibration(None, SPEC)


def metadata(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def test_the_runtime_lifts_with_an_int8_file_as_with_any_other(tmp_path, calibration):
    fp32, int8 = write_tiny_lifter(tmp_path / "a.onnx"), tmp_path / "a-int8.onnx"
    quantise(fp32, int8, calibration.windows(4, 30))
    assert metadata(int8) == {**metadata(fp32), "int8": "dynamic; weights of 7 bits"}
    operators = [node.op_type for node in onnx.load(int8).graph.node]
    assert operators.count("MatMulInteger") == len(NODES)
    assert "MatMul" not in operators
    plain, small = load_lifter(fp32), load_lifter(int8)
    assert small.spec == plain.spec == SPEC
    five = calibration.windows(5, 30)
    assert np.array_equal(small(five)[3], small(five[3:4])[0])  # no clip changes another
    assert np.array_equal(load_lifter(int8, threads=3)(five), load_lifter(int8, threads=1)(five))
    for clips, frames in [(1, 1), (2, 9), (1, 30)]:
        pose2d = calibration.windows(clips, frames)
        distance = np.linalg.norm(small(pose2d) - plain(pose2d), axis=-1)
        assert 0 < distance.mean() < 0.02  # of poses about a metre large


def test_weights_have_seven_bits(tmp_path, calibration):
    # Sums of two products of 8-bit activations with such weights fit 16 bits: 2 * 255 * 64 < 2 ** 15.
    fp32, int8 = write_tiny_lifter(tmp_path / "a.onnx"), tmp_path / "b.onnx"
    quantise(fp32, int8, calibration.windows(4, 30))
    weights = [onnx.numpy_helper.to_array(t) for t in onnx.load(int8).graph.initializer if t.data_type == 3]
    matrices = [array for array in weights if array.ndim == 2]
    assert len(matrices) == len(NODES)
    for array in matrices:
        assert np.abs(array.astype(int)).max() == 63


def test_multiplications_are_counted(tmp_path, calibration):
    fp32 = write_tiny_lifter(tmp_path / "a.onnx")
    products = multiplications(fp32, calibration.windows(2, 5))
    assert [product.node for product in products] == list(NODES)
    assert [product.macs for product in products] == [10 * 51 * 64, 10 * 64 * 64, 10 * 64 * 51]
    assert [product.rows for product in products] == [10, 10, 10]


def test_one_multiplication_alone_is_judged_as_the_quantiser_makes_it(tmp_path, calibration):
    fp32, pose2d = write_tiny_lifter(tmp_path / "a.onnx", outlier=20.0), calibration.windows(2, 30)
    judged = quantised_alone(fp32, pose2d, NODES)
    for node in NODES:
        quantise(fp32, tmp_path / "b.onnx", pose2d, [other for other in NODES if other != node])
        moved = load_lifter(tmp_path / "b.onnx")(pose2d) - load_lifter(fp32)(pose2d)
        assert np.sqrt((moved**2).sum(-1).mean()) == pytest.approx(judged[node], rel=0.02)


def test_inputs_that_reach_far_are_evened_out(tmp_path, calibration):
    # One input of "head" is a hundred times as large as the others: 8 bits over all would tell nothing of those.
    pose2d = calibration.windows(4, 30)
    apart = {}
    for outlier in (1.0, 100.0):
        fp32 = write_tiny_lifter(tmp_path / "a.onnx", outlier=outlier)
        quantise(fp32, tmp_path / "b.onnx", pose2d)
        apart[outlier] = np.abs(load_lifter(tmp_path / "b.onnx")(pose2d) - load_lifter(fp32)(pose2d)).mean()
    assert apart[100.0] < 2 * apart[1.0]


def test_what_costs_most_stays_in_fp32(tmp_path, calibration):
    fp32, pose2d = write_tiny_lifter(tmp_path / "a.onnx"), calibration.windows(2, 30)
    alone = quantised_alone(fp32, pose2d, NODES)
    worst = max(NODES, key=lambda node: alone[node] ** 2 / (64 * 64 if node == "middle" else 64 * 51))
    rest = np.sqrt(sum(alone[node] ** 2 for node in NODES if node != worst))
    assert choose_fp32(fp32, pose2d, 1e6) == []
    assert choose_fp32(fp32, pose2d, 1.001 * rest) == [worst]
    assert len(choose_fp32(fp32, pose2d, 0.0)) == 2  # an int8 file has at least one product in int8


def test_the_report_measures_distances_in_millimetres(tmp_path, calibration):
    fp32, int8 = write_tiny_lifter(tmp_path / "a.onnx"), tmp_path / "b.onnx"
    quantise(fp32, int8, calibration.windows(4, 30), ["head"])
    report = compare_int8(fp32, int8, SPEC, calibration, ["head"])
    assert [(shape.clips, shape.frames) for shape in report.shapes] == [(n, t) for n in (1, 3) for t in (1, 7, 27, 30)]
    plain, small = load_lifter(fp32), load_lifter(int8)
    windows = np.split(calibration.windows(12, 7), 4)
    by_hand = 1000 * np.concatenate([np.linalg.norm(small(w) - plain(w), axis=-1) for w in windows])
    measured = next(shape.distance for shape in report.shapes if (shape.clips, shape.frames) == (3, 7))
    assert measured.mean_mm == pytest.approx(by_hand.mean(), rel=1e-4)
    assert measured.max_mm == pytest.approx(by_hand.max(), rel=1e-4)
    assert report.joints["Pelvis"].max_mm == 0  # the root of both
    assert max(joint.max_mm for joint in report.joints.values()) == report.distance.max_mm
    assert [level.level for level in report.levels] == ["none", "basic", "extended", "all"]
    assert all(level.fp32.max_mm < 0.1 for level in report.levels)
    assert "worst joint" in report.table
    assert json.loads(json.dumps(report.as_dict()))["kept_fp32"] == ["head"]


def test_poses_in_picture_units_are_scaled_to_a_body(tmp_path, calibration):
    fp32, int8 = write_tiny_lifter(tmp_path / "a.onnx"), tmp_path / "b.onnx"
    quantise(fp32, int8, calibration.windows(4, 30))
    metres = compare_int8(fp32, int8, SPEC, calibration)
    image = SPEC.__class__(name="tiny", label_space="image", n_frames=30)
    scaled = compare_int8(fp32, int8, image, calibration)
    ratio = scaled.distance.mean_mm / metres.distance.mean_mm
    assert scaled.distance.max_mm == pytest.approx(ratio * metres.distance.max_mm)
    assert ratio != pytest.approx(1.0)


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_what_is_no_lifter_is_refused(tmp_path, content, calibration):
    pose2d = calibration.windows(1, 9)
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.onnx"):
        quantise(tmp_path / "a.onnx", tmp_path / "b.onnx", pose2d)
    with pytest.raises(InputError, match="no multiplication is named 'tail'; there are embed, middle, head"):
        quantise(write_tiny_lifter(tmp_path / "c.onnx"), tmp_path / "b.onnx", pose2d, ["tail"])
    assert not (tmp_path / "b.onnx").exists()
