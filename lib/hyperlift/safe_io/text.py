"""Text files, and type checks of plain values."""

from pathlib import Path
from typing import TypeGuard

from hyperlift.errors import InputError


def read_text(path: Path, most_bytes: int, remedy: str) -> str:
    """Read a UTF-8 file without its byte order mark.

    Args:
        path: the file.
        most_bytes: maximal size of the file; no more is read.
        remedy: end of a message: what the user can do.

    Raises:
        InputError: the file is missing, cannot be read, is too long or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise InputError(f"{path}: is longer than {most_bytes:,} bytes; {remedy}")
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; {remedy}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {remedy}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text in UTF-8 (byte {error.start}); {remedy}") from error


def is_number(value: object, least: float, most: float) -> TypeGuard[float]:
    """Whether a value is an int or float in ``least``..``most``; neither a bool nor NaN."""
    return type(value) in (int, float) and least <= value <= most  # type: ignore[operator]


def is_whole(value: object, least: int, most: int) -> TypeGuard[int]:
    """Whether a value is an int in ``least``..``most``, and not a bool."""
    return type(value) is int and least <= value <= most
