"""Read ``.npz`` and ``.npy`` files; headers are validated before memory is allocated.

Arrays contain numbers, booleans or fixed-width strings; if the caller allows it, also Python objects, which
``safe_io.pickles`` reads. An array never takes more bytes than its member contains, and a file never unpacks to more
than ``FREE_BYTES`` plus ``RATIO`` times its size.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.readers import reader
from hyperlift.safe_io.pickle_arrays import MOST_AXES, MOST_EMPTY, check_elements
from hyperlift.safe_io.pickles import unpickle
from hyperlift.safe_io.plain_values import NotPlain

FREE_BYTES, RATIO = 2**28, 100
"""A file unpacks to at most ``FREE_BYTES`` (256 MB) plus ``RATIO`` bytes per byte of the file. Chosen: measured
coordinates do not compress 100-fold; arrays of constants do, and fit into ``FREE_BYTES``."""
_DEFLATE_RATIO = 1100
"""Upper bound of the compression ratio of Deflate, whose maximum is 1032 (zlib technical details)."""
_ENCRYPTED = 1
"""Bit 0 of the flags of a ZIP member (APPNOTE 4.4.4)."""
_CHUNK_BYTES = 2**20
"""Bytes per read. Chosen: an array that is cut off costs at most 1 MB of reading beyond its end."""
# Headers of version 3 differ from 2 only in the encoding of field names, and structured types are rejected.
_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,
}
_REMEDY = "copy or make it again"


class Npz:
    """An open ``.npz``: the names of its arrays, which are read on request."""

    def __init__(self, archive: ZipFile, path: Path) -> None:
        self._archive, self.path = archive, path
        self._members: dict[str, ZipInfo] = {}
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in self._members:
                raise InputError(f"{path}: holds two arrays {quoted(name)}; {_REMEDY}")
            if name != member.filename:
                self._members[name] = member
        self._limit = FREE_BYTES + RATIO * path.stat().st_size
        self._unpacked: dict[str, int] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def read(self, name: str, objects: bool = False) -> np.ndarray:
        """Read one array.

        Args:
            name: see above.
            objects: True allows Python objects that are plain data.

        Raises:
            KeyError: the file has no array of this name.
            InputError: the array is damaged, has an unsupported type, or exceeds the memory limit of the file.
        """
        member, where = self._members[name], f"{self.path}: array {quoted(name)}"
        self._unpacked[name] = member.file_size
        self._check(member, where)
        try:
            with self._archive.open(member) as file:
                return _read(file, member.file_size, where, objects)
        except InputError:
            raise
        except Exception as error:  # a damaged member can raise any exception
            raise InputError(f"{where} is damaged ({_reason(error)}); {_REMEDY}") from error

    def _check(self, member: ZipInfo, where: str) -> None:
        if member.flag_bits & _ENCRYPTED or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise InputError(f"{where} is encrypted or packed in a way that NumPy does not write; {_REMEDY}")
        impossible = member.file_size > _DEFLATE_RATIO * (member.compress_size + 1)
        if impossible or sum(self._unpacked.values()) > self._limit:
            raise InputError(
                f"{where} unpacks {member.compress_size:,} to {member.file_size:,} bytes; the limit for a file of this "
                f"size is {self._limit:,}. Do not trust this file, or save its arrays without compression"
            )


@contextmanager
def open_npz(path: Path | str) -> Iterator[Npz]:
    """Open an ``.npz`` for a with block.

    Raises:
        InputError: the file is absent, damaged or not an ``.npz``.
    """
    path = Path(path)
    with _opened(path, ".npz", _archive) as archive:
        yield Npz(archive, path)


@reader("npz")
def load_npz(path: Path | str) -> dict[str, np.ndarray]:
    """Read all arrays of an ``.npz`` without objects.

    Raises:
        InputError: as for ``open_npz`` and ``Npz.read``.
    """
    with open_npz(path) as stored:
        return {name: stored.read(name) for name in stored}


@reader("npz with objects")
def load_npz_array(path: Path | str, name: str) -> np.ndarray:
    """Read one array of an ``.npz``, which may contain objects that are plain data.

    Raises:
        InputError: the file is absent, damaged or not an ``.npz``, has no array of this name, or its objects are not
            plain data.
    """
    with open_npz(path) as stored:
        if name not in stored:
            raise InputError(f"{path}: has no array {quoted(name)}; it has {one_line(', '.join(stored)) or 'none'}")
        return stored.read(name, objects=True)


@reader("npy")
def load_npy(path: Path | str, memory_map: bool = False) -> np.ndarray:
    """Read a ``.npy`` file.

    Args:
        path: the file.
        memory_map: return a memory map; the elements of strings and booleans are not checked.

    Raises:
        InputError: the file is absent, damaged or not a ``.npy``, or its size differs from its header.
    """
    path = Path(path)
    with _opened(path, ".npy", lambda file: file) as file:
        size = path.stat().st_size
        if not memory_map:
            return _read(file, size, str(path), objects=False)
        shape, order, dtype = _header(file, size, str(path), objects=False)
        if not math.prod(shape):
            return np.zeros(shape, dtype)
        return np.memmap(path, dtype, "r", file.tell(), shape, order)  # pyright: ignore[reportArgumentType]


def _archive(file: IO[bytes]) -> ZipFile:
    if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
        raise InputError("a single array; save it under a name, as .npz")
    return ZipFile(file)


@contextmanager
def _opened(path: Path, kind: str, make: Callable[[Any], Any]) -> Iterator[Any]:
    """Open a file and convert errors of the operating system and of the archive directory to ``InputError``."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    with file:
        try:
            made = make(file)
        except Exception as error:  # a damaged directory can raise any exception
            raise InputError(f"{path}: damaged or no {kind} ({_reason(error)}); {_REMEDY}") from error
        yield made


def _read(file: IO[bytes] | BufferedIOBase, size: int, where: str, objects: bool) -> np.ndarray:
    shape, order, dtype = _header(file, size, where, objects)
    if dtype.kind == "O":
        array = unpickle(file, size - file.tell(), where)
        if not isinstance(array, np.ndarray):
            raise InputError(f"{where}: objects that are a {type(array).__name__} and no array; {_REMEDY}")
        return array
    array = np.empty(math.prod(shape), dtype)
    memory = array.view(np.uint8).data if array.nbytes else memoryview(b"")
    for start in range(0, len(memory), _CHUNK_BYTES):
        part = file.read(min(_CHUNK_BYTES, len(memory) - start))
        memory[start : start + len(part)] = part
        if not part:
            raise InputError(f"{where}: ends after {start:,} of {len(memory):,} bytes; {_REMEDY}")
    try:
        check_elements(dtype, memory)
    except NotPlain as error:
        raise InputError(f"{where}: holds {error}; {_REMEDY}") from error
    return array.reshape(shape, order=order)


def _header(
    file: IO[bytes] | BufferedIOBase, size: int, where: str, objects: bool
) -> tuple[tuple[int, ...], Any, np.dtype]:
    """Shape, order and type of an array; afterwards the file is positioned at the data, whose length has been
    checked."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about headers written by Python 2
            shape, fortran, dtype = _HEADER_READERS[np.lib.format.read_magic(file)](file)
    except Exception as error:  # a damaged header can raise any exception
        raise InputError(f"{where}: damaged or no NumPy array ({_reason(error)}); {_REMEDY}") from error
    kinds = "biufcSUO" if objects else "biufcSU"
    if dtype.kind not in kinds or dtype.names or dtype.subdtype or dtype.metadata:
        what = "objects" if dtype.hasobject else one_line(str(dtype))
        raise InputError(f"{where}: an array of {what}; save plain arrays of numbers or texts")
    if len(shape) > MOST_AXES or any(type(length) is not int or length < 0 for length in shape):
        raise InputError(f"{where}: an array of shape {quoted(shape)}; {_REMEDY}")
    held, elements = size - file.tell(), math.prod(shape)
    if dtype.kind != "O" and elements * dtype.itemsize != held:
        wanted = f"{elements * dtype.itemsize:,} bytes, the file has {held:,}"
        raise InputError(f"{where}: {dtype} {quoted(shape)} takes {wanted}; {_REMEDY}")
    if not held and max(elements, *shape, 0) > MOST_EMPTY:
        raise InputError(f"{where}: an empty array of shape {quoted(shape)}; the limit is {MOST_EMPTY:,}")
    return shape, "F" if fortran else "C", dtype


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {one_line(str(error))}".removesuffix(": ")
