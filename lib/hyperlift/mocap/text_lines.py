"""Lines of a text file split into words, with messages that name the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError, one_line
from hyperlift.shapes import Float

MOST_BYTES = 500_000_000
LARGEST = 1e9
"""No angle and no length in any unit is so large; squares and products of larger ones would overflow."""


@dataclass(eq=False)
class TextLines:
    """The lines of a file in turn; ``number`` counts from 1 and is the line read last."""

    path: Path
    lines: list[str]
    number: int = 0

    @classmethod
    def of_file(cls, path: Path) -> "TextLines":
        """Read a text file.

        Raises:
            InputError: it is missing, unreadable or longer than ``MOST_BYTES``.
        """
        try:
            with path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        if len(content) > MOST_BYTES:
            raise InputError(f"{path}: is longer than {MOST_BYTES:,} bytes; cut it into several motions")
        return cls(path, content.decode("utf-8", errors="replace").splitlines())

    def next_words(self) -> list[str] | None:
        """The words of the next line that has any beside a ``#`` comment, or None at the end of the file."""
        while self.number < len(self.lines):
            self.number += 1
            words = self.lines[self.number - 1].partition("#")[0].split()
            if words:
                return words
        return None

    def numbers(self, words: Sequence[str], count: int) -> Float[np.ndarray, " count"]:
        """Words as exactly ``count`` numbers of at most ``LARGEST``.

        Raises:
            InputError: they are not.
        """
        try:
            values = np.array([float(word) for word in words])
        except ValueError as error:
            raise self.error(one_line(str(error))) from None
        if len(values) != count:
            raise self.error(f"{len(values)} numbers; expected {count}")
        if not (np.abs(values) <= LARGEST).all():
            raise self.error(f"a number is not finite, or larger than {LARGEST:g}")
        return values

    def error(self, what: str) -> InputError:
        """An error that names the file and the line read last."""
        return InputError(f"{self.path}, line {self.number}: {what}")
