"""Coordinates that are fractions of the picture's width and height."""

from collections.abc import Sequence

import numpy as np

from hyperlift.shapes import Float

_BEYOND = 2.0
"""Guesses outside of the picture go somewhat beyond 0..1; a person in pixels is never within this."""


def look_like_fractions(people: Sequence[Float[np.ndarray, "joints 3"]]) -> bool:
    """Whether nearly all coordinates lie about 0..1. Nobody at all is taken as pixels."""
    if not people:
        return False
    points = np.concatenate(list(people))[:, :2]
    points = points[np.isfinite(points).all(-1)]
    return bool(len(points)) and float(np.percentile(np.abs(points), 95)) <= _BEYOND


def in_pixels(fractions: Float[np.ndarray, "joints 3"], size: tuple[int, int]) -> Float[np.ndarray, "joints 3"]:
    """x times the width, y times the height; the confidence stays."""
    return fractions * np.array([*size, 1.0])
