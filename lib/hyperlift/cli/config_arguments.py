"""The arguments that train, evaluate, attention and export share; reading what they name is ``run_config``'s part."""

import argparse
from pathlib import Path
from typing import get_args

from hyperlift.errors import InputError
from hyperlift.skeletons import RelationBias

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
