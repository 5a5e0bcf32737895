"""The arguments that train, evaluate, attention and export share, and the configuration they make."""

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from hyperlift.config import from_mapping, load_config, load_yaml, to_mapping
from hyperlift.errors import InputError
from hyperlift.models import HypergraphConfig
from hyperlift.models.lifting.lifter import RelationBias
from hyperlift.training.config import RunConfig

VERSION = "2"

_VERSION_HELP = (
    "method of the hyperedge attention; 2 (joint-to-hyperedge attention with a learned bias) is the only one"
)


def add_config_arguments(parser: argparse.ArgumentParser, *, config_required: bool) -> None:
    """Add ``--config --hyper_cfg --hyper_relation_bias --version --checkpoint``."""
    parser.add_argument("--config", type=Path, required=config_required, help="YAML of the run, under configs/")
    parser.add_argument("--hyper_cfg", type=Path, help="YAML of the hypergraph, under hyper_config/")
    parser.add_argument(
        "--hyper_relation_bias",
        choices=get_args(RelationBias),
        help="what the joint-relation bias starts from: the normalised skeleton (uniform) or the identity (none)",
    )
    parser.add_argument("--version", default=VERSION, help=_VERSION_HELP)
    run_folder = "folder of the run" if config_required else "accepted because older command lines name it; not used"
    parser.add_argument("--checkpoint", type=Path, help=run_folder)


def check_version(version: str) -> None:
    """Refuse any version of the method but the one that exists.

    Raises:
        InputError: the version is another one.
    """
    if version != VERSION:
        raise InputError(f"--version {version}: {_VERSION_HELP}; give --version {VERSION}")


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
        f"{key} is {value!r} by the arguments, {ours[key]!r} in the checkpoint"
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
