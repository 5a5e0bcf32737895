"""Reading of tables (CSV with commas, semicolons or tabs) row by row, and of their cells."""

import codecs
import csv
import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.keypoints.formats.numbers import LARGEST_NUMBER, MAX_COORDINATE

_BEGINNING = 65536
"""Bytes from which the encoding and the separator are determined. Chosen: contains the first line of any table."""
_DECIMAL_COMMA = re.compile(r"^\s*([-+]?\d*),(\d+(?:[eE][-+]?\d+)?)\s*$")


def encoding_of(start: bytes) -> str:
    """UTF-16 if the file begins with its byte order mark, else UTF-8 with or without one."""
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def separator_in(start: bytes) -> str:
    """The separator of cells: a tab or semicolon if the first line contains one, else a comma."""
    line = start.decode(encoding_of(start), errors="replace").partition("\n")[0]
    return next((mark for mark in ("\t", ";") if mark in line), ",")


class Rows:
    """The non-empty rows of a table, read from the file in every iteration with one row in memory.

    If the separator is not a comma, a comma within a number is a decimal comma.
    """

    def __init__(self, path: Path | None) -> None:
        """Do not open the file yet; None gives no rows."""
        self._path = path

    def __iter__(self) -> Iterator[list[str]]:
        """Read the rows.

        Raises:
            InputError: the file is not text.
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
        """The rows after the header."""
        return islice(self, header_rows, None)


def is_number(cell: str) -> bool:
    """Whether a cell contains a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def number_of(cell: str, where: str) -> float:
    """The number in a cell; NaN for an empty cell.

    Raises:
        InputError: the cell is not a number, or exceeds ``MAX_COORDINATE``.
    """
    if not cell.strip():
        return math.nan
    if not is_number(cell):
        raise InputError(f"{where}: {quoted(cell, 40)} is no number; export the keypoints again")
    if abs(float(cell)) >= MAX_COORDINATE:
        raise InputError(f"{where}: {quoted(cell, 40)} is absurdly far away; leave missing joints empty")
    return float(cell)


def picture_name(cell: str, where: str) -> str:
    """The name of an image or a frame number in a cell, as text for ``PictureNames``.

    Raises:
        InputError: the cell is a number, but not a frame number.
    """
    if not is_number(cell):
        return cell
    number = float(cell)
    if number.is_integer() and 0 <= number < LARGEST_NUMBER:
        return str(int(number))
    raise InputError(f"{where}: {quoted(cell, 40)} is no frame number; expected a whole number from 0")
