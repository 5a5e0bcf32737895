"""The console command ``hyperlift``: one subcommand a task, imported only when it is called."""

import sys
from collections.abc import Sequence
from importlib import import_module

from hyperlift import __version__

COMMANDS = {
    "lift": "2D keypoints to 3D motion",
    "train": "train a lifter",
    "distill": "train a small lifter from a large one",
    "evaluate": "measure a lifter",
    "attention": "draw what a lifter attends to",
    "export": "write a checkpoint as ONNX",
}

_NEEDS = {"torch", "safetensors", "onnx", "onnxscript"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: hyperlift COMMAND …\n")
        print("\n".join(f"  {name:10} {help_line}" for name, help_line in COMMANDS.items()))
        print("\n'hyperlift COMMAND --help' says more")
        return 0
    if arguments[0] == "--version":
        print(f"hyperlift {__version__}")
        return 0
    command, *rest = arguments
    if command not in COMMANDS:
        print(f"hyperlift: error: unknown command {command!r}; known: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    sys.argv[0] = f"hyperlift {command}"
    try:
        module = import_module(f"hyperlift.cli.{command}")
    except ModuleNotFoundError as error:
        if error.name not in _NEEDS:
            raise
        print(f"hyperlift: error: {command} needs {error.name}; pip install 'hyperlift[train]'", file=sys.stderr)
        return 2
    return module.main(rest)


if __name__ == "__main__":
    raise SystemExit(main())
