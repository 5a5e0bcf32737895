"""Read arrays from MATLAB files, with memory bounded by the size of the file."""

import math
import struct
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.readers import reader
from hyperlift.safe_io.npz import FREE_BYTES, RATIO
from hyperlift.safe_io.pickle_arrays import MOST_AXES

# Constants of the MATLAB 5 format (MathWorks 2024): sizes, element types, number types and array classes.
_HEADER_BYTES, _TAG_BYTES = 128, 8
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
# Element types of numbers, as NumPy types.
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CELL, _NUMBERS, _COMPLEX = 1, range(6, 16), 0x800
_REMEDY = "copy the file again as the data set has it"


@reader("MATLAB 5 file", remedy=_REMEDY)
def load_mat5(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """Read variables of a MATLAB 5 file: arrays of real numbers, or cell arrays of them as object arrays.

    Names that the file does not contain are omitted. SciPy's reader crashes on damaged files, so this module implements
    the required subset of "Level 5 MAT-File Format" (MATLAB MAT-File Format, MathWorks 2024).

    Raises:
        InputError: the file is absent, damaged or of another version, or describes more data than it contains.
    """
    try:
        return _read_mat5(path, names)
    except InputError:
        raise
    except Exception as error:  # a damaged file can raise anything at all
        reason = f"{type(error).__name__}: {one_line(str(error))}"
        raise InputError(f"{path}: no MATLAB 5 file or a damaged one ({reason}); {_REMEDY}") from error


@reader("MATLAB 7.3 file", remedy=_REMEDY)
def load_mat73(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """Read numeric arrays of a MATLAB 7.3 file (HDF5) as float64, with the axis order of HDF5.

    Raises:
        InputError: the file is absent, damaged or of another version, refers to other files, or describes more data
            than it contains.
    """
    try:
        if not path.is_file() or not h5py.is_hdf5(path):
            raise InputError(f"{path}: no MATLAB 7.3 file (HDF5); {_REMEDY}")
        with h5py.File(path, "r") as file:
            return {name: _dataset(file, name, path) for name in names}
    except InputError:
        raise
    except Exception as error:  # a damaged file can raise anything at all
        reason = f"{type(error).__name__}: {one_line(str(error))}"
        raise InputError(f"{path}: damaged MATLAB 7.3 file ({reason}); {_REMEDY}") from error


def _dataset(file: h5py.File, name: str, path: Path) -> np.ndarray:
    # A link or a virtual data set can refer to another file, which the user did not name.
    inside = isinstance(file.get(name, getlink=True), h5py.HardLink)
    data = file.get(name) if inside else None
    if not isinstance(data, h5py.Dataset) or data.is_virtual or data.external:
        raise InputError(f"{path}: {name} is absent or no array of numbers; {_REMEDY}")
    if data.dtype.kind not in "fiub" or data.dtype.itemsize > 8 or not data.size:
        raise InputError(f"{path}: {name} is absent or no array of numbers; {_REMEDY}")
    limit, wanted = FREE_BYTES + RATIO * path.stat().st_size, 8 * math.prod(data.shape)
    if wanted > limit:
        raise InputError(f"{path}: {name} takes {wanted:,} bytes; the limit for a file of this size is {limit:,}")
    return np.asarray(data[()], np.float64)


class _Mat5:
    """Parser of one MATLAB 5 element, which is in memory; values are views of it."""

    def __init__(self, content: bytes | memoryview, order: str) -> None:
        self.rest, self.order = memoryview(content), order

    def element(self) -> tuple[int, memoryview]:
        """Type and content of the next sub-element."""
        kind, length = struct.unpack_from(f"{self.order}II", self.rest)
        if kind >> 16:  # small data element format: the content is inside the tag
            kind, length, start, end = kind & 0xFFFF, kind >> 16, _TAG_BYTES // 2, _TAG_BYTES
        else:
            start, end = _TAG_BYTES, _TAG_BYTES + -(-length // 8) * 8
        content = self.rest[start : start + length]
        if len(content) != length:
            raise ValueError(f"a part of {length:,} bytes where {len(content):,} are left")
        self.rest = self.rest[end:]
        return kind, content

    def of_kind(self, wanted: int) -> memoryview:
        """Content of the next sub-element, which must have this type."""
        kind, content = self.element()
        if kind != wanted:
            raise ValueError(f"a part of type {kind} where type {wanted} should be")
        return content

    def name_and_value(self, names: Collection[str], level: int = 0) -> tuple[str, np.ndarray | None]:
        """Parse a matrix of numbers or a cell array of such; the value is None if the name is not in ``names``.

        Args:
            names: variables to read.
            level: 0 for a variable, 1 for a cell.
        """
        (flags,) = struct.unpack_from(f"{self.order}I", self.of_kind(_UINT32))
        dimensions = self.of_kind(_INT32)
        shape = struct.unpack(f"{self.order}{len(dimensions) // 4}i", dimensions)
        name = bytes(self.of_kind(_INT8)).decode("latin1")
        if level == 0 and name not in names:
            return name, None
        matlab_class, count = flags & 0xFF, math.prod(shape)
        if min(shape, default=-1) < 0 or len(shape) > MOST_AXES or flags & _COMPLEX:
            raise ValueError(f"{name}: an array of shape {quoted(shape)}, or of complex numbers")
        if matlab_class in _NUMBERS:
            kind, content = self.element()
            if kind not in _STORED or len(content) != count * np.dtype(_STORED[kind]).itemsize:
                raise ValueError(f"{name}: {count:,} numbers in {len(content):,} bytes of type {kind}")
            stored = np.frombuffer(content, np.dtype(_STORED[kind]).newbyteorder(cast(Any, self.order)))
            return name, stored.reshape(shape, order="F")
        if matlab_class != _CELL or level or count > len(self.rest) // _TAG_BYTES:
            raise ValueError(
                f"{name}: {count:,} values in {len(self.rest):,} bytes; numbers or cells of numbers are read"
            )
        cells = np.empty(count, object)
        for number in range(count):
            cells[number] = _Mat5(self.of_kind(_MATRIX), self.order).name_and_value(names, 1)[1]
        return name, cells.reshape(shape, order="F")


def _read_mat5(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    size = path.stat().st_size
    limit = FREE_BYTES + RATIO * size
    found: dict[str, np.ndarray] = {}
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
        if order is None or header[124:126] != struct.pack(f"{order}H", 0x0100):
            raise ValueError("no header of version 5")
        unpacked = 0
        while tag := file.read(_TAG_BYTES):
            kind, length = struct.unpack(f"{order}II", tag)
            if length > size - file.tell():
                raise ValueError(f"an element of {length:,} bytes goes beyond the file's end")
            content = file.read(length)
            if kind == _COMPRESSED:
                content = zlib.decompressobj().decompress(content, limit - unpacked + 1)
                unpacked += len(content)
                if unpacked > limit:
                    raise InputError(f"{path}: unpacks to more than {limit:,} bytes, the limit for a file of its size")
                content = _Mat5(content, order).of_kind(_MATRIX)
            elif kind != _MATRIX:
                continue
            name, value = _Mat5(content, order).name_and_value(names)
            if value is not None:
                found[name] = value
    return found
