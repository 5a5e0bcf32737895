"""Exports a lifter to ONNX with its contract, and compares the file with torch before it is kept."""

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
from hyperlift.export.fold_shared_inputs import fold_shared_inputs
from hyperlift.export.graph_rewrites import simplify
from hyperlift.files.atomic import atomic_file
from hyperlift.models.checkpoint import contract_of
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.models.predictor import TorchPredictor
from hyperlift.runtime.session import STD, OnnxLifter

INPUT, OUTPUT = "pose2d", "pose3d"
OPSET = 20
"""The first version with GELU as one operator; decomposed, it takes ONNX Runtime twice the time."""
TOLERANCE = 1e-4
"""Maximum difference between ONNX Runtime and torch, in units of the label space (0.1 mm in metres). Chosen: above
float32 rounding of a deep network, below any visible effect."""


@dataclass(frozen=True)
class Parity:
    """Difference between an ONNX file and its network."""

    shapes: tuple[tuple[int, int], ...]
    """Compared sizes (clips, frames)."""
    worst: float
    """Maximum absolute difference over all sizes."""

    @property
    def passed(self) -> bool:
        """Whether the maximum difference is below ``TOLERANCE``."""
        return self.worst < TOLERANCE


class ExportedLifter(nn.Module):
    """The exported signature: ``pose2d [N,T,V,3] -> pose3d [N,T,V,3]`` with dynamic N and T.

    A network with ``uncertainty`` has a second output ``std [N,T,V]``.
    """

    def __init__(self, model: HyperLifter) -> None:
        super().__init__()
        self.model = model

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        return [OUTPUT, STD] if self.model.config.uncertainty else [OUTPUT]

    def forward(self, pose2d: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Lift clips."""
        pose, std = self.model.lift(pose2d)
        return pose if std is None else (pose, std)


def export_onnx(model: HyperLifter, spec: LifterSpec, path: Path | str, seed: int = 0) -> Parity:
    """Write an ONNX file and compare it with the network; a file that fails the comparison is deleted.

    Args:
        model: the network, which is exported in eval mode, in float32, on the CPU.
        spec: contract, stored in the metadata of the file.
        path: output file.
        seed: seed of the compared random clips.

    Returns:
        The comparison; ``passed`` is False if the file was deleted.

    Raises:
        InputError: the folder is not writable.
    """
    model = model.cpu().eval()
    joints = len(model.skeleton)
    # Tracing would treat the sizes of a single token or of the maximum clip as constants, so others are used.
    example = torch.zeros(2, min(2 * model.config.frames_together + 1, model.config.n_frames), joints, 3)
    frames = torch.export.Dim("frames", min=1, max=None if model.config.streaming else model.config.n_frames)
    sizes = {"pose2d": {0: torch.export.Dim("clips", min=1), 1: frames}}
    exported = ExportedLifter(model if model.config.streaming else fold_shared_inputs(model))
    proto = to_onnx(exported, (example,), [INPUT], exported.outputs, sizes)
    simplify(proto)
    _name_dynamic_axes(proto)
    set_contract(proto, model, spec)
    return keep_if_equal(proto, Path(path), lambda partial: compare(model, partial, seed))


def _name_dynamic_axes(proto: onnx.ModelProto) -> None:
    """Give outputs the names of the dynamic input axes; the exporter may write a formula for them."""
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
    """Export a module to an ONNX model.

    Args:
        module: module in eval mode.
        example: arguments with typical sizes.
        inputs: names of the flattened arguments.
        outputs: names of the flattened results.
        sizes: dynamic axes, as for ``torch.export``.
    """
    # The exporter warns about packages that this network does not use.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    # The exporter cannot decompose the fused attention kernel of the CPU, but the MATH kernel.
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
        # The exporter warns about its internals; the comparison checks the file.
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
    """Write the contract, the conventions and ``more`` into the metadata."""
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
    """Write a model, and keep the file only if its comparison passes.

    Args:
        proto: the model.
        path: output file.
        compared: compares the written file with torch.

    Raises:
        InputError: the folder is not writable.
    """
    found = Parity((), float("inf"))
    with suppress(_DiscardedError), atomic_file(path) as partial:
        onnx.save(proto, partial)
        found = compared(partial)
        if not found.passed:
            raise _DiscardedError
    return found


class _DiscardedError(Exception):
    """Leaves ``atomic_file`` so that the file is not kept."""


def compare(model: HyperLifter, path: Path | str, seed: int = 0) -> Parity:
    """Compare the file with the network on random clips of several numbers and lengths.

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
        lifter: the opened file.
        model: the network.
        shapes: compared sizes (clips, frames).
        seed: seed of the clips.
        path: file, for messages.

    Raises:
        InputError: the lifter returns non-finite values.
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
