"""The arguments of ``hyperlift distill``; reading them needs no torch."""

import argparse
from pathlib import Path

from hyperlift.cli import train_arguments


def parser() -> argparse.ArgumentParser:
    """The command's arguments: those of training, and the teacher."""
    arguments = train_arguments.parser()
    arguments.description = "Train a student from a teacher; the run folder gets checkpoints of the student and a log."
    arguments.add_argument(
        "--distill_cfg", type=Path, required=True, help="YAML of the distillation, under distill_config/"
    )
    arguments.add_argument("--teacher", type=Path, metavar="FILE", help="checkpoint, in place of the one in the YAML")
    return arguments
