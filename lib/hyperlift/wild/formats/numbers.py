"""Numbers that files of keypoints write: of frames and tracks, and coordinates in fractions of the picture."""

import re

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.shapes import Float

LARGEST_NUMBER = 10**15
"""No frame or track has a number beyond this."""
_BEYOND = 2.0
"""Guesses outside of the picture go somewhat beyond 0..1; a person in pixels is never within this."""


def last_number(name: str, where: str, example: str) -> int:
    """The last run of digits in a name.

    Raises:
        InputError: there is none.
    """
    digits = re.findall(r"[0-9]+", name)
    number = whole(digits[-1]) if digits else None
    if number is None:
        raise InputError(f"{where}: {quoted(name, 60)} holds no frame number; expected digits as in {example}")
    return number


def whole(digits: str) -> int | None:
    """The number that digits write; None if no frame or track has a number so large."""
    digits = digits.lstrip("0") or "0"
    number = int(digits) if len(digits) <= len(str(LARGEST_NUMBER)) else LARGEST_NUMBER
    return number if number < LARGEST_NUMBER else None


def whole_number(value: object, where: str, what: str) -> int | None:
    """A track or frame number that may be absent (None).

    Raises:
        InputError: it is something else than a whole number.
    """
    if value is None:
        return None
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    if abs(number) < LARGEST_NUMBER and number == int(number):
        return int(number)
    raise InputError(f"{where}: {what} is {quoted(value)}; expected a whole number")


def look_like_fractions(keypoints: Float[np.ndarray, "people joints 3"]) -> bool:
    """Whether nearly all coordinates lie about 0..1. Nobody at all is taken as pixels."""
    points = keypoints[..., :2]
    points = points[np.isfinite(points).all(-1)]
    return bool(len(points)) and float(np.percentile(np.abs(points), 95)) <= _BEYOND


def bring_to_pixels(keypoints: Float[np.ndarray, "people joints 3"], size: tuple[int, int]) -> None:
    """Multiply x by the width and y by the height, in place; the confidence stays."""
    keypoints *= np.array([*size, 1.0])
