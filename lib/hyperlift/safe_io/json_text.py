"""JSON as plain values."""

import json
from pathlib import Path
from typing import Any

from hyperlift.errors import InputError, one_line
from hyperlift.safe_io.text import read_text

MOST_JSON_BYTES = 64_000_000


def read_json(path: Path, remedy: str, most_bytes: int = MOST_JSON_BYTES) -> Any:
    """The values of a JSON file.

    Args:
        path: of the file.
        remedy: what to do about a file that cannot be read, the end of the message.
        most_bytes: a longer file is refused.

    Raises:
        InputError: as ``read_text`` and ``parse_json``.
    """
    return parse_json(read_text(path, most_bytes, remedy), str(path), remedy)


def parse_json(text: str | bytes, where: str, remedy: str) -> Any:
    """The values of a JSON text.

    Args:
        text: the document.
        where: file name (and line) for the message.
        remedy: what to do about it, the end of the message.

    Raises:
        InputError: it is not JSON, is nested more deeply than Python's recursion limit, or has an integer of more
            digits than Python reads (4,300).
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise InputError(f"{where}: is nested too deeply for JSON; {remedy}") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are of this kind
        raise InputError(f"{where}: is not JSON ({one_line(str(error))}); {remedy}") from error
