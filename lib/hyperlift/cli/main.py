"""The console command ``hyperlift``; subcommands are imported when they are called."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from hyperlift import COMMAND_KEY, __version__
from hyperlift.cli.app import INPUT_ERROR, run_work
from hyperlift.errors import did_you_mean

COMMANDS = {
    "lift": "lifting_commands.Lift",
    "inspect": "lifting_commands.Inspect",
    "view": "lifting_commands.View",
    "animate": "lifting_commands.Animate",
    "live": "lifting_commands.Live",
    "train": "training_commands.Train",
    "distill": "training_commands.Distill",
    "evaluate": "training_commands.Evaluate",
    "attention": "training_commands.Attention",
    "export": "training_commands.Export",
    "train-wild": "training_commands.TrainWild",
    "model-card": "training_commands.ModelCard",
    "draw-curves": "training_commands.DrawCurves",
    "convert-mocap": "data_commands.ConvertMocap",
    "convert-h36m": "data_commands.ConvertH36M",
    "convert-mpi-inf-3dhp": "data_commands.ConvertMPIINF3DHP",
    "fit-detector-noise": "data_commands.FitDetectorNoise",
}
"""Module and dataclass of the options of each command. The module with the command's name has its ``main``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: hyperlift COMMAND [ARGUMENT …]\n       hyperlift --version | --help\n")
        print(f"HyperLift {__version__} turns any video, or 2D keypoints of people, into 3D motion in metres.\n")
        print("\n".join(f"  {name:22}{summary(name)}" for name in COMMANDS))
        print("\n'hyperlift COMMAND --help' lists the options of a command.")
        return 0
    if arguments[0] == "--version":
        print(f"hyperlift {__version__}")
        return 0
    command, *rest = arguments
    if command not in COMMANDS and (Path(command).suffix or Path(command).exists()) and not command.startswith("-"):
        command, rest = "lift", arguments  # hyperlift video.mp4
    if command not in COMMANDS:
        kind = "option" if command.startswith("-") else "command"
        hint = did_you_mean(command, (*COMMANDS, "--help", "--version"))
        print(f"hyperlift: error: unknown {kind} {command!r}; known: {', '.join(COMMANDS)}{hint}", file=sys.stderr)
        return INPUT_ERROR
    sys.argv[0] = f"hyperlift {command}"
    return run(command, rest)


def run(command: str, argv: Sequence[str] | None = None) -> int:
    """Parse the arguments of a command, import it and run it; returns its exit code.

    ``--help`` and errors in the arguments do not import torch, which may not be installed.

    Args:
        command: one of ``COMMANDS``.
        argv: its arguments; None takes those of the process.
    """
    os.environ[COMMAND_KEY] = "1"
    module = f"hyperlift.cli.{command.replace('-', '_')}"
    return run_work(partial(options_of, command), lambda options: import_module(module).main(options), argv)


def options_of(command: str) -> type:
    """The dataclass of a command's options."""
    module, name = COMMANDS[command].split(".")
    return getattr(import_module(f"hyperlift.cli.{module}"), name)


def summary(command: str) -> str:
    """One line that describes a command."""
    return (options_of(command).__doc__ or "").partition("\n")[0].removesuffix(".")


if __name__ == "__main__":
    raise SystemExit(main())
