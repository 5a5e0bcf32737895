"""The arguments of ``hyperlift attention``; reading them needs no torch."""

import argparse
from pathlib import Path

from hyperlift.cli.arguments import OneLineParser
from hyperlift.cli.attention_clip import add_clip_arguments
from hyperlift.cli.config_arguments import add_config_arguments


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = OneLineParser(
        description="Draw what a lifter attends to: joints, hyperedges and frames.",
        epilog="Numbers are written 0,2,5-8. Without --data or --keypoints the run's own clips are taken where they "
        "lie in place, else an invented walk. --config and --hyper_cfg are needed for older .bin files only; a "
        "contradiction is an error.",
    )
    add_config_arguments(arguments, config_required=False)
    arguments.add_argument("--evaluate", type=Path, required=True, metavar="CHECKPOINT", help="weights to look into")
    arguments.add_argument("--layers", metavar="NUMBERS", help="layers from 0 (all)")
    arguments.add_argument("--heads", metavar="NUMBERS", help="attention heads from 0 (all)")
    arguments.add_argument("--frames", metavar="NUMBERS", help="frames of the clip that look, from 0 (all)")
    add_clip_arguments(arguments)
    arguments.add_argument("--out", type=Path, metavar="DIR", help="a new folder (vis_data/<name of the lifter>)")
    return arguments
