"""Run configuration from the YAML files and options of a command."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hyperlift.cli.training_commands import Configuration
from hyperlift.config.loader import load_config, to_mapping
from hyperlift.errors import InputError, quoted
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.training.config import RunConfig

_HYPERGRAPH = "model.hypergraph."


def resolve_run_config(given: Configuration) -> RunConfig:
    """The run configuration of ``given.config``, with hypergraph and relation bias from their own options.

    Changes of ``model.hypergraph`` hold for the hypergraph that is used.

    Raises:
        InputError: a file or a change does not fit.
    """
    assert given.config is not None, "the command asks for it"
    elsewhere = [change for change in given.changes if given.hyper_cfg and change.startswith(_HYPERGRAPH)]
    run = load_config(given.config, RunConfig, [change for change in given.changes if change not in elsewhere])
    of_model = _of_model(given, elsewhere)
    try:
        return dataclasses.replace(run, model=dataclasses.replace(run.model, **of_model))
    except InputError as error:
        raise InputError(f"{given.hyper_cfg or given.config}: {error}") from error


def _of_model(given: Configuration, changes: Sequence[str] = ()) -> dict[str, Any]:
    """Settings of the model from options other than the configuration file."""
    said: dict[str, Any] = {}
    if given.hyper_cfg:
        ours = [change.removeprefix(_HYPERGRAPH) for change in changes]
        said["hypergraph"] = load_config(given.hyper_cfg, HypergraphConfig, ours)
    if given.hyper_relation_bias:
        said["relation_bias"] = given.hyper_relation_bias
    return said


def refuse_contradiction(given: Configuration, checkpoint: Path, model: Mapping[str, Any]) -> None:
    """Check the options about the model against the configuration in a checkpoint.

    Args:
        given: the options.
        checkpoint: for the message.
        model: plain values of the checkpoint's ``ModelConfig``.

    Raises:
        InputError: they differ; the message names where.
    """
    said = to_mapping(resolve_run_config(given).model if given.config else _of_model(given))
    ours = _flat(model)
    differing = [
        f"{key} is {quoted(value)} by the arguments, {quoted(ours[key])} in the checkpoint"
        for key, value in _flat(said).items()
        if key in ours and ours[key] != value
    ]
    if differing:
        raise InputError(f"{checkpoint}: {'; '.join(differing)}; leave the arguments out, the checkpoint has its own")


def changes_by_file(changes: Sequence[str], name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Changes of the run's configuration, and those of another file, whose keys start with ``name``."""
    prefix = f"{name}."
    return (
        tuple(change for change in changes if not change.startswith(prefix)),
        tuple(change.removeprefix(prefix) for change in changes if change.startswith(prefix)),
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
