"""Reads files that ``torch.save`` wrote: tensors and plain values, nothing that runs, no more than the file holds."""

import pickletools
import warnings
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any, cast
from zipfile import ZIP_STORED, ZipFile, is_zipfile

import torch

from hyperlift.errors import InputError, one_line

MOST_LEVELS = 100
"""Of values inside each other: Python computes the hash of a deeper key by overflowing its stack."""
_PICKLES_BEFORE_ZIP = 5
"""In the container from before torch 1.6: magic number, version, system, content, names of the storages."""
_REMEDY = "copy it again"


def load_weights_only(path: Path, device: torch.device | str = "cpu") -> Any:
    """The content of a file of ``torch.save``.

    Args:
        path: the file.
        device: where its tensors go.

    Raises:
        InputError: it is damaged or packed, or holds anything else than tensors and plain values.
    """
    try:
        _check_container(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of spellings that later versions of torch drop
            return torch.load(path, map_location=device, weights_only=True)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path") from error
    except Exception as error:  # torch raises many kinds, all of which mean that the file is not what it should be
        reason = one_line(str(error)) or type(error).__name__
        raise InputError(f"{path}: cannot be loaded as weights only ({reason}); {_REMEDY}") from error


def _check_container(path: Path) -> None:
    if not is_zipfile(path):
        with path.open("rb") as file:
            bounded = _Bounded(file, path.stat().st_size)
            for _ in range(_PICKLES_BEFORE_ZIP):
                _check_depth(bounded, path)
        return
    with ZipFile(path) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if unpacked > path.stat().st_size or any(member.compress_type != ZIP_STORED for member in members):
            sizes = f"{path.stat().st_size:,} to {unpacked:,} bytes"
            raise InputError(f"{path}: unpacks {sizes}; torch writes no packed files; {_REMEDY}")
        for member in members:
            if member.filename.endswith(".pkl"):
                with archive.open(member) as file:
                    _check_depth(_Bounded(file, member.file_size), path)


class _Bounded:
    """A file that is never asked for more than it holds: buffered ones take memory for all that is asked for."""

    def __init__(self, file: IO[bytes] | BufferedIOBase, size: int) -> None:
        self._file, self._size = file, size
        self.readline, self.tell = file.readline, file.tell

    def read(self, wanted: int) -> bytes:
        """At most so many bytes."""
        return self._file.read(max(0, min(wanted, self._size - self._file.tell())))


def _check_depth(file: _Bounded, path: Path) -> None:
    for level in _levels(file):
        if level > MOST_LEVELS:
            raise InputError(f"{path}: holds values more than {MOST_LEVELS} levels deep; {_REMEDY}")


def _levels(file: _Bounded) -> Iterator[int]:
    """Depth of each value that the instructions of a pickle make, without making it."""
    stack: list[int | None] = []  # None: a mark
    memo: dict[Any, int | None] = {}
    for opcode, argument, _ in pickletools.genops(cast(IO[bytes], file)):
        if opcode.name == "MARK":
            stack.append(None)
        elif "PUT" in opcode.name or opcode.name == "MEMOIZE":
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif "GET" in opcode.name:
            stack.append(memo[argument])
        else:
            taken = []
            if pickletools.markobject in opcode.stack_before:
                while (value := stack.pop()) is not None:
                    taken.append(value)
            taken += [stack.pop() for kind in opcode.stack_before if kind not in _MARKED]
            level = 1 + max((value or 0 for value in taken), default=0)
            yield level
            stack += [level] * len(opcode.stack_after)


_MARKED = (pickletools.markobject, pickletools.stackslice)
