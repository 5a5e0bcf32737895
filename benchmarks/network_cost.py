"""What a network costs in ONNX Runtime on one core, beside matrix products of the same shapes in the same run."""

import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hyperlift.config import to_mapping
from hyperlift.export.onnx import export_onnx
from hyperlift.geometry.contract import LifterSpec
from hyperlift.models import HyperLifter
from hyperlift.runtime import OnnxLifter, load_lifter, open_session

FRAMES = 243
"""Frames that a time is for; cut into windows of the network's length."""
JOINTS = 17
LEAST_S = 2e-3
"""A product is repeated until it takes as long."""


@dataclass(frozen=True)
class Timed:
    """A network, and the file that is timed."""

    model: HyperLifter
    onnx: str
    """Path, or the name of a bundled lifter."""

    @property
    def window(self) -> int:
        """Frames of a clip in the timed call."""
        return min(self.model.config.n_frames, FRAMES)


@dataclass(frozen=True)
class Cost:
    """Of lifting ``FRAMES`` frames."""

    parameters: int
    macs: float
    """Multiplications with an addition, in linear layers and attention."""
    ms: float
    limit_gflops: float
    """What the same matrix products of the linear layers reach, each by itself."""

    @property
    def gflops(self) -> float:
        """Rate of the whole network."""
        return 2e-6 * self.macs / self.ms

    @property
    def share(self) -> float:
        """Of the limit."""
        return self.gflops / self.limit_gflops


def exported(model: HyperLifter, folder: Path) -> str:
    """Path of the network's ONNX file, made where it is not there yet: cost depends on the configuration alone.

    Raises:
        RuntimeError: the file differs from the network.
    """
    key = zlib.crc32(json.dumps(to_mapping(model.config), sort_keys=True).encode())
    path = folder / f"{key:08x}.onnx"
    if not path.exists():
        config = model.config
        spec = LifterSpec(name="t", label_space=config.label_space, rootrel=config.rootrel, n_frames=config.n_frames)
        if not export_onnx(model, spec, path).passed:
            raise RuntimeError(f"{config}: the ONNX file differs from torch")
    return str(path)


def measure(networks: Mapping[str, Timed], repetitions: int) -> dict[str, Cost]:
    """Time all networks and products turn by turn, so that all meet the same load; medians.

    The clock is the processor time of the process: with one thread the wall time on a core of its own, whatever else
    the machine does.
    """
    rng = np.random.default_rng(0)
    calls: dict[tuple, Callable[[], object]] = {}
    work = {name: work_of(timed) for name, timed in networks.items()}
    for name, timed in networks.items():
        lifter = load_lifter(timed.onnx, threads=1)
        pose2d = rng.uniform(-1, 1, (FRAMES // timed.window, timed.window, JOINTS, 3)).astype(np.float32)
        calls["network", name] = _lifting(lifter, np.abs(pose2d))
    for shape in {shape for _, products in work.values() for shape in products}:
        calls["product", shape] = product(shape, rng)
    spent: dict[tuple, list[float]] = {key: [] for key in calls}
    times = {key: _times(call) if key[0] == "product" else 1 for key, call in calls.items()}
    for _ in range(repetitions):
        for key, call in calls.items():
            started = time.process_time()
            for _ in range(times[key]):
                call()
            spent[key].append((time.process_time() - started) / times[key])
    seconds = {key: float(np.median(values)) for key, values in spent.items()}
    found = {}
    for name, timed in networks.items():
        macs, products = work[name]
        clips = FRAMES // timed.window
        in_products = sum(count * seconds["product", shape] for shape, count in products.items())
        flop = sum(2.0 * count * np.prod(shape, dtype=float) for shape, count in products.items())
        found[name] = Cost(
            parameters=sum(p.numel() for p in timed.model.parameters()),
            macs=macs,
            ms=1e3 * seconds["network", name] * FRAMES / (clips * timed.window),
            limit_gflops=float(1e-9 * flop / in_products),
        )
    return found


def work_of(timed: Timed) -> tuple[float, Counter[tuple[int, int, int]]]:
    """Multiplications for ``FRAMES`` frames, and (rows, in, out) of every linear layer of the timed call."""
    shapes: Counter[tuple[int, int, int]] = Counter()

    def note(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        shapes[inputs[0][..., 0].numel(), inputs[0].shape[-1], output.shape[-1]] += 1

    hooks = [layer.register_forward_hook(note) for layer in timed.model.modules() if isinstance(layer, nn.Linear)]
    clips = FRAMES // timed.window
    counter = FlopCounterMode(display=False)
    # The plain kernel of attention is two matrix products that the counter knows.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        timed.model(torch.rand(clips, timed.window, JOINTS, 3))
    for hook in hooks:
        hook.remove()
    return counter.get_total_flops() / 2 * FRAMES / (clips * timed.window), shapes


def product(shape: tuple[int, int, int], rng: np.random.Generator) -> Callable[[], object]:
    """One float32 product [m,k] [k,n] in ONNX Runtime on one thread; like a layer's weights the second is constant."""
    m, k, n = shape
    weights = numpy_helper.from_array(rng.normal(size=(k, n)).astype(np.float32), "b")
    ports = [helper.make_tensor_value_info(x, TensorProto.FLOAT, s) for x, s in (("a", [m, k]), ("c", [m, n]))]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])], "product", ports[:1], ports[1:], [weights]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    session = open_session(model.SerializeToString(), "product", threads=1)
    given = onnxruntime.OrtValue.ortvalue_from_numpy(rng.normal(size=(m, k)).astype(np.float32))
    found = onnxruntime.OrtValue.ortvalue_from_numpy(np.empty((m, n), np.float32))
    binding = session.io_binding()
    binding.bind_ortvalue_input("a", given)
    binding.bind_ortvalue_output("c", found)
    return lambda: session.run_with_iobinding(binding)


def _lifting(lifter: OnnxLifter, pose2d: np.ndarray) -> Callable[[], object]:
    lifter(pose2d)
    return lambda: lifter(pose2d)


def _times(call: Callable[[], object]) -> int:
    call()
    started = time.process_time()
    call()
    return int(np.clip(LEAST_S / max(time.process_time() - started, 1e-9), 1, 1000))
