"""What every command does around its work: one line for a user's mistake, and exit codes."""

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
INTERRUPTED = 130
PIPE_CLOSED = 141


def show_any_text() -> None:
    """Let standard output and error take every text: what their encoding does not have becomes an escape.

    Names of files hold any bytes, and a terminal, a log or a pipe may know UTF-8 or ASCII alone; a message that cannot
    be shown as it is must not end the work that it speaks of.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: object, *, stderr: bool = False) -> None:
    """Print one line, whatever the names in it hold (``errors.printable``)."""
    print(printable(text), file=sys.stderr if stderr else sys.stdout, flush=True)


def log_to_stderr(kind: type, level: int = logging.INFO) -> None:
    """Show the library's log, each message as one line with the flags of a command."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine(kind))
    logging.basicConfig(level=level, handlers=[handler])


class _OneLine(logging.Formatter):
    def __init__(self, kind: type) -> None:
        super().__init__()
        self._kind = kind

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The message without the lines of a traceback, which keep their form."""
        return printable(with_flags(record.message, self._kind))


def run_work(
    options: Callable[[], type[_Options]], work: Callable[[_Options], int], argv: Sequence[str] | None = None
) -> int:
    """Read the options of a command and do its work; returns the exit code.

    A user's mistake, a package that is not installed and Ctrl-C are one line each; a defect keeps its traceback.

    Args:
        options: imports the dataclass of the options (``config.option``).
        work: does it and returns the exit code. Its ``InputError`` names fields, which are printed as flags.
        argv: arguments; None takes those of the process.
    """
    show_any_text()
    program, kind = Path(sys.argv[0]).name, None
    try:
        kind = options()
        return work(read_arguments(kind, argv))
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain again when it flushes at exit.
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
        # Python 3.11 gives a Ctrl-C that comes while a class is made as the cause of a RuntimeError.
        if not any(isinstance(cause, KeyboardInterrupt) for cause in (error, error.__cause__)):
            raise
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
