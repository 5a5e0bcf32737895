"""Tables of any length, separated by commas, semicolons or tabs, and their cells."""

import codecs
import csv
import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.keypoints.formats.numbers import LARGEST_NUMBER

_FAR_PX = 1e7


_BEGINNING = 65536
"""Bytes that show how a table is written."""
_DECIMAL_COMMA = re.compile(r"^\s*([-+]?\d*),(\d+(?:[eE][-+]?\d+)?)\s*$")


def encoding_of(start: bytes) -> str:
    """UTF-16 where its mark is at the beginning, else UTF-8 with or without mark."""
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def separator_in(start: bytes) -> str:
    """What separates the cells: a tab or semicolon where the first line has one, else a comma."""
    line = start.decode(encoding_of(start), errors="replace").partition("\n")[0]
    return next((mark for mark in ("\t", ";") if mark in line), ",")


class Rows:
    """The rows of a table that are not empty, read anew in every pass, one in memory."""

    def __init__(self, path: Path | None) -> None:
        """Remember the file; None has no rows.

        Encoding (UTF-8, or UTF-16 with its mark) and separator are those of its beginning; where commas do not
        separate, a comma within a number is a decimal one.
        """
        self._path = path

    def __iter__(self) -> Iterator[list[str]]:
        """Read the cells.

        Raises:
            InputError: it is no text.
        """
        if self._path is None:
            return
        try:
            with self._path.open("rb") as file:
                start = file.read(_BEGINNING)
            separator = separator_in(start)
            with self._path.open(encoding=encoding_of(start), newline="") as file:
                rows = filter(None, csv.reader(file, delimiter=separator))
                if separator == ",":
                    yield from rows
                else:
                    yield from ([_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in row] for row in rows)
        except OSError as error:
            raise InputError(f"{self._path}: cannot be read ({error.strerror}); check the path") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(
                f"{self._path}: is no table of text ({one_line(str(error))}); export the keypoints again"
            ) from error

    def body(self, header_rows: int) -> Iterator[list[str]]:
        """The rows below a header."""
        return islice(self, header_rows, None)


def is_number(cell: str) -> bool:
    """Whether a cell holds a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def number_of(cell: str, where: str) -> float:
    """The number in a cell; NaN if it is empty.

    Raises:
        InputError: something else stands there, or a number beyond any picture.
    """
    if not cell.strip():
        return math.nan
    if not is_number(cell):
        raise InputError(f"{where}: {quoted(cell, 40)} is no number; export the keypoints again")
    if abs(float(cell)) >= _FAR_PX:
        raise InputError(f"{where}: {quoted(cell, 40)} is absurdly far away; leave missing joints empty")
    return float(cell)


def picture_name_cell(cell: str, where: str) -> str:
    """The name of a picture, for ``PictureNames``, or a frame number, which is a name too.

    Raises:
        InputError: a number that is no frame number.
    """
    if not is_number(cell):
        return cell
    number = float(cell)
    if number.is_integer() and 0 <= number < LARGEST_NUMBER:
        return str(int(number))
    raise InputError(f"{where}: {quoted(cell, 40)} is no frame number; expected a whole number from 0")
