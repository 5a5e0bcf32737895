"""Coordinates that are fractions of the picture's width and height."""

import numpy as np

from hyperlift.shapes import Float

_BEYOND = 2.0
"""Guesses outside of the picture go somewhat beyond 0..1; a person in pixels is never within this."""


def look_like_fractions(keypoints: Float[np.ndarray, "people joints 3"]) -> bool:
    """Whether nearly all coordinates lie about 0..1. Nobody at all is taken as pixels."""
    points = keypoints[..., :2]
    points = points[np.isfinite(points).all(-1)]
    return bool(len(points)) and float(np.percentile(np.abs(points), 95)) <= _BEYOND


def bring_to_pixels(keypoints: Float[np.ndarray, "people joints 3"], size: tuple[int, int]) -> None:
    """Multiply x by the width and y by the height, in place; the confidence stays."""
    keypoints *= np.array([*size, 1.0])
