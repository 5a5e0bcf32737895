"""Cutting a rectangle out of a picture and bringing it to a network's size, without touching pixels in Python."""

import math

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Shaped

Picture = Shaped[np.ndarray, "_ _ 3"]
"""Height x width x RGB, uint8."""


def check_picture(picture: np.ndarray) -> None:
    """Refuse what is no RGB picture.

    Raises:
        InputError: another shape or type, or a picture without pixels.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise InputError(
            f"a frame has the shape {list(picture.shape)} and holds {picture.dtype}; expected RGB pictures, uint8 "
            "[height, width, 3] (stack a grey picture three times)"
        )
    if 0 in picture.shape:
        raise InputError(f"a frame has the shape {list(picture.shape)}; expected at least one pixel")


def cut_out(picture: Picture, left_px: float, top_px: float, scale: float, width: int, height: int) -> Picture:
    """The part of a picture that begins at (``left_px``, ``top_px``), scaled, on a canvas of ``width`` x ``height``.

    A point x, y of the picture lands at ((x - left_px) * scale, (y - top_px) * scale). What lies outside the picture
    is black. Shrinking averages over the pixels that fall together.

    Args:
        picture: RGB.
        left_px: left edge of the canvas in the picture; may lie outside.
        top_px: upper edge of the canvas in the picture.
        scale: canvas pixels for one pixel of the picture.
        width: of the canvas.
        height: of the canvas.
    """
    from PIL import Image  # only who looks at pictures waits for it

    canvas = np.zeros((height, width, 3), np.uint8)
    columns = _overlap(left_px, scale, width, picture.shape[1])
    rows = _overlap(top_px, scale, height, picture.shape[0])
    if columns is None or rows is None:
        return canvas
    # Only the pixels that are needed go to Pillow, which copies what it is given.
    first_row, last_row = math.floor(rows.start_px), math.ceil(rows.stop_px)
    first_column, last_column = math.floor(columns.start_px), math.ceil(columns.stop_px)
    part = Image.fromarray(np.ascontiguousarray(picture[first_row:last_row, first_column:last_column]))
    box = (
        *(columns.start_px - first_column, rows.start_px - first_row),
        *(columns.stop_px - first_column, rows.stop_px - first_row),
    )
    size = (columns.stop - columns.start, rows.stop - rows.start)
    resized = part.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    canvas[rows.start : rows.stop, columns.start : columns.stop] = np.asarray(resized)
    return canvas


class _Stretch:
    """Whole canvas pixels ``start`` up to ``stop``, and the stretch of the picture that they show."""

    def __init__(self, start: int, stop: int, offset_px: float, scale: float, limit: int) -> None:
        self.start, self.stop = start, stop
        self.start_px = min(max(offset_px + start / scale, 0.0), float(limit))
        self.stop_px = min(max(offset_px + stop / scale, 0.0), float(limit))


def _overlap(offset_px: float, scale: float, canvas: int, limit: int) -> _Stretch | None:
    """Where the canvas shows the picture along one axis; None where it does not."""
    # A hair of tolerance: an edge that falls on a canvas pixel must not lose it to rounding.
    start = max(0, math.ceil(-offset_px * scale - 1e-6))
    stop = min(canvas, math.floor((limit - offset_px) * scale + 1e-6))
    if stop <= start:
        return None
    stretch = _Stretch(start, stop, offset_px, scale, limit)
    return stretch if stretch.stop_px > stretch.start_px else None
