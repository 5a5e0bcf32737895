"""Definition of plain data, and limits on how much of it a file may describe.

Plain values are None, bool, int, float, complex, str, bytes, bytearray, NumPy scalars and arrays, and lists, tuples,
sets and dicts of plain values. Several containers may share a value, as long as the expanded size stays in proportion
to the size of the file; no container may contain itself.
"""

from collections.abc import Iterable, Sequence, Sized
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float

MOST_LEVELS = 64
"""Maximal nesting depth. Chosen: comparing, printing and hashing are recursive and overflow the stack at great
depth."""
MOST_BITS = 256
"""Maximal bits of an integer. Chosen: float() accepts it (below 2^1024), and a message shows it in full."""
LARGEST = 1e9
"""Maximal absolute value of a coordinate in any unit. Chosen: pixels, millimetres and metres are far below, and its
square is far below the maximum of float32."""
_TEXTS = {str, bytes, bytearray}
_ATOMS = {NoneType, bool, int, float, complex, *_TEXTS}
_ATOM_BYTES = 32
"""Estimated memory of a small Python object (24 to 32 bytes in CPython)."""
_COPIES_BYTES = 2**29
_COPIES_RATIO = 16
"""The expanded size of shared values is at most ``_COPIES_BYTES`` (512 MB) plus ``_COPIES_RATIO`` bytes per byte of the
file. Chosen: a bound on the memory of a copy, with a margin for files that share values."""
_SAFE_KEYS = {str, bytes, NoneType, bool}
"""Key types whose hashes cannot be made to collide: Python salts the hashes of strings and bytes."""
_FORGEABLE_KEYS = 1000
"""Maximal number of keys of other types in a dict or set: a file could make all of them collide, which takes quadratic
time. Chosen: at most 500,000 comparisons."""
_LEAST_FORGEABLE = 2**24
"""Integers below it cannot be used to make a large number of keys collide: too few of them share a slot in a hash table
of any size."""
_KEY_LEVELS, _KEY_PARTS = 2, 16
"""Maximal nesting depth and length of a tuple that is a key. Chosen: its hash is recomputed at each use."""
_FEW = 16
"""Containers of at most this many plain items are not memorised. Chosen: a file may have millions, and visiting one
again is cheap."""


class NotPlain(ValueError):
    """Something that is not plain data; the message states what."""


def unusable(array: np.ndarray) -> str | None:
    """Why an array of numbers cannot be coordinates; None if it can.

    Very large values are rejected here because linear algebra can hang on values near the limit of floating point.
    """
    if not array.size:
        return None
    low, high = float(array.min()), float(array.max())  # NaN where there is any
    if not np.isfinite([low, high]).all():
        return "NaN or infinite values"
    return None if low >= -LARGEST and high <= LARGEST else f"values beyond {LARGEST:.0e}"


def coordinates(array: object, shape: Sequence[int | None], where: str, remedy: str) -> Float[np.ndarray, "..."]:
    """Validate an array of a user's file as floating-point coordinates.

    Args:
        array: the value in the file; None if it is absent.
        shape: required shape; None accepts any length.
        where: file and location, for messages.
        remedy: end of a message: what the user can do.

    Raises:
        InputError: the value is not an array of numbers, has another shape, or is ``unusable``.
    """
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        kind = array.dtype if isinstance(array, np.ndarray) else "absent" if array is None else _kind(array)
        raise InputError(f"{where} is {kind}, expected an array of numbers; {remedy}")
    if len(shape) != array.ndim or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        expected = ", ".join("T" if want is None else str(want) for want in shape) + "," * (len(shape) == 1)
        raise InputError(f"{where} has shape {array.shape}, expected ({expected}); {remedy}")
    if problem := unusable(array):
        if array.ndim > 1:
            usable = (np.abs(array) <= LARGEST).reshape(len(array), -1).all(1)
            problem += f", first in frame {int(np.argmin(usable))}"
        raise InputError(f"{where} holds {problem}; {remedy}")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_keys(keys: Iterable[Any], held: Sized) -> None:
    """Validate new keys of a dict or members of a set before they are hashed.

    Args:
        keys: the new keys.
        held: the dict or set that receives them.

    Raises:
        NotPlain: a key is not plain or not hashable, or too many keys could collide.
    """
    keys = list(keys)
    if set(map(type, keys)) <= _SAFE_KEYS:
        return
    forgeable = sum(not _has_safe_hash(key) for key in keys)
    if forgeable and len(held) + forgeable > _FORGEABLE_KEYS:
        raise NotPlain(f"a dictionary or set of more than {_FORGEABLE_KEYS:,} keys that are no text and no index")


def check_plain(value: Any, file_bytes: int) -> None:
    """Check that a value is plain data.

    The time is linear in the size of the file: shared values are visited once.

    Args:
        value: the value that the file describes.
        file_bytes: size of the description.

    Raises:
        NotPlain: there is a value of another type, a container that contains itself, more than ``MOST_LEVELS`` levels,
            or the expanded size is too large.
    """
    most = _COPIES_BYTES + _COPIES_RATIO * file_bytes
    sizes: dict[int, int] = {}  # expanded size by identity of the container; 0 while its items are being visited
    path: list[tuple[Any, Any, int]] = []
    size, parts = _opened(value)
    while parts is not None:
        for part in parts:
            if type(part) in _ATOMS:
                size += _atom_size(part)
                continue
            known = sizes.get(id(part))
            if known == 0:
                raise NotPlain("a container that contains itself")
            if known is not None:
                size += known
                continue
            own, inner = _opened(part)
            if inner is None:
                size += own
                continue
            path.append((value, parts, size))
            if len(path) > MOST_LEVELS:
                raise NotPlain(f"containers inside each other, more than {MOST_LEVELS} levels deep")
            sizes[id(part)] = 0
            value, parts, size = part, inner, own
            break
        else:
            if size > most:
                raise NotPlain(f"shared parts that take {size:,} bytes when copied out; the limit is {most:,}")
            if not path:
                return
            sizes[id(value)] = size
            value, parts, before = path.pop()
            size += before


def _has_safe_hash(key: Any, level: int = 0) -> bool:
    kind = type(key)
    if kind in _SAFE_KEYS:
        return True
    if kind is int:
        # All hashes differ, but larger integers can be chosen to share the slots of a hash table.
        return abs(key) < _LEAST_FORGEABLE
    if kind is float or kind is complex or isinstance(key, np.generic):
        return False
    if kind in (tuple, frozenset) and level < _KEY_LEVELS and len(key) <= _KEY_PARTS:
        for part in key:
            _has_safe_hash(part, level + 1)
        return False
    raise NotPlain(f"a {_kind(key)} as a key of a dictionary or set")


def _opened(value: Any) -> tuple[int, Any]:
    """Size of a value without its items, and an iterator over the items; None if no item needs a visit."""
    kind = type(value)
    if kind in _ATOMS:
        return _atom_size(value), None
    if kind is np.ndarray:
        if value.dtype.kind != "O":
            return _ATOM_BYTES + value.nbytes, None
        items: Any = value.reshape(-1).tolist()
    elif kind is dict:
        items = list(chain(value.keys(), value.values()))
    elif kind in (list, tuple, set, frozenset):
        items = value
    elif isinstance(value, np.generic) and value.dtype.kind in "biufcSU":
        return _ATOM_BYTES + value.nbytes, None
    else:
        raise NotPlain(f"a {_kind(value)}, which is no plain value")
    size = _ATOM_BYTES * (1 + len(items))
    kinds = set(map(type, items))
    if kinds <= _TEXTS:
        size += sum(map(len, items))
    elif not kinds <= _ATOMS or kinds & _TEXTS:
        return size, iter(items)
    # Small leaves are not memorised, see _FEW.
    return size, None if len(items) <= _FEW else iter(())


def _atom_size(value: Any) -> int:
    return len(value) if type(value) in _TEXTS else 0


def _kind(value: Any) -> str:
    return getattr(value, "described", type(value).__name__)
