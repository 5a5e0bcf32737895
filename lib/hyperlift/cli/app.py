"""What every command does around its work: one line for a user's mistake, and exit codes."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path

from hyperlift.errors import InputError

INPUT_ERROR = 2
INTERRUPTED = 130
PIPE_CLOSED = 141


def guarded(main: Callable[[Sequence[str] | None], int]) -> Callable[..., int]:
    """Wrap a command: a user's mistake becomes one line and exit code 2, a defect keeps its traceback."""

    @wraps(main)
    def command(argv: Sequence[str] | None = None) -> int:
        try:
            return main(argv)
        except BrokenPipeError:
            # Whoever read our output has seen enough; Python would complain again when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return PIPE_CLOSED
        except (InputError, OSError) as error:
            message = " ".join(str(error).split())
            print(f"{Path(sys.argv[0]).name}: error: {message}", file=sys.stderr)
            return INPUT_ERROR
        except KeyboardInterrupt:
            print(f"{Path(sys.argv[0]).name}: interrupted", file=sys.stderr)
            return INTERRUPTED

    return command
