"""JSON files and texts as plain values."""

import json
from pathlib import Path
from typing import Any

from hyperlift.errors import InputError, one_line
from hyperlift.safe_io.text import read_text

MOST_JSON_BYTES = 64_000_000
"""Maximal size of a JSON file that is read as a whole. Chosen: parsed values take several times as much
memory. Keypoint files, which may be larger, are read as a stream."""


def read_json(path: Path, remedy: str, most_bytes: int = MOST_JSON_BYTES) -> Any:
    """Read a JSON file.

    Args:
        path: the file.
        remedy: end of a message: what the user can do.
        most_bytes: maximal size of the file.

    Raises:
        InputError: as ``read_text`` and ``parse_json``.
    """
    return parse_json(read_text(path, most_bytes, remedy), str(path), remedy)


def parse_json(text: str | bytes, where: str, remedy: str) -> Any:
    """Parse a JSON text.

    Args:
        text: the document.
        where: file name (and line), for messages.
        remedy: end of a message: what the user can do.

    Raises:
        InputError: the text is not JSON, its nesting exceeds the recursion limit of Python, or an integer has more than
            4,300 digits.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise InputError(f"{where}: is nested too deeply for JSON; {remedy}") from error
    except ValueError as error:  # includes JSONDecodeError and UnicodeDecodeError
        raise InputError(f"{where}: is not JSON ({one_line(str(error))}); {remedy}") from error
