"""Halve an ONNX file: keep its large fp32 weights as fp16 and cast them back when the model is loaded.

Nothing is computed in half precision. ONNX Runtime folds the casts into constants while it opens the file, so a model
whose weights were fp16 from the start runs as before and gives the same numbers. A weight that fp16 cannot hold
exactly is refused unless --lossy is given. The same input gives the same bytes.

    python tools/store_weights_fp16.py movenet-thunder.onnx lib/hyperlift/weights/movenet-thunder.onnx
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hyperlift.cli.app import run_work
from hyperlift.config.option import Option
from hyperlift.errors import InputError
from hyperlift.files.atomic import atomic_file

LEAST_NUMBERS = 64
"""Smaller tensors stay as they are: the cast would weigh more than they do."""


def store_as_fp16(model: onnx.ModelProto, source: str, lossy: bool = False) -> int:
    """Store the weights of ``model`` as fp16, in place.

    Args:
        model: a model whose weights are in the file itself.
        source: name of the model in messages.
        lossy: whether weights that fp16 cannot hold may be rounded.

    Returns:
        How many tensors were changed.

    Raises:
        InputError: a weight would not come back as it was.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < LEAST_NUMBERS:
            continue
        weights = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            halved = weights.astype(np.float16)
        changed = int((halved.astype(np.float32) != weights).sum())
        if np.isinf(halved).any() or (changed and not lossy):
            raise InputError(
                f"{source}: {changed} numbers of {tensor.name} do not fit into fp16; keep the file, or give `lossy` "
                "if they are merely rounded"
            )
        name, stored_name = tensor.name, f"{tensor.name}__fp16"
        tensor.CopyFrom(numpy_helper.from_array(halved, stored_name))
        casts.append(helper.make_node("Cast", [stored_name], [name], name=f"{name}__to_fp32", to=TensorProto.FLOAT))
    # Nodes stand in the order in which they are computed: the weights come first.
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return len(casts)


@dataclass(frozen=True, kw_only=True)
class StoreWeights:
    """Halve an ONNX file: keep its large fp32 weights as fp16 and cast them back when the model is loaded."""

    model: Annotated[Path, Option("ONNX file with fp32 weights", positional=True)]
    out: Annotated[Path, Option("where the smaller file goes", positional=True)]
    lossy: Annotated[bool, Option("round weights that fp16 cannot hold exactly")] = False


def store_file(options: StoreWeights) -> int:
    path, out = options.model, options.out
    if not path.is_file():
        raise InputError(f"{path}: no such file; give an ONNX model")
    model = onnx.load(path)
    changed = store_as_fp16(model, str(path), options.lossy)
    onnx.checker.check_model(model)
    with atomic_file(out) as partial:
        partial.write_bytes(model.SerializeToString(deterministic=True))
    before, after = path.stat().st_size, out.stat().st_size
    print(f"{out}: {changed} tensors as fp16, {before / 1e6:.1f} MB to {after / 1e6:.1f} MB")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_work(lambda: StoreWeights, store_file, argv)


if __name__ == "__main__":
    raise SystemExit(main())
