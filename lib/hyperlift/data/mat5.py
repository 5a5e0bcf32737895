"""Cells of numbers in a MATLAB 5 file, read here: SciPy's reader, which is compiled, crashes on damaged files.

The layout is that of MathWorks' "MAT-File Format": a header of 128 bytes, then elements of a type, a size and data. A
matrix is an element that holds others: flags, dimensions, name, and its numbers or, of a cell, further matrices. Every
size is checked against what is there before anything is made of it.
"""

import math
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_CELL = 1
_NUMERIC_CLASSES = range(6, 16)
_COMPLEX = 0x0800
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_FIRST_BYTES = 512
"""Of a compressed variable, to see its name."""
_MOST_RATIO, _FREE_BYTES = 100, 2**26
_MOST_CELLS = 1000


class _Damaged(Exception):
    """Says what does not fit."""


@dataclass(frozen=True)
class _Element:
    kind: int
    data: memoryview


def read_cells(path: Path, names: Collection[str]) -> dict[str, list[np.ndarray]]:
    """The arrays in cells, column after column, of the variables that are named and there.

    Variables that are no cells of real numbers are left out, as are all others.

    Raises:
        InputError: no such file, no MATLAB 5 file, or a damaged one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); copy it again") from error
    mark = content[_HEADER - 2 : _HEADER]
    if mark not in (b"IM", b"MI"):
        raise InputError(f"{path}: no MATLAB 5 file; copy it again as the data set has it")
    order = "<" if mark == b"IM" else ">"
    found: dict[str, list[np.ndarray]] = {}
    try:
        for element in _elements(memoryview(content)[_HEADER:], order):
            name, parts = _variable(element, order, names)
            if name in names and parts is not None:
                found[name] = parts
    except _Damaged as error:
        raise InputError(f"{path}: damaged MATLAB 5 file ({error}); copy it again") from error
    return found


def _elements(data: memoryview, order: str) -> Iterator[_Element]:
    start = 0
    while start + 8 <= len(data):
        kind, size = np.frombuffer(data[start : start + 8], f"{order}u4").tolist()
        if kind >> 16:  # a small one: its size beside its type, at most four bytes of data in the place of the size
            first, kind, size, after = start + 4, kind & 0xFFFF, kind >> 16, start + 8
            if size > 4:
                raise _Damaged(f"a small part of {size} bytes")
        else:
            first, after = start + 8, start + 8 + size + (0 if kind == _COMPRESSED else -size % 8)
            if size > len(data) - first:
                raise _Damaged(f"a part of {size:,} bytes where {len(data) - first:,} are left")
        yield _Element(kind, data[first : first + size])
        start = after


def _variable(element: _Element, order: str, names: Collection[str]) -> tuple[str, list[np.ndarray] | None]:
    data = element.data
    if element.kind == _COMPRESSED:
        head = _inflated(data, _FIRST_BYTES)
        # The tag of the matrix within; its size is that of the whole.
        if _name(memoryview(head)[8:], order) not in names:
            return "", None
        whole = memoryview(_inflated(data, _FREE_BYTES + _MOST_RATIO * len(data)))
        element = next(_elements(whole, order), element)
        data = element.data
    name = _name(data, order) if element.kind == _MATRIX else ""
    if name not in names:
        return "", None
    shape, flags, parts = _matrix(data, order)
    if flags & 0xFF != _CELL:
        return name, None
    if math.prod(shape) > _MOST_CELLS:
        raise _Damaged(f"{name} has {math.prod(shape):,} cells")
    arrays = [_array(part, order) for part in parts]
    if len(arrays) != math.prod(shape):
        raise _Damaged(f"{name} has {len(arrays)} of {math.prod(shape)} cells")
    return name, arrays


def _inflated(data: memoryview, most: int) -> bytes:
    machine = zlib.decompressobj()
    try:
        made = machine.decompress(data, most)
    except zlib.error as error:
        raise _Damaged(f"a variable cannot be unpacked, {error}") from error
    if len(made) == most and most > _FIRST_BYTES:
        raise _Damaged(f"a variable of {len(data):,} bytes unpacks to more than {most:,}")
    return made


def _name(data: memoryview, order: str) -> str:
    """Of a matrix, whose first three parts are flags, dimensions and name."""
    parts = _elements(data, order)
    try:
        head = list(islice(parts, 3))
    except _Damaged:  # only the beginning of it may be here
        return ""
    return bytes(head[2].data).decode("latin-1") if len(head) == 3 else ""


def _matrix(data: memoryview, order: str) -> tuple[tuple[int, ...], int, Iterator[_Element]]:
    """Shape and flags of a matrix, and the parts behind its name."""
    parts = _elements(data, order)
    head = [next(parts, None) for _ in range(3)]
    flags, dimensions = head[0], head[1]
    if flags is None or dimensions is None or head[2] is None or len(flags.data) < 4 or len(dimensions.data) % 4:
        raise _Damaged("a matrix without flags, dimensions or name")
    shape = tuple(np.frombuffer(dimensions.data, f"{order}i4").tolist())
    if len(shape) < 2 or min(shape) < 0:
        raise _Damaged(f"a matrix of the shape {shape[:8]}")
    return shape, int(np.frombuffer(flags.data[:4], f"{order}u4")[0]), parts


def _array(element: _Element, order: str) -> np.ndarray:
    if element.kind != _MATRIX:
        raise _Damaged("a cell holds no matrix")
    if not len(element.data):
        return np.empty((0, 0))
    shape, flags, parts = _matrix(element.data, order)
    numbers = next(parts, None)
    if flags & 0xFF not in _NUMERIC_CLASSES or flags & _COMPLEX or numbers is None or numbers.kind not in _NUMBERS:
        raise _Damaged("a cell holds no matrix of real numbers")
    dtype = np.dtype(f"{order}{_NUMBERS[numbers.kind]}")
    if math.prod(shape) * dtype.itemsize != len(numbers.data):
        raise _Damaged(f"a matrix of the shape {shape[:8]} holds {len(numbers.data):,} bytes")
    return np.frombuffer(numbers.data, dtype).reshape(shape, order="F")
