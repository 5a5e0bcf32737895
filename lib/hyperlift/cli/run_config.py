"""The configuration that the arguments of ``config_arguments`` make."""

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hyperlift.cli.config_arguments import check_version
from hyperlift.config import from_mapping, load_config, load_yaml, to_mapping
from hyperlift.errors import InputError, quoted
from hyperlift.models import HypergraphConfig
from hyperlift.training.config import RunConfig


def resolve_run_config(args: argparse.Namespace) -> RunConfig:
    """The run configuration of ``--config`` with hypergraph and relation bias from their own arguments.

    Raises:
        InputError: a file does not fit, or an unknown version.
    """
    check_version(args.version)
    run = load_config(args.config, RunConfig)
    changes: dict[str, Any] = {}
    if args.hyper_cfg:
        changes["hypergraph"] = from_mapping(load_yaml(args.hyper_cfg), HypergraphConfig, str(args.hyper_cfg))
    if args.hyper_relation_bias:
        changes["relation_bias"] = args.hyper_relation_bias
    try:
        return dataclasses.replace(run, model=dataclasses.replace(run.model, **changes))
    except InputError as error:
        raise InputError(f"{args.hyper_cfg or args.config}: {error}") from error


def refuse_contradiction(args: argparse.Namespace, checkpoint: Path, model: Mapping[str, Any]) -> None:
    """Compare what the arguments say of the model with what a checkpoint carries.

    Args:
        args: with ``config``, ``hyper_cfg`` and ``hyper_relation_bias``, each of which may be None.
        checkpoint: for the message.
        model: plain values of the checkpoint's ``ModelConfig``.

    Raises:
        InputError: they differ; the message names where.
    """
    check_version(args.version)
    said: dict[str, Any] = {}
    if args.config:
        said = to_mapping(resolve_run_config(args).model)
    else:
        if args.hyper_cfg:
            hypergraph = from_mapping(load_yaml(args.hyper_cfg), HypergraphConfig, str(args.hyper_cfg))
            said["hypergraph"] = to_mapping(hypergraph)
        if args.hyper_relation_bias:
            said["relation_bias"] = args.hyper_relation_bias
    ours = _flat(model)
    differing = [
        f"{key} is {quoted(value)} by the arguments, {quoted(ours[key])} in the checkpoint"
        for key, value in _flat(said).items()
        if key in ours and ours[key] != value
    ]
    if differing:
        raise InputError(f"{checkpoint}: {'; '.join(differing)}; leave the arguments out, the checkpoint has its own")


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
