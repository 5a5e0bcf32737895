"""The page's numbers, as its script unpacks them."""

import base64
import math
import zlib

import numpy as np

from hyperlift.rendering.page.packing import MISSING


def unpack(packed: dict) -> np.ndarray:
    """What ``pack`` was given."""
    kind, shape = np.dtype(packed["dtype"]), packed["shape"]
    unsigned = np.dtype(f"u{kind.itemsize}").newbyteorder("<")
    planes = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8).reshape(kind.itemsize, -1)
    steps = np.ascontiguousarray(planes.T).view(unsigned).reshape(math.prod(shape[1:]), shape[0])
    values = np.cumsum(steps, axis=1, dtype=unsigned).view(kind.newbyteorder("<"))
    return values.T.reshape(shape).astype(kind)


def from_steps(steps: np.ndarray, step: float) -> np.ndarray:
    """The inverse of ``in_steps``, to within half a step; missing values are NaN."""
    return np.where(steps == MISSING[steps.dtype.name], np.nan, steps * step)
