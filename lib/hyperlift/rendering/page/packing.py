"""Compact encoding of time series: quantisation, differences over time, byte planes, deflate, base64.

Differences between frames are small, so their high bytes compress well. Browsers decode with ``DecompressionStream``.
"""

import base64
import zlib

import numpy as np

from hyperlift.shapes import Float, Shaped

MISSING = {"int16": -(2**15), "int32": -(2**31)}
"""Codes for NaN and for values out of range."""


def pack(values: Shaped[np.ndarray, " frames *channels"]) -> dict:
    """Encode integers as a dictionary for JSON: ``dtype``, ``shape`` and ``data``.

    ``data`` holds for each channel the first value and the differences to the previous frame (modulo the range of the
    type), as byte planes with the lowest byte first, compressed with zlib, in base64.

    Args:
        values: uint8, int16 or int32.
    """
    kind = values.dtype
    unsigned = np.dtype(f"u{kind.itemsize}").newbyteorder("<")
    by_channel = np.ascontiguousarray(values.reshape(len(values), -1).T).astype(kind.newbyteorder("<")).view(unsigned)
    steps = np.diff(by_channel, axis=1, prepend=unsigned.type(0))
    planes = steps.astype(unsigned).reshape(-1, 1).view(np.uint8).T
    data = base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode()
    return {"dtype": kind.name, "shape": list(values.shape), "data": data}


def quantised(values: Float[np.ndarray, "*any"], step: float, kind: str) -> Shaped[np.ndarray, "*any"]:
    """Quantise to multiples of ``step``; NaN, infinity and values out of range become ``MISSING``.

    Args:
        values: in any unit.
        step: in the same unit.
        kind: int16 or int32.
    """
    steps = np.round(values / step)
    fits = np.isfinite(steps) & (np.abs(steps) < np.iinfo(kind).max)
    return np.where(fits, steps, MISSING[kind]).astype(kind)
