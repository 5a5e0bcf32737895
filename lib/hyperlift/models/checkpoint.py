"""Checkpoints: safetensors files whose metadata hold the configuration that rebuilds the network."""

import json
import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from hyperlift.config.loader import from_mapping, to_mapping
from hyperlift.contract import METADATA_KEY, LifterSpec
from hyperlift.errors import InputError, one_line, quoted
from hyperlift.files.atomic import atomic_file
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.torch_files import load_weights_only
from hyperlift.readers import reader
from hyperlift.safe_io.json_text import parse_json

FORMAT = "hyperlift-checkpoint-1"
_MAX_LAYERS = 1000
"""Chosen: far above any trained network (8 layers by default). It bounds the time that a damaged file can cost."""
_SPARE_ELEMENTS = 10**5
"""Elements that a network may allocate beyond twice its weights. Chosen: it covers the buffers of the smallest ones."""
_REMEDY = "copy the file again, or train the network again"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A network and the metadata that its checkpoint file holds."""

    model: HyperLifter
    spec: LifterSpec
    run: Mapping[str, Any] = field(default_factory=dict)
    """The resolved configuration of the training run, plain values."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """Validation results at the time of saving."""


def save_checkpoint(path: Path | str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically: an interrupted write leaves no partial file.

    Raises:
        InputError: the folder cannot be written.
    """
    metadata = {
        "format": FORMAT,
        METADATA_KEY: checkpoint.spec.to_json(),
        "model": json.dumps(to_mapping(checkpoint.model.config)),
        "run": json.dumps(to_mapping(checkpoint.run)),
        "metrics": json.dumps(checkpoint.metrics),
    }
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.model.state_dict().items()}
    content = _in_order(save(weights, metadata))
    with atomic_file(path) as partial:
        partial.write_bytes(content)


def _in_order(content: bytes) -> bytes:
    """Sort the metadata of a safetensors file by name, so that equal checkpoints have equal bytes.

    safetensors writes metadata in random order. The format (https://github.com/huggingface/safetensors) is: the length
    of the header in 8 bytes; the header, JSON padded with spaces to a multiple of 8 bytes; the tensors, whose offsets
    count from the end of the header.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    encoded = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    encoded += b" " * (-len(encoded) % 8)
    return len(encoded).to_bytes(8, "little") + encoded + content[start:]


@reader("checkpoint")
def load_checkpoint(path: Path | str) -> Checkpoint:
    """Build the network of a checkpoint and load its weights; the result is on the CPU and in eval mode.

    Raises:
        InputError: the file is missing, is no HyperLift checkpoint, or its weights do not match its configuration.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        reason = one_line(str(error))
        raise InputError(f"{path}: not a safetensors file ({reason}); older .bin files need `config` beside") from error
    if metadata.get("format") != FORMAT:
        raise InputError(f"{path}: not a {FORMAT} file; it says format {quoted(metadata.get('format'))}")
    model = _network(_section(metadata, "model", path), weights, path)
    load_weights(model, weights, str(path))
    return Checkpoint(
        model=model.eval(),
        spec=contract_of(model, LifterSpec.from_metadata(metadata, str(path))),
        run=_section(metadata, "run", path),
        metrics=_section(metadata, "metrics", path),
    )


def _section(metadata: Mapping[str, str], name: str, path: Path) -> dict[str, Any]:
    where = f"{path} ({name})"
    values = parse_json(metadata.get(name, "null"), where, _REMEDY)
    if not isinstance(values, dict):
        raise InputError(f"{where}: is {quoted(values)}, expected an object; {_REMEDY}")
    return values


def _network(values: Mapping[str, Any], weights: Mapping[str, Tensor], path: Path) -> HyperLifter:
    """Build the network of a file; refuse a configuration that is much larger than the weights in the file."""
    config = from_mapping(values, ModelConfig, f"{path} (model)")
    held = sum(tensor.numel() for tensor in weights.values())
    depths = [0 if config.share_layers else config.depth, config.frame_lifter.depth if config.frame_lifter else 0]
    if config.depth > _MAX_LAYERS or max(depths) > len(weights):
        layers = max(config.depth, *depths)
        raise InputError(f"{path}: describes {layers:,} layers and has weights of {len(weights):,} names; {_REMEDY}")
    try:
        with _Budget(2 * held + _SPARE_ELEMENTS):
            return HyperLifter(config)
    except _TooLarge as error:
        raise InputError(
            f"{path}: describes a network of {error} or more numbers and has {held:,} weights; {_REMEDY}"
        ) from error


class _TooLarge(Exception):
    """The network exceeds its budget; the message is the number of elements allocated so far."""


class _Budget(TorchFunctionMode):
    """Counts the elements of new tensors and raises ``_TooLarge`` before they exceed the budget."""

    def __init__(self, elements: int) -> None:
        super().__init__()
        self._left, self._budget = elements, elements

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _FACTORIES:
            self._left -= _FACTORIES[func](args)
            if self._left < 0:
                raise _TooLarge(f"{self._budget - self._left:,}")
        return func(*args, **(kwargs or {}))


def _of_size(args: tuple[Any, ...]) -> int:
    return math.prod(args[0] if args and not isinstance(args[0], int) else args)


_FACTORIES: dict[Any, Callable[[tuple[Any, ...]], int]] = {
    torch.empty: _of_size,
    torch.zeros: _of_size,
    torch.ones: _of_size,
    torch.rand: _of_size,
    torch.randn: _of_size,
    torch.full: _of_size,
    torch.eye: lambda args: args[0] * args[-1],
    torch.arange: lambda args: int(abs(args[0] if len(args) == 1 else args[1] - args[0])),
}
"""Functions of torch that allocate a tensor, and the number of elements that follows from their arguments."""


def contract_of(model: HyperLifter, spec: LifterSpec) -> LifterSpec:
    """The contract of a network: a streaming network has no temporal positions, so it takes clips of any length."""
    return replace(spec, any_length=model.config.streaming is not None)


@reader("older .bin")
def load_bin_weights(path: Path | str, model: nn.Module) -> None:
    """Load an older ``.bin`` file, ``{"model_pos": state_dict}``; names may start with ``module.``.

    The file holds no configuration: the caller builds the network that it was saved from.

    Raises:
        InputError: the file is unreadable, has no ``model_pos``, or holds the weights of another network.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such checkpoint")
    content = load_weights_only(Path(path))
    if not isinstance(content, dict) or not isinstance(content.get("model_pos"), dict):
        raise InputError(f"{path}: holds no 'model_pos'; expected a checkpoint of the older system")
    weights = {str(name).removeprefix("module."): tensor for name, tensor in content["model_pos"].items()}
    load_weights(model, weights, str(path))


def load_weights(model: nn.Module, weights: Any, source: str) -> None:
    """Load weights strictly: every name and shape must match.

    Raises:
        InputError: weights are missing, unexpected or of another shape.
    """
    if not isinstance(weights, Mapping):
        raise InputError(f"{source}: holds no weights by name; {_REMEDY}")
    expected = model.state_dict()
    shapes_only = any(tensor.is_meta for tensor in expected.values())  # a model on the meta device, to compare shapes
    strange = [
        name
        for name, tensor in weights.items()
        if not (isinstance(name, str) and _is_plain(tensor)) or (tensor.is_meta and not shapes_only)
    ]
    if strange:
        raise InputError(f"{source}: {quoted(strange[0])} is no dense tensor of real numbers; {_REMEDY}")
    weights = {current_name(name, expected): tensor for name, tensor in weights.items()}
    wrong = [f"missing {name}" for name in expected if name not in weights]
    wrong += [f"unexpected {one_line(name)}" for name in weights if name not in expected]
    wrong += [
        f"{name} has shape {tuple(weights[name].shape)}, the model wants {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise InputError(f"{source}: weights of another network: {'; '.join(wrong[:3])}{more}")
    model.load_state_dict(weights)


def _is_plain(tensor: object) -> bool:
    return (
        isinstance(tensor, Tensor)
        and tensor.layout is torch.strided
        and not (tensor.is_complex() or tensor.is_quantized or tensor.is_nested)
    )


def current_name(name: str, expected: Container[str]) -> str:
    """Map the name of a weight in an older file, which lacks the prefix ``transformer.``, to the current name.

    Args:
        name: name in the file; wrappers such as DataParallel prepend ``module.``.
        expected: current names.
    """
    if name in expected:
        return name
    wrapper = "module." if name.startswith("module.") else ""
    within = f"{wrapper}transformer.{name.removeprefix(wrapper)}"
    return within if within in expected else name
