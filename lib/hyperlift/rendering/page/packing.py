"""Numbers of many frames as short text: whole steps, differences over time, byte planes, deflate, base64.

Motion changes little from frame to frame, so the differences are small numbers, their high bytes are nearly all alike
and deflate takes them away. Every browser undoes this with its own ``DecompressionStream``.
"""

import base64
import zlib

import numpy as np

from hyperlift.shapes import Float, Shaped

MISSING = {"int16": -(2**15), "int32": -(2**31)}
"""Stands for NaN, and for what does not fit, in whole steps."""


def pack(values: Shaped[np.ndarray, " frames *channels"]) -> dict:
    """Integers as a dictionary for JSON: ``dtype``, ``shape`` and ``data``.

    ``data`` is, channel by channel, the first value and then the difference to the frame before (modulo the range of
    the type), little-endian, all lowest bytes first, then all second bytes and so on; deflated (zlib), in base64.

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


def in_steps(values: Float[np.ndarray, "*any"], step: float, kind: str) -> Shaped[np.ndarray, "*any"]:
    """Whole multiples of ``step``; NaN, infinite and too large become ``MISSING``.

    Args:
        values: in any unit.
        step: in the same.
        kind: int16 or int32.
    """
    steps = np.round(values / step)
    fits = np.isfinite(steps) & (np.abs(steps) < np.iinfo(kind).max)
    return np.where(fits, steps, MISSING[kind]).astype(kind)
