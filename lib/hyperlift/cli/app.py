"""Frame of all commands: errors of the user in one line, and exit codes."""

import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from hyperlift.cli.arguments import read_arguments
from hyperlift.config.option import with_flags
from hyperlift.errors import EXTRAS, InputError, missing_package, printable

_Options = TypeVar("_Options")

INPUT_ERROR = 2
"""Exit code of a mistake of the user, as that of argparse."""
INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells report it."""
PIPE_CLOSED = 141
"""Exit code after the reader of the output has ended: 128 + SIGPIPE."""


def show_any_text() -> None:
    """Escape characters that standard output and error cannot encode.

    File names can hold any bytes, and a terminal, log or pipe can be limited to ASCII; a message must not end the work.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: object, *, stderr: bool = False) -> None:
    """Print one line, with control characters escaped (``errors.printable``)."""
    print(printable(text), file=sys.stderr if stderr else sys.stdout, flush=True)


def log_to_stderr(kind: type, level: int = logging.INFO) -> None:
    """Print log messages of the library in one line each, with the flags of a command."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine(kind))
    logging.basicConfig(level=level, handlers=[handler])


class _OneLine(logging.Formatter):
    def __init__(self, kind: type) -> None:
        super().__init__()
        self._kind = kind

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Format the message in one line; tracebacks are not changed."""
        return printable(with_flags(record.message, self._kind))


def run_work(
    options: Callable[[], type[_Options]], work: Callable[[_Options], int], argv: Sequence[str] | None = None
) -> int:
    """Parse the options of a command and run it; returns its exit code.

    An error of the user, a missing package and Ctrl-C are one line each; other exceptions keep their traceback.

    Args:
        options: imports the dataclass of the options (``config.option``).
        work: runs the command. Its ``InputError`` names fields, which are printed as flags.
        argv: arguments; None takes those of the process.
    """
    show_any_text()
    program, kind = Path(sys.argv[0]).name, None
    try:
        kind = options()
        return work(read_arguments(kind, argv))
    except BrokenPipeError:
        # The reader of the output has ended. Python would raise again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (InputError, OSError) as error:
        say(f"{program}: error: {with_flags(str(error), kind) if kind else error}", stderr=True)
        return INPUT_ERROR
    except ModuleNotFoundError as error:
        if (package := error.name or "") not in EXTRAS["train"]:
            raise
        say(f"{program}: error: {missing_package(package, 'this command needs')}", stderr=True)
        return INPUT_ERROR
    except (KeyboardInterrupt, RuntimeError) as error:
        # In Python 3.11, Ctrl-C during the creation of a class is the cause of a RuntimeError.
        if not any(isinstance(cause, KeyboardInterrupt) for cause in (error, error.__cause__)):
            raise
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
