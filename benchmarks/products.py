"""Matrix products as ONNX Runtime computes them: what a network's own products are compared with."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hyperlift.runtime.session import onnxruntime, open_session

Shape = tuple[int, int, int]
"""(m, k, n) of a product [m,k] [k,n]."""
_SQUARE: Shape = (812, 812, 812)
SQUARE_FLOP = 2.0 * 812**3


def product_graph(shapes: Sequence[Shape], rng: np.random.Generator) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """A graph with nothing but these float32 products, independent of one another, and what it is fed.

    As in a layer the second factor is constant. Products of first factors of the same size share one.
    """
    feed = {f"a{m}x{k}": rng.normal(size=(m, k)).astype(np.float32) for m, k, _ in shapes}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, a.shape) for name, a in feed.items()]
    nodes, outputs, weights = [], [], []
    for number, (m, k, n) in enumerate(shapes):
        weights.append(numpy_helper.from_array(rng.normal(size=(k, n)).astype(np.float32), f"w{number}"))
        nodes.append(helper.make_node("MatMul", [f"a{m}x{k}", f"w{number}"], [f"c{number}"], f"product{number}"))
        outputs.append(helper.make_tensor_value_info(f"c{number}", TensorProto.FLOAT, [m, n]))
    graph = helper.make_graph(nodes, "products", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), feed


def product(shape: Shape, rng: np.random.Generator) -> Callable[[], object]:
    """One float32 product on one thread, between arrays that are there already."""
    model, ((name, first),) = (made := product_graph([shape], rng))[0], made[1].items()
    session = open_session(model.SerializeToString(), "product", threads=1)
    binding = session.io_binding()
    binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(first))
    binding.bind_ortvalue_output(
        "c0", onnxruntime.OrtValue.ortvalue_from_numpy(np.empty((shape[0], shape[2]), np.float32))
    )
    return lambda: session.run_with_iobinding(binding)


def square_product() -> Callable[[], object]:
    """A square product of ``SQUARE_FLOP``, ten times; one thread."""
    one = product(_SQUARE, np.random.default_rng(0))
    return lambda: [one() for _ in range(10)]
