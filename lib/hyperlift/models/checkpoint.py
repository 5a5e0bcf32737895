"""Checkpoints: safetensors that carry everything needed to build the network again."""

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from hyperlift.config import from_mapping, to_mapping
from hyperlift.errors import InputError
from hyperlift.files import atomic_file
from hyperlift.geometry.contract import METADATA_KEY, LifterSpec
from hyperlift.models.lifting.lifter import HyperLifter, ModelConfig

FORMAT = "hyperlift-checkpoint-1"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A network with what travels beside its weights."""

    model: HyperLifter
    spec: LifterSpec
    run: Mapping[str, Any] = field(default_factory=dict)
    """The resolved configuration of the training run, plain values."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """What was measured when it was saved."""


def save_checkpoint(path: Path | str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file appears whole or not at all.

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
    with atomic_file(path) as partial:
        try:
            save_file(weights, partial, metadata)
        except SafetensorError as error:  # in place of the OSError that it was
            full = "os error 28" in str(error) or "os error 27" in str(error)
            remedy = "make room or choose another output" if full else "choose another output"
            raise InputError(f"{path}: cannot be written ({error}); {remedy}") from error


def load_checkpoint(path: Path | str) -> Checkpoint:
    """Build the network that a checkpoint describes and load its weights, on the CPU, in eval mode.

    Raises:
        InputError: no such file, not a HyperLift checkpoint, or weights that do not fit their own description.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise InputError(f"{path}: not a safetensors file ({error}); older .bin files need --config beside") from error
    if metadata.get("format") != FORMAT:
        raise InputError(f"{path}: not a {FORMAT} file; it says format {metadata.get('format')!r}")
    model = HyperLifter(from_mapping(json.loads(metadata["model"]), ModelConfig, f"{path} (model)"))
    load_weights(model, weights, str(path))
    return Checkpoint(
        model=model.eval(),
        spec=contract_of(model, LifterSpec.from_metadata(metadata, str(path))),
        run=json.loads(metadata["run"]),
        metrics=json.loads(metadata["metrics"]),
    )


def contract_of(model: HyperLifter, spec: LifterSpec) -> LifterSpec:
    """A streaming network knows no absolute time, so that no length is special to it."""
    return replace(spec, any_length=model.config.streaming is not None)


def load_bin_weights(path: Path | str, model: nn.Module) -> None:
    """Load an older ``.bin`` file, ``{"model_pos": state_dict}`` with or without ``module.`` before the names.

    It carries no configuration: the caller builds the model that it was saved from.

    Raises:
        InputError: unreadable, no ``model_pos``, or weights of another network.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises several kinds, all of which mean that the file is not what it should be
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be loaded as weights only ({reason})") from error
    if not isinstance(content, dict) or not isinstance(content.get("model_pos"), dict):
        raise InputError(f"{path}: holds no 'model_pos'; expected a checkpoint of the older system")
    weights = {name.removeprefix("module."): tensor for name, tensor in content["model_pos"].items()}
    load_weights(model, weights, str(path))


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Load strictly, and name what does not fit.

    Raises:
        InputError: missing, unexpected or wrongly shaped weights.
    """
    expected = model.state_dict()
    weights = {current_name(name, expected): tensor for name, tensor in weights.items()}
    wrong = [f"missing {name}" for name in expected if name not in weights]
    wrong += [f"unexpected {name}" for name in weights if name not in expected]
    wrong += [
        f"{name} has shape {tuple(weights[name].shape)}, the model wants {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise InputError(f"{source}: weights of another network: {'; '.join(wrong[:3])}{more}")
    model.load_state_dict(weights)


def current_name(name: str, expected: Container[str]) -> str:
    """What a weight is called now; the transformer's layers had no prefix before they became a module.

    Args:
        name: as a file has it, with or without ``module.`` in front, as wrappers write it.
        expected: the names of today.
    """
    if name in expected:
        return name
    wrapper = "module." if name.startswith("module.") else ""
    within = f"{wrapper}transformer.{name.removeprefix(wrapper)}"
    return within if within in expected else name
