"""Numbers that files of keypoints write: of frames and tracks, and coordinates in fractions of the picture."""

from collections.abc import Sequence

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.shapes import Float

LARGEST_NUMBER = 10**15
"""No frame or track has a number beyond this."""
_BEYOND = 2.0
"""Guesses outside of the picture go somewhat beyond 0..1; a person in pixels is never within this."""


def frames_of_times(times: Sequence[float]) -> list[int]:
    """Frame numbers of time stamps in any unit: the usual step is one frame, and a hole stays one.

    Args:
        times: of the frames that a file holds.

    Returns:
        Positions where the stamps do not ascend: they say nothing then.
    """
    steps = np.diff(np.asarray(times, np.float64))
    if not len(steps) or not (steps > 0).all():
        return list(range(len(times)))
    return [
        0,
        *np.cumsum(np.maximum(np.round(steps / np.percentile(steps, 50, method="lower")), 1).astype(int)).tolist(),
    ]


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
