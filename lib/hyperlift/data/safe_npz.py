"""Reads one array of an ``.npz`` whose arrays may hold pickled Python objects, through the restricted unpickler.

NumPy reads such arrays with ``allow_pickle`` only, which runs whatever the file says.
"""

from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from hyperlift.data.safe_pickle import unpickle
from hyperlift.errors import InputError


def load_npz_array(path: Path | str, name: str) -> np.ndarray:
    """Read one array: numbers and strings as they are, objects if they are plain data.

    Raises:
        InputError: the file is absent, damaged or no ``.npz``, has no such array, or its objects want anything else
            than plain data.
    """
    path = Path(path)
    try:
        with ZipFile(path) as archive:
            members = archive.namelist()
            if f"{name}.npy" not in members:
                present = ", ".join(member.removesuffix(".npy") for member in members)
                raise InputError(f"{path}: has no array {name!r}; it has {present}")
            with archive.open(f"{name}.npy") as file:
                return _read_array(file, path)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path") from error
    except BadZipFile as error:
        raise InputError(f"{path}: damaged or no .npz; copy or make it again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # a damaged pickle can raise anything at all
        raise InputError(f"{path}: damaged array {name!r} ({type(error).__name__}); copy or make it again") from error


def _read_array(file: IO[bytes] | BufferedIOBase, path: Path) -> Any:
    if not _holds_objects(file):
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    array = unpickle(file, 10**9, str(path))
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: an array of objects holds a {type(array).__name__}; copy or make it again")
    return array


def _holds_objects(file: IO[bytes] | BufferedIOBase) -> bool:
    """Read the header; the file then stands at the data."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, dtype = read_header(file)
    return dtype.hasobject
