"""Extends an exported lifter to clips of any length, by overlapping windows within the graph.

The network takes at most as many frames as in training. A ``Loop`` around it processes windows that overlap by half and
are blended, as in ``lifting.windows``: with equal frames, weights and sums. Shorter clips are a single window. Besides
input and output, the memory is that of one window.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_PREFIX = "windows/"
_FRAMES, _LENGTH, _HOP, _LAST_START = (_PREFIX + name for name in ("frames", "length", "hop", "last_start"))
"""Frames of the clip, frames of a window, stride of windows, and start of the last window."""
_NUMBER, _GO_ON = _PREFIX + "number", _PREFIX + "go_on"
_WEIGHT, _NEXT_WEIGHT = _PREFIX + "weight", _PREFIX + "next_weight"
"""Sum of the blending weights for each frame of the current window, before and after adding it."""


def take_any_length(model: onnx.ModelProto, window: int) -> onnx.ModelProto:
    """Put an exported lifter of at most ``window`` frames into a loop.

    Args:
        model: has one input ``[N,T,V,3]`` and float32 outputs whose first axes are N and T; it is not changed.
        window: maximum frames per call of the network.

    Returns:
        A model with the same inputs, outputs and metadata for any T.
    """
    looped = onnx.ModelProto()
    looped.CopyFrom(model)
    graph = looped.graph
    (given,), outputs = graph.input, list(graph.output)
    body = _body(graph, given.name)
    del graph.node[:], graph.value_info[:]

    steps = _Steps("")
    steps.add("Gather", [steps.add("Shape", [given.name]), steps.constant(1)], _FRAMES, axis=0)
    steps.add("Min", [_FRAMES, steps.constant(window)], _LENGTH)
    half = steps.add("Div", [_LENGTH, steps.constant(2)])
    steps.add("Max", [half, steps.constant(1)], _HOP)
    steps.add("Sub", [_FRAMES, _LENGTH], _LAST_START)
    up = steps.add("Add", [_LAST_START, steps.add("Sub", [_HOP, steps.constant(1)])])
    windows = steps.add("Add", [steps.add("Div", [up, _HOP]), steps.constant(1)])
    length = steps.vector(_LENGTH)
    clips = steps.add("Slice", [steps.add("Shape", [given.name]), steps.constant([0]), steps.constant([1])])
    sizes = {output.name: steps.constant(_sizes(output)[2:]) for output in outputs}
    nothing = [steps.zeros(length)]
    nothing += [steps.zeros(steps.add("Concat", [clips, length, sizes[o.name]], axis=0)) for o in outputs]
    ended = [_PREFIX + "ended", *(f"{_PREFIX}{output.name}/last" for output in outputs)]
    done = [f"{_PREFIX}{output.name}/done" for output in outputs]
    whole = helper.make_node("Loop", [windows, "", *nothing], [*ended, *done], name=f"{_PREFIX}loop", body=body)
    steps.nodes.append(whole)

    for output, last, scanned in zip(outputs, ended[1:], done, strict=True):
        # [windows, N, hop, …] to [N, windows * hop, …]; only the frames of the last window are not final.
        more = len(_sizes(output)) - 2
        turned = steps.add("Transpose", [scanned], perm=[1, 0, 2, *range(3, 3 + more)])
        shape = steps.add("Concat", [clips, steps.constant([-1]), sizes[output.name]], axis=0)
        row = steps.add("Reshape", [turned, shape])
        bounds = [steps.constant([0]), steps.vector(_LAST_START), steps.constant([1])]
        before = steps.add("Slice", [row, *bounds])
        weight = steps.add("Reshape", [ended[0], steps.constant([-1, *[1] * more])])
        steps.add("Concat", [before, steps.add("Div", [last, weight])], output.name, axis=1)
    graph.node.extend(steps.nodes)
    return looped


class _Steps:
    """Collects nodes with unique names, for the graph or for the body of the loop."""

    def __init__(self, where: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self._where = _PREFIX + where

    def add(self, operator: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        output = output or f"{self._where}{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def constant(self, value: int | float | Sequence[int]) -> str:
        """Add a constant: int64 for integers, float32 for floats."""
        array = np.array(value, np.float32 if isinstance(value, float) else np.int64)
        return self.add("Constant", [], value=numpy_helper.from_array(array))

    def vector(self, number: str) -> str:
        """Reshape a scalar to a vector of length 1."""
        return self.add("Reshape", [number, self.constant([1])])

    def zeros(self, shape: str) -> str:
        """Add float32 zeros of a shape."""
        return self.add("ConstantOfShape", [shape], value=numpy_helper.from_array(np.zeros(1, np.float32)))


def _body(graph: onnx.GraphProto, given: str) -> onnx.GraphProto:
    """Body of the loop: lift one window, and add it with its weights to the sums of the previous window."""
    steps, outputs = _Steps("body/"), list(graph.output)
    renamed = {value: f"{_PREFIX}lifter/{value}" for value in (given, *(output.name for output in outputs))}
    start = steps.add("Min", [steps.add("Mul", [_NUMBER, _HOP]), _LAST_START])
    bounds = [steps.vector(start), steps.vector(steps.add("Add", [start, _LENGTH])), steps.constant([1])]
    steps.add("Slice", [given, *bounds], renamed[given])
    for node in graph.node:
        copied = onnx.NodeProto()
        copied.CopyFrom(node)
        copied.input[:] = [renamed.get(name, name) for name in node.input]
        copied.output[:] = [renamed.get(name, name) for name in node.output]
        steps.nodes.append(copied)

    # Blending weights: sin² over the window, nearly 0 at its ends and 1 in its middle.
    within = steps.add("Range", [steps.constant(0), _LENGTH, steps.constant(1)])
    place = steps.add("Add", [steps.add("Cast", [within], to=TensorProto.FLOAT), steps.constant(0.5)])
    turn = steps.add("Div", [place, steps.add("Cast", [_LENGTH], to=TensorProto.FLOAT)])
    sine = steps.add("Sin", [steps.add("Mul", [turn, steps.constant(float(np.pi))])])
    fade = steps.add("Mul", [sine, sine])

    # Sums of the previous window, shifted; they are 0 for its missing frames.
    before = steps.add("Min", [steps.add("Mul", [steps.add("Sub", [_NUMBER, steps.constant(1)]), _HOP]), _LAST_START])
    there = steps.add("Add", [within, steps.add("Sub", [start, before])])
    known = steps.add("Cast", [steps.add("Less", [there, _LENGTH])], to=TensorProto.FLOAT)
    there = steps.add("Min", [there, steps.add("Sub", [_LENGTH, steps.constant(1)])])
    kept = steps.add("Mul", [steps.add("Gather", [_WEIGHT, there], axis=0), known])
    weight = steps.add("Add", [kept, fade], _NEXT_WEIGHT)
    values = [_value(_NUMBER, TensorProto.INT64, []), _value(_GO_ON, TensorProto.BOOL, [])]
    values += [_value(_WEIGHT, TensorProto.FLOAT, [None])]
    results = [_value(steps.add("Identity", [_GO_ON]), TensorProto.BOOL, [])]
    results += [_value(weight, TensorProto.FLOAT, [None])]
    done = []
    for output in outputs:
        sizes = [None, None, *_sizes(output)[2:]]
        column = steps.constant([-1, *[1] * (len(sizes) - 2)])
        columns = [steps.add("Reshape", [numbers, column]) for numbers in (known, fade, weight)]
        sums = f"{_PREFIX}{output.name}/sums"
        carried = steps.add("Mul", [steps.add("Gather", [sums, there], axis=1), columns[0]])
        total = steps.add("Add", [carried, steps.add("Mul", [renamed[output.name], columns[1]])])
        values.append(_value(sums, TensorProto.FLOAT, sizes))
        results.append(_value(total, TensorProto.FLOAT, sizes))
        first = [steps.constant([0]), steps.vector(_HOP)]
        some = steps.add("Slice", [total, *first, steps.constant([1])])
        share = steps.add("Slice", [columns[2], *first, steps.constant([0])])
        done.append(_value(steps.add("Div", [some, share]), TensorProto.FLOAT, sizes))
    return helper.make_graph(steps.nodes, _PREFIX + "body", values, [*results, *done])


def _value(name: str, kind: int, sizes: Sequence[int | None]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(sizes))


def _sizes(value: onnx.ValueInfoProto) -> list[int]:
    return [size.dim_value for size in value.type.tensor_type.shape.dim]
