"""Rewrites an exported graph so that ONNX Runtime runs it faster on a CPU; the results are equal bit for bit."""

from collections import Counter
from collections.abc import Sequence

import onnx
from onnx import helper

_ELEMENTWISE = ("Add", "Sub", "Mul", "Div")
_RANK = 4
"""Axes of the tensors to rewrite: [clips, frames, joints, axes]."""


def simplify(model: onnx.ModelProto) -> None:
    """Rewrite in place: frames are gathered by one operator, and short operands are expanded before broadcasting."""
    _merge_gathers(model.graph)
    _expand_operands(model.graph)


def _merge_gathers(graph: onnx.GraphProto) -> None:
    """Replace Transpose, GatherND, Transpose, which the exporter writes for ``x[:, frames]``, by one Gather."""
    made = {output: node for node in graph.node for output in node.output}
    users = Counter(name for node in graph.node for name in node.input)
    for last in list(graph.node):
        chain = [last]
        while len(chain) < 3 and chain[-1].input[0] in made:
            chain.append(made[chain[-1].input[0]])
        if [node.op_type for node in chain] != ["Transpose", "GatherND", "Transpose"]:
            continue
        after, gather, before = chain
        frames = made.get(gather.input[1])
        alone = all(users[name] == 1 for name in (gather.output[0], before.output[0], gather.input[1]))
        if (
            not alone
            or frames is None
            or frames.op_type != "Unsqueeze"
            or (_perm(before), _perm(after)) != ([1, 0, 2], [2, 0, 1, 3])
        ):
            continue
        single = helper.make_node("Gather", [before.input[0], frames.input[0]], after.output, after.name, axis=1)
        _replace(graph, after, [single])
        for node in (gather, before, frames):
            graph.node.remove(node)


def _expand_operands(graph: onnx.GraphProto) -> None:
    """Expand operands that are constant over joints or axes: broadcasting over short axes is slow."""
    sizes = {value.name: _sizes(value) for value in [*graph.value_info, *graph.input]}
    for node in list(graph.node):
        if node.op_type not in _ELEMENTWISE or not all(len(sizes.get(name, ())) == _RANK for name in node.input):
            continue
        short, long = sorted(node.input, key=lambda name: _last_two(sizes[name]))
        few, many = _last_two(sizes[short]), _last_two(sizes[long])
        if few == many or 0 in few or few[1] > many[1] or sizes[short][:2] != sizes[long][:2]:
            continue
        shape, wide = f"{node.output[0]}/shape", f"{node.output[0]}/wide"
        widened = helper.make_node(node.op_type, [wide if name == short else name for name in node.input], node.output)
        widened.name = node.name
        before = [helper.make_node("Shape", [long], [shape]), helper.make_node("Expand", [short, shape], [wide])]
        for added, what in zip(before, ("shape", "wide"), strict=True):
            added.name = f"{node.name}/{what}"
        _replace(graph, node, [*before, widened])


def _sizes(value: onnx.ValueInfoProto) -> tuple[int | str, ...]:
    """Size of each axis; the name of a dynamic axis."""
    return tuple(size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim)


def _last_two(sizes: Sequence[int | str]) -> tuple[int, int]:
    """Sizes of the last two axes, joints and axes; 0 if unknown."""
    joints, axes = (size if isinstance(size, int) else 0 for size in sizes[2:])
    return joints, axes


def _perm(transpose: onnx.NodeProto) -> list[int]:
    return list(helper.get_node_attr_value(transpose, "perm"))


def _replace(graph: onnx.GraphProto, old: onnx.NodeProto, new: Sequence[onnx.NodeProto]) -> None:
    place = next(i for i, node in enumerate(graph.node) if node is old or node == old)
    graph.node.remove(old)
    for i, node in enumerate(new):
        graph.node.insert(place + i, node)
