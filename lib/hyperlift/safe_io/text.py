"""The text of a document, and what its plain values may be taken for."""

from pathlib import Path
from typing import TypeGuard

from hyperlift.errors import InputError


def read_text(path: Path, most_bytes: int, remedy: str) -> str:
    """The text of a UTF-8 file; a byte order mark at its start is left out.

    Args:
        path: of the file.
        most_bytes: a longer file is refused, and not read to its end.
        remedy: what to do about a file that cannot be read, the end of the message.

    Raises:
        InputError: the file is missing, cannot be read, is too long or is no UTF-8.
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
    """Whether a value is a number, not a truth value, from ``least`` to ``most``; NaN is not."""
    return type(value) in (int, float) and least <= value <= most  # type: ignore[operator]


def is_whole(value: object, least: int, most: int) -> TypeGuard[int]:
    """Whether a value is a whole number, not a truth value, from ``least`` to ``most``."""
    return type(value) is int and least <= value <= most
