"""Crops of pictures, resized to the input of a network with Pillow."""

import math

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Shaped

Picture = Shaped[np.ndarray, "_ _ 3"]
"""Height x width x RGB, uint8."""


def check_picture(picture: np.ndarray) -> None:
    """Check that an array is an RGB picture.

    Raises:
        InputError: the shape or type is wrong, or the picture has no pixels.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise InputError(
            f"a frame has the shape {list(picture.shape)} and holds {picture.dtype}; expected RGB pictures, uint8 "
            "[height, width, 3] (stack a grey picture three times)"
        )
    if 0 in picture.shape:
        raise InputError(f"a frame has the shape {list(picture.shape)}; expected at least one pixel")


def cut_out(picture: Picture, left_px: float, top_px: float, scale: float, width: int, height: int) -> Picture:
    """Crop a picture at (``left_px``, ``top_px``) and scale it to a canvas of ``width`` x ``height``.

    A point x, y of the picture is mapped to ((x - left_px) * scale, (y - top_px) * scale). Pixels outside of the
    picture are black. Downscaling is antialiased.

    Args:
        picture: RGB.
        left_px: left edge of the canvas in the picture; may be outside of it.
        top_px: upper edge of the canvas in the picture.
        scale: canvas pixels per pixel of the picture.
        width: of the canvas.
        height: of the canvas.
    """
    from PIL import Image  # not needed to lift keypoints

    canvas = np.zeros((height, width, 3), np.uint8)
    columns = _overlap(left_px, scale, width, picture.shape[1])
    rows = _overlap(top_px, scale, height, picture.shape[0])
    if columns is None or rows is None:
        return canvas
    # Pillow copies its input, so it gets only the pixels that are needed.
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


class _Interval:
    """Canvas pixels ``start`` up to ``stop`` along one axis, and the interval of the picture that they show."""

    def __init__(self, start: int, stop: int, offset_px: float, scale: float, limit: int) -> None:
        self.start, self.stop = start, stop
        self.start_px = min(max(offset_px + start / scale, 0.0), float(limit))
        self.stop_px = min(max(offset_px + stop / scale, 0.0), float(limit))


def _overlap(offset_px: float, scale: float, canvas: int, limit: int) -> _Interval | None:
    """The overlap of canvas and picture along one axis; None without one."""
    # The tolerance keeps a pixel whose edge coincides with that of the picture despite rounding.
    start = max(0, math.ceil(-offset_px * scale - 1e-6))
    stop = min(canvas, math.floor((limit - offset_px) * scale + 1e-6))
    if stop <= start:
        return None
    interval = _Interval(start, stop, offset_px, scale, limit)
    return interval if interval.stop_px > interval.start_px else None
