"""Reads the words of a text file line by line; errors name the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError, one_line
from hyperlift.shapes import Float

MAX_BYTES = 500_000_000
"""Chosen: larger than the largest motion files, and small enough for memory."""
MAX_NUMBER = 1e9
"""Chosen: larger than any angle or length in any unit; squares and products stay finite."""


@dataclass(eq=False)
class TextLines:
    """Iterates over the lines of a file; ``number`` is the last line read, from 1."""

    path: Path
    lines: list[str]
    number: int = 0

    @classmethod
    def of_file(cls, path: Path) -> "TextLines":
        """Read a text file.

        Raises:
            InputError: the file is missing, unreadable or longer than ``MAX_BYTES``.
        """
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        if len(content) > MAX_BYTES:
            raise InputError(f"{path}: is longer than {MAX_BYTES:,} bytes; cut it into several motions")
        return cls(path, content.decode("utf-8", errors="replace").splitlines())

    def next_words(self) -> list[str] | None:
        """Words of the next line that is not empty or a ``#`` comment; None at the end of the file."""
        while self.number < len(self.lines):
            self.number += 1
            words = self.lines[self.number - 1].partition("#")[0].split()
            if words:
                return words
        return None

    def numbers(self, words: Sequence[str], count: int) -> Float[np.ndarray, " count"]:
        """Convert words to exactly ``count`` numbers of at most ``MAX_NUMBER``.

        Raises:
            InputError: a word is no such number, or their count differs.
        """
        try:
            values = np.array([float(word) for word in words])
        except ValueError as error:
            raise self.error(one_line(str(error))) from None
        if len(values) != count:
            raise self.error(f"{len(values)} numbers; expected {count}")
        if not (np.abs(values) <= MAX_NUMBER).all():
            raise self.error(f"a number is not finite, or larger than {MAX_NUMBER:g}")
        return values

    def error(self, what: str) -> InputError:
        """An error that names the file and the last line read."""
        return InputError(f"{self.path}, line {self.number}: {what}")
