"""A lifter written node by node, so that tests of ONNX files need no torch."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hyperlift.contract import METADATA_KEY, LifterSpec

SPEC = LifterSpec(name="tiny", label_space="camera", n_frames=30, credit="CMU")
NODES = ("embed", "middle", "head")


def write_tiny_lifter(path, seed=0, outlier=1.0, spec=SPEC):
    """Three products a frame: 51 -> 64 -> 64 -> 51, the root subtracted; poses of about a metre.

    One input of ``head`` is ``outlier`` times as large as the others and has weights as much smaller: the same poses,
    but 8 bits that reach so far tell little about the others.
    """
    rng = np.random.default_rng(seed)
    scale = np.ones(64)
    scale[5] = outlier
    weights = {
        "w1": rng.normal(size=(51, 64)) / 7,
        "w2": rng.normal(size=(64, 64)) / 8 * scale,
        "w3": rng.normal(size=(64, 51)) / 20 / scale[:, None],
    }
    constants = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()]
    for name, values in (
        ("flat", [0, 0, 51]),
        ("deep", [0, 0, 17, 3]),
        *(("first", [0]), ("second", [1]), ("joint_axis", [2])),
    ):
        constants.append(numpy_helper.from_array(np.array(values, np.int64), name))
    node = helper.make_node
    nodes = [
        node("Reshape", ["pose2d", "flat"], ["x0"], "to_flat"),
        node("MatMul", ["x0", "w1"], ["x1"], "embed"),
        node("Tanh", ["x1"], ["x2"], "bend"),
        node("MatMul", ["x2", "w2"], ["x3"], "middle"),
        node("MatMul", ["x3", "w3"], ["x4"], "head"),
        node("Reshape", ["x4", "deep"], ["x5"], "to_joints"),
        node("Slice", ["x5", "first", "second", "joint_axis"], ["root"], "root"),
        node("Sub", ["x5", "root"], ["pose3d"], "rooted"),
    ]
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["clips", "frames", 17, 3])
        for name in ("pose2d", "pose3d")
    ]
    graph = helper.make_graph(nodes, "tiny", ports[:1], ports[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {METADATA_KEY: spec.to_json(), "axes": "camera: x right, y down, z forward"})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
