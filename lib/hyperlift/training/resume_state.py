"""Reads the resume state of a training run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.models.checkpoint import current_name
from hyperlift.models.torch_files import load_weights_only
from hyperlift.readers import reader
from hyperlift.safe_io.json_text import parse_json
from hyperlift.safe_io.text import is_whole

_KEYS = {"epoch", "best", "seed", "run", "model", "optimizer", "average", "step"}
_REMEDY = "train again, from the checkpoint beside it (`pretrained`)"


@reader("resume state", remedy=_REMEDY)
def read_resume(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read the resume state of a run; ``run`` is returned as plain values.

    Args:
        path: ``last.resume.pt``.
        device: device of the tensors.

    Raises:
        InputError: the file is damaged or is no resume state.
    """
    state = load_weights_only(path, device)
    if not isinstance(state, dict) or not state.keys() >= _KEYS:
        raise InputError(f"{path}: not a resume state of this library; give the last.resume.pt of a run")
    if not isinstance(state["run"], str):
        raise InputError(f"{path}: not a resume state of this library: its run is no text; {_REMEDY}")
    record = parse_json(state["run"], f"{path}: its run", _REMEDY)
    numbers = (
        is_whole(state["epoch"], 0, 10**9)
        and is_whole(state["seed"], -(2**63), 2**64)
        and type(state["best"]) in (int, float)
    )
    if not numbers or not all(isinstance(part, Mapping) for part in (record, state["model"], state["optimizer"])):
        raise InputError(f"{path}: damaged resume state: its epoch, seed, best, model or optimizer; {_REMEDY}")
    return {**state, "run": record}


def resume_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module, state: Mapping[str, Any], path: Path) -> None:
    """Restore the state of an optimiser.

    Args:
        optimizer: its first parameters are the trainable ones of ``model``.
        model: the network in training.
        state: result of ``read_resume``.
        path: file of the state, for messages.

    Raises:
        InputError: the state belongs to another optimiser.
    """
    try:
        saved = _reordered(model, state["optimizer"], state["model"])
        ours = optimizer.state_dict()["param_groups"]
        pairs = zip(ours, saved["param_groups"], strict=True)
        groups = [{key: group.get(key, value) for key, value in our.items()} for our, group in pairs]
        # The learning rate is set before each step; all other settings must equal the configuration.
        if [{**group, "lr": 0} for group in groups] != [{**group, "lr": 0} for group in ours]:
            raise ValueError("other settings")
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        for number, moments in saved["state"].items():
            shapes = [moments[key].shape for key in ("step", "exp_avg", "exp_avg_sq")]
            if shapes != [(), parameters[number].shape, parameters[number].shape]:
                raise ValueError("moments of other shapes")
        optimizer.load_state_dict(saved)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        raise InputError(f"{path}: its optimizer is another one or damaged; {_REMEDY}") from error


def _reordered(model: nn.Module, optimizer: Mapping[str, Any], saved: Mapping[str, Tensor]) -> dict[str, Any]:
    """Reorder the state of an optimiser, which indexes parameters by number, to the current order of parameters.

    Args:
        model: its trainable parameters come first in the optimiser.
        optimizer: state of the optimiser.
        saved: weights of the model in the file, in the order at the time of saving.
    """
    now = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    then = [name for name in (current_name(name, now) for name in saved) if name in set(now)]
    moments = dict(optimizer["state"])
    for number, name in enumerate(now):
        if (before := then.index(name)) in optimizer["state"]:
            moments[number] = optimizer["state"][before]
    return {**optimizer, "state": moments}
