"""The console command ``hyperlift``: one subcommand a task, imported only when it is called."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from hyperlift import COMMAND_KEY, __version__
from hyperlift.cli.app import INPUT_ERROR, INTERRUPTED, show_any_text
from hyperlift.cli.arguments import did_you_mean
from hyperlift.errors import EXTRAS, missing_package

COMMANDS = {
    "lift": "a video, or 2D keypoints, to 3D motion in metres",
    "view": "a page to look at the motion",
    "animate": "the motion as a clip, or as a file of another kind",
    "live": "a camera to people in 3D on that page, while they move",
    "train": "train a lifter",
    "distill": "train a small lifter from a large one",
    "evaluate": "measure a lifter",
    "attention": "draw what a lifter attends to",
    "export": "write a checkpoint as ONNX",
}

_TRAINING = {"train", "distill", "attention", "export"}
"""Commands whose module imports torch; the module of their arguments does not."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: hyperlift COMMAND [ARGUMENT …]\n       hyperlift --version | --help\n")
        print(f"HyperLift {__version__}: any video, or 2D keypoints of people, to 3D motion in metres\n")
        print("\n".join(f"  {name:10} {help_line}" for name, help_line in COMMANDS.items()))
        print("\n'hyperlift COMMAND --help' says more")
        return 0
    if arguments[0] == "--version":
        print(f"hyperlift {__version__}")
        return 0
    command, *rest = arguments
    if command not in COMMANDS:
        kind = "option" if command.startswith("-") else "command"
        hint = did_you_mean(command, (*COMMANDS, "--help", "--version"))
        print(f"hyperlift: error: unknown {kind} {command!r}; known: {', '.join(COMMANDS)}{hint}", file=sys.stderr)
        return INPUT_ERROR
    sys.argv[0] = f"hyperlift {command}"
    return run(command, rest)


def run(command: str, argv: Sequence[str] | None = None) -> int:
    """Import one command and run it; returns its exit code.

    The import is inside, so that a missing package or an early Ctrl-C is one line too. Arguments are read before torch
    is imported: ``--help`` works without it, and a misspelt option is told at once.

    Args:
        command: one of ``COMMANDS``.
        argv: its arguments; None takes those of the process.
    """
    show_any_text()
    program = Path(sys.argv[0]).name
    os.environ[COMMAND_KEY] = "1"
    try:
        if command in _TRAINING:
            import_module(f"hyperlift.cli.{command}_arguments").parser().parse_args(argv)
        return import_module(f"hyperlift.cli.{command}").main(argv)
    except ModuleNotFoundError as error:
        if (package := error.name or "") not in EXTRAS["train"]:
            raise
        print(f"{program}: error: {missing_package(package, 'this command needs')}", file=sys.stderr)
        return INPUT_ERROR
    except (KeyboardInterrupt, RuntimeError) as error:
        # Python 3.11 gives a Ctrl-C that comes while a class is made as the cause of a RuntimeError.
        if not any(isinstance(cause, KeyboardInterrupt) for cause in (error, error.__cause__)):
            raise
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    raise SystemExit(main())
