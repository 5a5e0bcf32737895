"""Plain data of every kind that a pickle may hold, and what it means to be the same."""

from collections import OrderedDict

import numpy as np


def content():
    return {
        "doubles": np.arange(12.0).reshape(3, 4),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "empty": np.zeros((0, 17, 2)),
        "names": np.array(["a", "Sitting"]),
        "objects": np.array(["a", "SittingDown"], dtype=object),
        "scalar": np.float32(1.5),
        "plain": [
            1,
            2.5,
            True,
            None,
            "x",
            b"\x00\xff",
            b"",
            (1, 2),
            {3},
            frozenset({4}),
            2**80,
            complex(1, 2),
            bytearray(b"q"),
        ],
        "ordered": OrderedDict(a=1),
    }


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        alike = isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape
        return alike and all(same(x, y) for x, y in zip(a.reshape(-1).tolist(), b.reshape(-1).tolist(), strict=True))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return (a == b or (a != a and b != b)) and type(a) is type(b)
