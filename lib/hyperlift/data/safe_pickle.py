"""Reads pickles that came from somewhere else: arrays, numbers, strings and plain containers, nothing that
runs.

A pickle is a program. What it may call is named in one table here; every other global stops the reading.
"""

import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy._core import multiarray, numeric

from hyperlift.errors import InputError


def _dtype(spec: str, align: bool | int = False, copy: bool | int = False) -> np.dtype:
    # Files of NumPy before 1.20 hold 0 and 1 here, which NumPy 2.4 warns of.
    return np.dtype(spec, align=bool(align), copy=bool(copy))


def _latin1_bytes(text: str, encoding: str) -> bytes:
    # How protocols below 3 spell bytes. The real codecs.encode would also run compression and user codecs.
    if encoding != "latin1":
        raise ValueError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


_NUMPY: dict[str, Any] = {
    "multiarray._reconstruct": multiarray._reconstruct,  # pyright: ignore[reportAttributeAccessIssue]
    "multiarray.scalar": multiarray.scalar,  # pyright: ignore[reportAttributeAccessIssue]
    "numeric._frombuffer": numeric._frombuffer,  # pyright: ignore[reportAttributeAccessIssue]
}

_ADMITTED: dict[str, Callable[..., Any]] = {
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": _dtype,
    **{f"numpy.core.{name}": function for name, function in _NUMPY.items()},
    **{f"numpy._core.{name}": function for name, function in _NUMPY.items()},
    "collections.OrderedDict": OrderedDict,
    "_codecs.encode": _latin1_bytes,
    **{
        f"{module}.{kind.__name__}": kind
        for module in ("builtins", "__builtin__")
        for kind in (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
    },
}


class _DataUnpickler(pickle.Unpickler):
    """Resolves the admitted globals from the table and imports nothing."""

    def __init__(self, file: Any, path: Path) -> None:
        # latin1: the only encoding in which Python 2's byte strings carry both names and NumPy buffers.
        super().__init__(file, encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        """The admitted callable of that name; anything else is refused."""
        full_name = f"{module}.{name}"
        if full_name not in _ADMITTED:
            raise InputError(
                f"{self._path}: this pickle wants to use {full_name}, which plain data never needs; "
                "only NumPy arrays, numbers, strings and plain containers are read. Do not trust this file"
            )
        return _ADMITTED[full_name]

    def persistent_load(self, pid: Any) -> NoReturn:
        """Refused: plain data holds no references to things outside the file."""
        raise InputError(f"{self._path}: this pickle refers to an object outside itself; only plain data is read")


def unpickle_data(file: IO[bytes] | BufferedIOBase, path: Path) -> Any:
    """Read plain data from an open file, as ``load_pickle`` does.

    Args:
        file: at the pickle's first byte.
        path: the file's name for messages.

    Raises:
        InputError: it wants anything else than plain data. Damaged pickles raise what they raise.
    """
    with warnings.catch_warnings():
        # Old files spell dtypes in ways that NumPy deprecates; no reader of a file can mend that.
        warnings.simplefilter("ignore")
        return _DataUnpickler(file, path).load()


def load_pickle(path: Path | str) -> Any:
    """Read a pickle of NumPy arrays, numbers, strings, lists, tuples, dicts and sets (protocols 0 to 5).

    Files of Python 2 and of NumPy 1 and 2 are read alike. Nothing else in a pickle is ever resolved or
    called.

    Raises:
        InputError: the file is absent, damaged or no pickle, or it wants anything else than plain data.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return unpickle_data(file, path)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:  # a damaged pickle can raise anything at all
        raise InputError(
            f"{path}: damaged or no pickle ({type(error).__name__}: {_first_line(error)}); copy or make it again"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
