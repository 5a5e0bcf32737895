"""What every command does around its work: one line for a user's mistake, and exit codes."""

import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path

from hyperlift.errors import InputError, printable

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


def log_to_stderr(level: int = logging.INFO) -> None:
    """Show the library's log, each message as one line."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logging.basicConfig(level=level, handlers=[handler])


class _OneLine(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        """The message without the lines of a traceback, which keep their form."""
        return printable(record.message)


def guarded(main: Callable[[Sequence[str] | None], int]) -> Callable[..., int]:
    """Wrap a command: a user's mistake becomes one line and exit code 2, a defect keeps its traceback."""

    @wraps(main)
    def command(argv: Sequence[str] | None = None) -> int:
        show_any_text()
        try:
            return main(argv)
        except BrokenPipeError:
            # Whoever read our output has seen enough; Python would complain again when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return PIPE_CLOSED
        except (InputError, OSError) as error:
            say(f"{Path(sys.argv[0]).name}: error: {error}", stderr=True)
            return INPUT_ERROR
        except KeyboardInterrupt:
            print(f"{Path(sys.argv[0]).name}: interrupted", file=sys.stderr)
            return INTERRUPTED

    return command
