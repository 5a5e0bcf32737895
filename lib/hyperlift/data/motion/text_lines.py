"""Lines of a text file split into words, with messages that name the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float


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
            InputError: it is missing or unreadable.
        """
        try:
            return cls(path, path.read_text(encoding="utf-8", errors="replace").splitlines())
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error

    def next_words(self) -> list[str] | None:
        """The words of the next line that has any beside a ``#`` comment, or None at the end of the file."""
        while self.number < len(self.lines):
            self.number += 1
            words = self.lines[self.number - 1].partition("#")[0].split()
            if words:
                return words
        return None

    def numbers(self, words: Sequence[str], count: int) -> Float[np.ndarray, " count"]:
        """Words as exactly ``count`` finite numbers.

        Raises:
            InputError: they are not.
        """
        try:
            values = np.array([float(word) for word in words])
        except ValueError as error:
            raise self.error(str(error)) from None
        if len(values) != count:
            raise self.error(f"{len(values)} numbers; expected {count}")
        if not np.isfinite(values).all():
            raise self.error("a number is not finite")
        return values

    def error(self, what: str) -> InputError:
        """An error that names the file and the line read last."""
        return InputError(f"{self.path}, line {self.number}: {what}")
