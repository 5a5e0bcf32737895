"""The arguments of ``hyperlift train``; reading them needs no torch."""

import argparse
from pathlib import Path
from typing import get_args

from hyperlift.cli.arguments import OneLineParser
from hyperlift.cli.config_arguments import add_config_arguments
from hyperlift.training.sinks import SinkName


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = OneLineParser(description="Train a lifter; the run folder gets checkpoints and a log.")
    add_config_arguments(arguments, config_required=True)
    arguments.add_argument("-r", "--resume", type=Path, metavar="FILE", help="last.resume.pt of the run to go on with")
    arguments.add_argument("--seed", type=int, default=0, help="of weights, order of clips, flips, stochastic depth")
    arguments.add_argument("--data", type=Path, help="folder of the clips, in place of data.root of the config")
    arguments.add_argument("--preload", action="store_true", help="read the clip stores into memory first")
    arguments.add_argument("--device", default=None, help="cpu or cuda; the default is cuda where there is one")
    arguments.add_argument("--threads", type=int, help="CPU threads; the default is all cores")
    arguments.add_argument(
        "-p",
        "--pretrained",
        type=Path,
        action="append",
        metavar="FILE",
        help="checkpoint to start from; wants finetune: true. Twice, a frame lifter (depth 0) and a network without "
        "one: start as their mean",
    )
    arguments.add_argument(
        "--log",
        action="append",
        default=[],
        choices=get_args(SinkName),
        help="also log to TensorBoard or Weights & Biases; may be repeated",
    )
    arguments.add_argument("--no-progress", action="store_true", help="no progress bar")
    return arguments
