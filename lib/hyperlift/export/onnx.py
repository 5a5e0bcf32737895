"""A lifter as an ONNX file: the contract stated, the file compared with torch before it is called done."""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from hyperlift.contract import METADATA_KEY, LifterSpec, Predictor
from hyperlift.errors import InputError
from hyperlift.export.fold_shared_inputs import cheaper
from hyperlift.export.graph_rewrites import simplify
from hyperlift.files.atomic import atomic_file
from hyperlift.models.checkpoint import contract_of
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.models.predictor import TorchPredictor
from hyperlift.runtime.session import STD, OnnxLifter

INPUT, OUTPUT = "pose2d", "pose3d"
OPSET = 20
"""The first that has GELU as one operator; spelled out, ONNX Runtime computes it in twice the time."""
TOLERANCE = 1e-4
"""Largest difference between ONNX Runtime and torch, in the unit of the label space."""


@dataclass(frozen=True)
class Parity:
    """How far an ONNX file is from the network it was made from."""

    shapes: tuple[tuple[int, int], ...]
    """The (clips, frames) compared."""
    worst: float
    """Largest absolute difference over all of them."""

    @property
    def passed(self) -> bool:
        """Whether every difference is below ``TOLERANCE``."""
        return self.worst < TOLERANCE


class ExportedLifter(nn.Module):
    """The exported contract: ``pose2d [N,T,V,3] -> pose3d [N,T,V,3]``, N and T free; of a network that says how sure it
    is, ``std [N,T,V]`` too."""

    def __init__(self, model: HyperLifter) -> None:
        super().__init__()
        self.model = model

    @property
    def outputs(self) -> list[str]:
        """Names of what comes out."""
        return [OUTPUT, STD] if self.model.config.uncertainty else [OUTPUT]

    def forward(self, pose2d: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Lift."""
        pose, std = self.model.lift(pose2d)
        return pose if std is None else (pose, std)


def export_onnx(model: HyperLifter, spec: LifterSpec, path: Path | str, seed: int = 0) -> Parity:
    """Write an ONNX file and compare it with the network; a file that fails the comparison is not kept.

    Args:
        model: the network; it is exported in eval mode, in float32, on the CPU.
        spec: its contract, stored in the file's metadata.
        path: where the file goes.
        seed: of the clips compared.

    Returns:
        The comparison; ``passed`` is False where the file was discarded.

    Raises:
        InputError: the folder cannot be written.
    """
    model = model.cpu().eval()
    joints = len(model.skeleton)
    # Sizes that are special for nobody: tracing would take a single token, or the longest clip, for a constant.
    example = torch.zeros(2, min(2 * model.config.frames_together + 1, model.config.n_frames), joints, 3)
    frames = torch.export.Dim("frames", min=1, max=None if model.config.streaming else model.config.n_frames)
    sizes = {"pose2d": {0: torch.export.Dim("clips", min=1), 1: frames}}
    exported = ExportedLifter(model if model.config.streaming else cheaper(model))
    proto = to_onnx(exported, (example,), [INPUT], exported.outputs, sizes)
    simplify(proto)
    _name_sizes_alike(proto)
    set_contract(proto, model, spec)
    return keep_if_equal(proto, Path(path), lambda partial: compare(model, partial, seed))


def _name_sizes_alike(proto: onnx.ModelProto) -> None:
    """Clips and frames go out as they came in; the exporter may write the second as a formula of the first."""
    (given,) = proto.graph.input
    for answer in proto.graph.output:
        for axis in (0, 1):
            name = given.type.tensor_type.shape.dim[axis].dim_param
            answer.type.tensor_type.shape.dim[axis].dim_param = name


def to_onnx(
    module: nn.Module,
    example: tuple[Any, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    sizes: Mapping[str, Any],
) -> onnx.ModelProto:
    """Trace a module.

    Args:
        module: in eval mode.
        example: arguments, of sizes that are not special.
        inputs: names of the flat arguments.
        outputs: names of the flat results.
        sizes: which axes are free, as ``torch.export`` wants it.
    """
    # It warns of packages that this network does not use.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    # The exporter cannot decompose the fused kernel that attention takes on a CPU; the plain one it can.
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
        # The exporter warns of its own internals; whether the file is right is measured below.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            example,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=dict(sizes),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def set_contract(
    proto: onnx.ModelProto, model: HyperLifter, spec: LifterSpec, more: Mapping[str, str] | None = None
) -> None:
    """Write what the numbers mean, and ``more``, into the metadata."""
    onnx.helper.set_model_props(
        proto,
        {
            METADATA_KEY: contract_of(model, spec).to_json(),
            "joints": ",".join(model.skeleton.joints),
            "normalisation": "x / width * 2 - 1, y / width * 2 - height / width, confidence 0..1",
            "axes": "camera: x right, y down, z forward",
            **(more or {}),
        },
    )


def keep_if_equal(proto: onnx.ModelProto, path: Path, compared: Callable[[Path], Parity]) -> Parity:
    """Write a file, which stays if its comparison passes.

    Args:
        proto: the model.
        path: where it goes.
        compared: compares the file with torch.

    Raises:
        InputError: the folder cannot be written.
    """
    found = Parity((), float("inf"))
    with suppress(_DiscardedError), atomic_file(path) as partial:
        onnx.save(proto, partial)
        found = compared(partial)
        if not found.passed:
            raise _DiscardedError
    return found


class _DiscardedError(Exception):
    """Leaves ``atomic_file`` without keeping the file."""


def compare(model: HyperLifter, path: Path | str, seed: int = 0) -> Parity:
    """Run the file and the network on random clips of several numbers and lengths.

    Raises:
        InputError: the file cannot be opened.
    """
    longest = model.config.n_frames
    lengths = sorted({1, 2, min(5, longest), longest // 2 or 1, longest})
    shapes = tuple((clips, frames) for clips in (1, 3) for frames in lengths)
    return parity(OnnxLifter(Path(path), str(path)), model, shapes, seed, path)


def parity(
    lifter: Predictor, model: HyperLifter, shapes: tuple[tuple[int, int], ...], seed: int, path: Path | str
) -> Parity:
    """Compare an exported lifter with its network on random clips.

    Args:
        lifter: the file, opened.
        model: the network.
        shapes: (clips, frames) to compare.
        seed: of the clips.
        path: of the file, for messages.

    Raises:
        InputError: the file gives values that are not finite.
    """
    rng, predict, worst = np.random.default_rng(seed), TorchPredictor(model), 0.0
    for shape in shapes:
        pose2d = rng.uniform(-1, 1, (*shape, len(model.skeleton), 3)).astype(np.float32)
        pose2d[..., 2] = np.abs(pose2d[..., 2])
        difference = np.abs(lifter(pose2d) - predict(pose2d)).max()
        if not np.isfinite(difference):
            raise InputError(f"{path}: the exported network gives values that are not finite; train it again")
        worst = max(worst, float(difference))
    return Parity(shapes, worst)
