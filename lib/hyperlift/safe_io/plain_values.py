"""What counts as plain data, and how much of it a file may describe.

Plain are None, bool, int, float, complex, str, bytes, bytearray, NumPy scalars and arrays, and lists, tuples, sets and
dictionaries of plain values. A part may be shared by several wholes, as long as what follows from it, copied out,
stays in proportion to the file; no value may contain itself.
"""

from collections.abc import Iterable, Sequence, Sized
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float

MOST_LEVELS = 64
"""Containers inside each other; deeper ones overflow the stack of whoever compares, prints or hashes them."""
MOST_BITS = 256
"""Of an integer: float() takes it, and so does every message."""
LARGEST = 1e9
"""Of a coordinate, whatever its unit. Pixels, millimetres and metres stay far below, squares and float32 far above."""
_TEXTS = {str, bytes, bytearray}
_ATOMS = {NoneType, bool, int, float, complex, *_TEXTS}
_ATOM_BYTES = 32
_COPIES_BYTES = 2**29
_COPIES_RATIO = 16
"""Shared parts, copied out, may take this many bytes, and this many more for every byte of the file."""
_SAFE_KEYS = {str, bytes, NoneType, bool}
"""Their hashes cannot be forged to be equal: Python salts those of texts."""
_FORGEABLE_KEYS = 1000
"""Keys of other kinds that a dictionary or set may have; a file could have all of them collide, which takes quadratic
time."""
_LEAST_FORGEABLE = 2**24
"""Of an integer: so few below it share their places in a table of any size that the time stays linear."""
_KEY_LEVELS, _KEY_PARTS = 2, 16
"""Of a tuple that is a key: its hash is computed at each use."""
_FEW = 16


class NotPlain(ValueError):
    """Something that plain data never holds; the message says what."""


def unusable(array: np.ndarray) -> str | None:
    """What makes an array of numbers no coordinates; None where nothing does.

    Linear algebra may hang on values near the limit of floating-point numbers, so they end here.
    """
    if not array.size:
        return None
    low, high = float(array.min()), float(array.max())  # NaN where there is any
    if not np.isfinite([low, high]).all():
        return "NaN or infinite values"
    return None if low >= -LARGEST and high <= LARGEST else f"values beyond {LARGEST:.0e}"


def coordinates(array: object, shape: Sequence[int | None], where: str, remedy: str) -> Float[np.ndarray, "..."]:
    """An array of a user's file as floating-point coordinates.

    Args:
        array: what the file holds in that place; None where nothing is.
        shape: that it must have; None takes any length.
        where: file and place for the message.
        remedy: what to do about it, the end of the message.

    Raises:
        InputError: it is no array of numbers, has another shape, or is ``unusable``.
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
    """Refuse what may not be a key of a dictionary or a member of a set, before it is hashed.

    Args:
        keys: to be entered.
        held: the dictionary or set that they enter.

    Raises:
        NotPlain: a key that is no plain value, that cannot be hashed, or too many whose hashes could collide.
    """
    keys = list(keys)
    if set(map(type, keys)) <= _SAFE_KEYS:
        return
    forgeable = sum(not _has_safe_hash(key) for key in keys)
    if forgeable and len(held) + forgeable > _FORGEABLE_KEYS:
        raise NotPlain(f"a dictionary or set of more than {_FORGEABLE_KEYS:,} keys that are no text and no index")


def check_plain(value: Any, file_bytes: int) -> None:
    """Go through a value that was read and refuse what is not plain data.

    The time is linear in what the file holds: shared parts are looked at once.

    Args:
        value: what a file described.
        file_bytes: length of that description.

    Raises:
        NotPlain: a value of another type, one that contains itself, more than ``MOST_LEVELS`` levels, or shared parts
            that take up too much when they are copied out.
    """
    most = _COPIES_BYTES + _COPIES_RATIO * file_bytes
    sizes: dict[int, int] = {}  # of containers, copied out; 0 while its parts are being looked at
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
        # Each has a hash of its own, yet larger ones can be chosen to be sought in the same places of the table.
        return abs(key) < _LEAST_FORGEABLE
    if kind is float or kind is complex or isinstance(key, np.generic):
        return False
    if kind in (tuple, frozenset) and level < _KEY_LEVELS and len(key) <= _KEY_PARTS:
        for part in key:
            _has_safe_hash(part, level + 1)
        return False
    raise NotPlain(f"a {_kind(key)} as a key of a dictionary or set")


def _opened(value: Any) -> tuple[int, Any]:
    """Size of a value without its parts, and an iterator over those; None where nothing is left to look at."""
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
    # Nothing is remembered of a small leaf: there may be millions, and looking again costs nothing.
    return size, None if len(items) <= _FEW else iter(())


def _atom_size(value: Any) -> int:
    return len(value) if type(value) in _TEXTS else 0


def _kind(value: Any) -> str:
    return getattr(value, "described", type(value).__name__)
