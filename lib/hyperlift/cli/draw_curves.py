"""Draw the logs of runs that followed each other into one picture."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from hyperlift.cli.app import guarded, say
from hyperlift.visualization.training_curves import draw_training_curves


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = argparse.ArgumentParser(
        description="Draw loss, validation and learning rate of a run, or of several one after the other."
    )
    arguments.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folder (or its log.jsonl), in order")
    arguments.add_argument("--out", type=Path, required=True, metavar="FILE.png", help="replaced if it is there")
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = parser().parse_args(argv)
    say(draw_training_curves([run / "log.jsonl" if run.is_dir() else run for run in args.runs], args.out))
    return 0
