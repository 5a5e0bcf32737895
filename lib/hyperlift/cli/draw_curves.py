"""``hyperlift draw-curves``: the logs of consecutive runs in one picture."""

from hyperlift.cli.app import say
from hyperlift.cli.training_commands import DrawCurves
from hyperlift.rendering.pictures.training_curves import draw_training_curves


def main(options: DrawCurves) -> int:
    """Run the command; returns its exit code."""
    say(draw_training_curves([run / "log.jsonl" if run.is_dir() else run for run in options.runs], options.out))
    return 0
