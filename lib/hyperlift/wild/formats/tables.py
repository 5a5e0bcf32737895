"""Cells of comma-separated tables."""

import math
from pathlib import PurePath

from hyperlift.errors import InputError
from hyperlift.wild.formats.source import last_number

_FAR_PX = 1e7


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
        raise InputError(f"{where}: {cell[:40]!r} is no number; export the keypoints again")
    if abs(float(cell)) >= _FAR_PX:
        raise InputError(f"{where}: {cell[:40]!r} is absurdly far away; leave missing joints empty")
    return float(cell)


def frame_number_cell(cell: str, where: str) -> int:
    """A frame number, or the digits of a picture's name.

    Raises:
        InputError: there is none.
    """
    if is_number(cell):
        number = float(cell)
        if number.is_integer() and number >= 0:
            return int(number)
        raise InputError(f"{where}: {cell[:40]!r} is no frame number; expected a whole number from 0")
    return last_number(PurePath(cell).stem, where, "img0012.png")
