"""What a network costs in ONNX Runtime on one core, beside matrix products of the same shapes in the same run."""

import copy
import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from products import Shape, product
from timing import interleaved
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hyperlift.config.loader import to_mapping
from hyperlift.contract import LifterSpec
from hyperlift.export.onnx import export_onnx
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.runtime.loading import load_lifter

FRAMES = 243
"""Frames that a time is for; cut into windows of the network's length."""
JOINTS = 17
LEAST_S = 2e-3
"""A product is repeated until it takes as long."""


def work_of(model: nn.Module, clips: int, frames: int, *, training: bool = False) -> tuple[float, Counter[Shape]]:
    """Of a call, floating-point operations in matrix products, and (rows, in, out) of every linear layer.

    Counted on torch's meta device; ``training`` counts the backward pass too.
    """
    shadow, shapes = copy.deepcopy(model).to("meta").train(training), Counter[Shape]()

    def note(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        shapes[inputs[0][..., 0].numel(), inputs[0].shape[-1], output.shape[-1]] += 1

    for layer in shadow.modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(note)
    with torch.set_grad_enabled(training), FlopCounterMode(display=False) as counter:
        answer = shadow(torch.empty(clips, frames, JOINTS, 3, device="meta"))
        if training:
            answer.sum().backward()
    return counter.get_total_flops(), shapes


@dataclass(frozen=True)
class Timed:
    """A network, and the file that is timed."""

    model: HyperLifter
    onnx: str
    """Path, or the name of a bundled lifter."""

    @property
    def clip(self) -> tuple[int, int]:
        """Clips of the timed call, and frames of a clip."""
        window = min(self.model.config.n_frames, FRAMES)
        return FRAMES // window, window


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

    @property
    def sizes(self) -> tuple[float, float, float]:
        """Million parameters, million multiplications a frame, milliseconds."""
        return self.parameters / 1e6, self.macs / FRAMES / 1e6, self.ms


def exported(model: HyperLifter, folder: Path) -> str:
    """Path of the network's ONNX file, made where it is not there yet: cost depends on the configuration alone.

    Raises:
        RuntimeError: the file differs from the network.
    """
    config = model.config
    path = folder / f"{zlib.crc32(json.dumps(to_mapping(config), sort_keys=True).encode()):08x}.onnx"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
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
    calls: dict[str | Shape, Callable[[], object]] = {}
    work = {name: work_of(timed.model, *timed.clip) for name, timed in networks.items()}
    for name, timed in networks.items():
        pose2d = rng.uniform(0, 1, (*timed.clip, JOINTS, 3)).astype(np.float32)
        calls[name] = partial(load_lifter(timed.onnx, threads=1), pose2d)
    times: dict[Shape, int] = {}
    for shape in {shape for _, shapes in work.values() for shape in shapes}:
        call = product(shape, rng)
        times[shape] = _times(call)
        calls[shape] = partial(_repeat, call, times[shape])
    seconds = {name: spent.processor for name, spent in interleaved(calls, repetitions).items()}
    found = {}
    for name, timed in networks.items():
        flop, shapes = work[name]
        to_all = FRAMES / np.prod(timed.clip)
        in_products = sum(count * seconds[shape] / times[shape] for shape, count in shapes.items())
        limit = sum(2e-9 * count * np.prod(shape, dtype=float) for shape, count in shapes.items()) / in_products
        parameters = sum(parameter.numel() for parameter in timed.model.parameters())
        found[name] = Cost(parameters, flop / 2 * to_all, 1e3 * seconds[name] * to_all, float(limit))
    return found


def _times(call: Callable[[], object]) -> int:
    call()
    started = time.process_time()
    call()
    return int(np.clip(LEAST_S / max(time.process_time() - started, 1e-9), 1, 1000))


def _repeat(call: Callable[[], object], times: int) -> None:
    for _ in range(times):
        call()
