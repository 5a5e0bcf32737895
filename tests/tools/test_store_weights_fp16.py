import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from shared_data import shared_path

from hyperlift.runtime.session import onnxruntime

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import store_weights_fp16  # noqa: E402

WEIGHTS = ROOT / "lib" / "hyperlift" / "weights"


def outputs(model: Path, picture: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: picture})[0])


@pytest.mark.parametrize(
    ("name", "sides"), [("multipose", (192, 256)), ("thunder", (256, 256)), ("lightning", (192, 192))]
)
def test_bundled_detectors_are_the_originals(name, sides, tmp_path):
    """Made again from the original they have the same bytes, and they compute the same numbers, bit for bit."""
    original = shared_path(f"models/movenet-{name}.onnx")
    assert store_weights_fp16.main([str(original), str(tmp_path / "again.onnx")]) == 0
    bundled = WEIGHTS / f"movenet-{name}.onnx"
    assert (tmp_path / "again.onnx").read_bytes() == bundled.read_bytes()
    assert bundled.stat().st_size < 0.52 * original.stat().st_size
    picture = np.random.default_rng(0).integers(0, 256, (1, *sides, 3), dtype=np.int32)
    np.testing.assert_array_equal(outputs(bundled, picture), outputs(original, picture))


def a_product(weights: np.ndarray, path: Path) -> Path:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, len(weights)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, weights.shape[1]])],
        [numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_weights_that_do_not_fit_are_refused_unless_rounding_is_wanted(tmp_path, capsys):
    weights = np.full((16, 16), 0.1, np.float32)
    model, out = a_product(weights, tmp_path / "a.onnx"), tmp_path / "b.onnx"
    assert store_weights_fp16.main([str(model), str(out)]) == 2
    assert "256 numbers of w do not fit into fp16" in capsys.readouterr().err
    assert not out.exists()
    assert store_weights_fp16.main([str(model), str(out), "--lossy"]) == 0
    rounded = outputs(out, np.ones((1, 16), np.float32))
    np.testing.assert_array_equal(rounded, np.full((1, 16), 16 * np.float32(np.float16(0.1))))
    huge = a_product(np.full((16, 16), 1e6, np.float32), tmp_path / "huge.onnx")
    assert store_weights_fp16.main([str(huge), str(tmp_path / "c.onnx"), "--lossy"]) == 2
