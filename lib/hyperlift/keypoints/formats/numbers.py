"""Frame numbers, track numbers and normalised coordinates in keypoint files."""

from collections.abc import Sequence

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.shapes import Float

LARGEST_NUMBER = 10**15
"""Upper bound of frame and track numbers. Chosen: exact in float64, and above time stamps in microseconds."""
MAX_COORDINATE = 1e7
"""Upper bound of a coordinate in pixels. Chosen: far above every image; squares stay exact in float64."""
_MAX_FRACTION = 2.0
"""Maximal absolute coordinate of keypoints that are fractions of the image. Chosen: estimates outside the image exceed
1 slightly, and a person in pixels is larger than 2 pixels."""


def frames_of_times(times: Sequence[float]) -> list[int]:
    """Frame numbers from time stamps in any unit: the median step is one frame, and gaps are kept.

    If the time stamps do not ascend, the frames are numbered by position.
    """
    steps = np.diff(np.asarray(times, np.float64))
    if not len(steps) or not (steps > 0).all():
        return list(range(len(times)))
    return [
        0,
        *np.cumsum(np.maximum(np.round(steps / np.percentile(steps, 50, method="lower")), 1).astype(int)).tolist(),
    ]


def parse_digits(digits: str) -> int | None:
    """Parse digits; None from ``LARGEST_NUMBER`` on."""
    digits = digits.lstrip("0") or "0"
    number = int(digits) if len(digits) <= len(str(LARGEST_NUMBER)) else LARGEST_NUMBER
    return number if number < LARGEST_NUMBER else None


def whole_number(value: object, where: str, what: str) -> int | None:
    """Validate a track or frame number, which may be absent (None).

    Raises:
        InputError: the value is not a whole number.
    """
    if value is None:
        return None
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    if abs(number) < LARGEST_NUMBER and number == int(number):
        return int(number)
    raise InputError(f"{where}: {what} is {quoted(value)}; expected a whole number")


def look_like_fractions(keypoints: Float[np.ndarray, "people joints 3"]) -> bool:
    """True if nearly all coordinates are fractions of the image; False if there are no people."""
    points = keypoints[..., :2]
    points = points[np.isfinite(points).all(-1)]
    return bool(len(points)) and float(np.percentile(np.abs(points), 95)) <= _MAX_FRACTION


def scale_to_pixels(keypoints: Float[np.ndarray, "people joints 3"], size: tuple[int, int]) -> None:
    """Multiply x by the width and y by the height, in place."""
    keypoints *= np.array([*size, 1.0])
