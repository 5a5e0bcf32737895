"""Quantises the large matrix products of an exported lifter to 8-bit integers.

Weights are quantised once on calibration clips, symmetrically per output channel. Activations are quantised at run time
by the range of each tensor, so that no value is clipped. The range covers all clips of a call, so the runtime runs such
a file clip by clip. The module needs only ONNX Runtime, not torch.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from hyperlift.errors import InputError, quoted
from hyperlift.export.rounding import WEIGHT_BITS, Rounded, round_product
from hyperlift.files.atomic import atomic_file
from hyperlift.readers import reader
from hyperlift.runtime.session import INT8_KEY, open_session
from hyperlift.shapes import Float

FITTED_CLIPS = 24
"""Default number of calibration windows. Chosen: they cover all procedural motions twice."""
ALLOWED_MM = 5.0
"""Default limit of the root mean square distance to the joints of fp32. Chosen: as an independent error it raises a
position error of 50 mm by 0.25 mm (√(50² + 5²) = 50.25)."""
MIN_SHARE = 0.005
"""Products with a smaller share of all multiplications stay in fp32. Chosen: their gain in time is negligible."""
_CLIPS_PER_CALL = 4
"""Calibration clips per call. Chosen: it bounds the memory of the captured activations."""


@dataclass(frozen=True)
class Multiplication:
    """A matrix product with constant weights."""

    node: str
    """Name of the node in the graph."""
    inner: int
    """Inner dimension."""
    columns: int
    macs: int
    """Multiply–accumulate operations for the measured clips."""

    @property
    def rows(self) -> int:
        """Rows of the left factor for these clips."""
        return self.macs // (self.inner * self.columns)


def quantise(
    fp32: Path, int8: Path, pose2d_norm: Float[np.ndarray, "clips frames joints 3"], keep: Collection[str] = ()
) -> None:
    """Write an 8-bit lifter with the metadata of the fp32 lifter.

    Args:
        fp32: ONNX file of the lifter.
        int8: file to write, atomically.
        pose2d_norm: calibration clips.
        keep: names of products that stay in fp32.

    Raises:
        InputError: the file is no ONNX model, a name in ``keep`` is unknown, or no product is left to quantise.
    """
    model = _load(fp32)
    names = list(_weights(model))
    unknown = sorted(set(keep) - set(names))
    if unknown:
        raise InputError(f"no multiplication is named {quoted(unknown[0])}; there are {', '.join(names)}")
    chosen = [name for name in names if name not in keep]
    if not chosen:
        raise InputError(f"{fp32}: has no multiplication with weights left to quantise")
    factors = _calibrate(model, pose2d_norm, chosen)
    with atomic_file(int8) as partial:
        changed = _quantised(model, factors)
        changed.metadata_props.add(key=INT8_KEY, value=f"dynamic; weights of {WEIGHT_BITS} bits")
        onnx.save(changed, partial)


def multiplications(fp32: Path, pose2d_norm: Float[np.ndarray, "clips frames joints 3"]) -> list[Multiplication]:
    """All products with constant weights, in graph order, with their sizes for these clips."""
    model = _load(fp32)
    weights = _weights(model)
    outputs = {node.output[0]: node.name for node in model.graph.node if node.name in weights}
    model.graph.output.extend(onnx.ValueInfoProto(name=output) for output in outputs)
    session = open_session(model.SerializeToString(), str(fp32))
    values = session.run(list(outputs), {session.get_inputs()[0].name: pose2d_norm})
    return [
        Multiplication(name, *weights[name], macs=int(np.asarray(value).size) * weights[name][0])
        for name, value in zip(outputs.values(), values, strict=True)
    ]


def choose_fp32(fp32: Path, pose2d_norm: Float[np.ndarray, "clips frames joints 3"], allowed: float) -> list[str]:
    """Select the products to keep in fp32: those too small to save time, and those that cost most accuracy.

    Each product is quantised alone and its distance to fp32 measured. Squared distances are assumed to add. Products
    are taken in ascending order of squared distance per multiplication, until their sum exceeds the limit.

    Args:
        fp32: ONNX file of the lifter.
        pose2d_norm: clips for calibration and comparison; a few windows suffice.
        allowed: limit of the root mean square joint distance, in units of the label space.

    Returns:
        Node names for ``keep`` of ``quantise``; at least one product is left to quantise.
    """
    products = multiplications(fp32, pose2d_norm)
    total = sum(product.macs for product in products)
    large = [product for product in products if product.macs >= MIN_SHARE * total]
    moved = quantised_alone(fp32, pose2d_norm, [product.node for product in large])
    costs = sorted(large, key=lambda product: moved[product.node] ** 2 / product.macs)
    taken, square = [], 0.0
    for product in costs:
        square += moved[product.node] ** 2
        if taken and square > allowed**2:
            break
        taken.append(product.node)
    return [product.node for product in products if product.node not in taken]


def quantised_alone(
    fp32: Path, pose2d_norm: Float[np.ndarray, "clips frames joints 3"], nodes: Sequence[str]
) -> dict[str, float]:
    """Root mean square joint distance to fp32 if a single product is quantised, in units of the label space."""
    model = _load(fp32)
    exact = _lifted(model, pose2d_norm)
    factors = _calibrate(model, pose2d_norm, nodes)
    moved = {node: _lifted(_quantised(model, {node: factors[node]}), pose2d_norm) - exact for node in nodes}
    return {node: float(np.sqrt((difference**2).sum(-1).mean())) for node, difference in moved.items()}


def _calibrate(model: onnx.ModelProto, pose2d_norm: np.ndarray, nodes: Sequence[str]) -> dict[str, Rounded]:
    """Capture the inputs of the products on calibration clips, and quantise their weights."""
    inputs = {node.name: (node.input[0], node.input[1]) for node in model.graph.node if node.name in nodes}
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    seen = sorted({name for name, _ in inputs.values()})
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in seen)
    session = open_session(watched.SerializeToString(), "the lifter")
    port = session.get_inputs()[0].name
    rows: dict[str, list[np.ndarray]] = {name: [] for name in seen}
    for first in range(0, len(pose2d_norm), _CLIPS_PER_CALL):
        values = session.run(seen, {port: pose2d_norm[first : first + _CLIPS_PER_CALL]})
        for name, value in zip(seen, values, strict=True):
            array = np.asarray(value)
            rows[name].append(array.reshape(-1, array.shape[-1]))
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    return {
        node: round_product(np.concatenate(rows[name]), numpy_helper.to_array(weights[weight]))
        for node, (name, weight) in inputs.items()
    }


def _quantised(model: onnx.ModelProto, factors: dict[str, Rounded]) -> onnx.ModelProto:
    """The model with these products quantised; unused fp32 weights are removed."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    made = {output: node for node in graph.node for output in node.output}
    users = Counter(name for node in graph.node for name in node.input)
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.name not in factors:
            nodes.append(node)
            continue
        own = factors[node.name]
        before = made.get(node.input[0])
        if before is not None and users[node.input[0]] == 1 and _even_norm(before, own, constants, graph):
            nodes += _with_integers(node, own, graph, already_even=True)
        else:
            nodes += _with_integers(node, own, graph, already_even=bool((own.even == 1).all()))
    used = Counter(name for node in nodes for name in node.input)
    kept = [tensor for tensor in graph.initializer if used[tensor.name]]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    return changed


def _even_norm(
    norm: onnx.NodeProto, factors: Rounded, constants: dict[str, onnx.TensorProto], graph: onnx.GraphProto
) -> bool:
    """Fold the smoothing factors into a preceding LayerNorm; returns False if there is none."""
    if norm.op_type != "LayerNormalization" or not all(name in constants for name in norm.input[1:]):
        return False
    for i, name in enumerate(norm.input[1:], 1):
        evened = numpy_helper.to_array(constants[name]) * factors.even
        norm.input[i] = f"{norm.name}/{i}/evened"
        graph.initializer.append(numpy_helper.from_array(evened.astype(np.float32), norm.input[i]))
    return True


def _with_integers(
    product: onnx.NodeProto, factors: Rounded, graph: onnx.GraphProto, *, already_even: bool
) -> list[onnx.NodeProto]:
    """The sequence of operators that ONNX Runtime fuses into DynamicQuantizeMatMul."""
    constants = {
        "even": factors.even,
        "weights": factors.weights,
        "steps": factors.scale,
        "zeros": np.zeros(len(factors.scale), np.int8),
    }
    parts = (*constants, "evened", "integers", "scale", "zero", "sums", "floats", "scales")
    name = {part: f"{product.name}/{part}" for part in parts}
    graph.initializer.extend(numpy_helper.from_array(array, name[part]) for part, array in constants.items())
    source = product.input[0] if already_even else name["evened"]
    made = [name["integers"], name["scale"], name["zero"]]
    summed = [name["integers"], name["weights"], name["zero"], name["zeros"]]
    nodes = [
        helper.make_node("DynamicQuantizeLinear", [source], made, name["integers"]),
        helper.make_node("MatMulInteger", summed, [name["sums"]], name["sums"]),
        helper.make_node("Cast", [name["sums"]], [name["floats"]], name["floats"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", [name["scale"], name["steps"]], [name["scales"]], name["scales"]),
        helper.make_node("Mul", [name["floats"], name["scales"]], product.output, product.name),
    ]
    if not already_even:
        nodes.insert(0, helper.make_node("Mul", [product.input[0], name["even"]], [source], source))
    return nodes


@reader("ONNX model", remedy="export it again")
def _load(path: Path) -> onnx.ModelProto:
    try:
        # Without external data, which could name any file of the machine.
        return onnx.load(path, load_external_data=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path") from error
    except Exception as error:  # protobuf's own classes
        raise InputError(f"{path}: is no ONNX model; export it again") from error


def _weights(model: onnx.ModelProto) -> dict[str, tuple[int, int]]:
    """Inner dimension and columns of each product with constant weights, by node name."""
    constants = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    return {
        node.name: (constants[node.input[1]][0], constants[node.input[1]][1])
        for node in model.graph.node
        if node.op_type == "MatMul" and len(constants.get(node.input[1], ())) == 2
    }


def _lifted(model: onnx.ModelProto, pose2d_norm: np.ndarray) -> np.ndarray:
    session = open_session(model.SerializeToString(), "the lifter", optimisation="none")  # opens fastest
    port = session.get_inputs()[0].name
    # Clip by clip, as the runtime runs 8-bit files.
    return np.concatenate([np.asarray(session.run(None, {port: clip[None]})[0], np.float64) for clip in pose2d_norm])
