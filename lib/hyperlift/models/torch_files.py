"""Reads ``torch.save`` files safely: no code runs, and memory is bounded by the size of the file."""

import pickletools
import warnings
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any, cast
from zipfile import ZIP_STORED, ZipFile, is_zipfile

import torch

from hyperlift.errors import InputError, one_line

MAX_NESTING = 100
"""Depth of nested values. Chosen: far above that of any checkpoint. Python overflows its stack when it hashes a very
deep tuple."""
_ARGUMENTS, _ARGUMENTS_PER_BYTE = 2**22, 8
"""Budget of characters and values passed to calls: a base, and an amount per byte of the file. Chosen: torch copies
arguments at each call, so that a few bytes that repeat a memo reference could fill the memory."""
_PICKLES_BEFORE_ZIP = 5
"""Pickles in the container before torch 1.6: magic number, version, system, content, names of the storages."""
_REMEDY = "copy it again"


def load_weights_only(path: Path, device: torch.device | str = "cpu") -> Any:
    """Read a ``torch.save`` file.

    Args:
        path: the file.
        device: device of the returned tensors.

    Raises:
        InputError: the file is damaged or compressed, or holds objects other than tensors and plain values.
    """
    try:
        _check_container(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecation warnings about the spelling of old files
            return torch.load(path, map_location=device, weights_only=True)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path") from error
    except Exception as error:  # torch raises many types for a damaged file
        # The message of torch starts with advice to load the file unsafely; only the reason after it is kept.
        reason = (
            one_line(str(error).rpartition("WeightsUnpickler error: ")[2].partition(". Please use ")[0])
            or type(error).__name__
        )
        raise InputError(f"{path}: cannot be loaded as weights only ({reason}); {_REMEDY}") from error


def _check_container(path: Path) -> None:
    if not is_zipfile(path):
        with path.open("rb") as file:
            bounded = _Bounded(file, path.stat().st_size)
            for _ in range(_PICKLES_BEFORE_ZIP):
                _check_instructions(bounded, path)
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
                    _check_instructions(_Bounded(file, member.file_size), path)


class _Bounded:
    """Limits reads to the bytes that remain: a buffered file allocates as much as a read asks for."""

    def __init__(self, file: IO[bytes] | BufferedIOBase, size: int) -> None:
        self._file, self._size = file, size
        self.readline, self.tell = file.readline, file.tell

    def read(self, wanted: int) -> bytes:
        """Read at most ``wanted`` bytes."""
        return self._file.read(max(0, min(wanted, self._size - self._file.tell())))


def _check_instructions(file: _Bounded, path: Path) -> None:
    arguments = 0
    for name, argument, value in _values(file):
        if value.level > MAX_NESTING:
            raise InputError(f"{path}: holds values more than {MAX_NESTING} levels deep; {_REMEDY}")
        if name == "GLOBAL" and argument.endswith(" bytearray"):
            raise InputError(f"{path}: cannot be loaded as weights only (it asks for memory by bytearray); {_REMEDY}")
        arguments += value.weight if name == "REDUCE" else 0
        if arguments > _ARGUMENTS + _ARGUMENTS_PER_BYTE * file.tell():
            raise InputError(f"{path}: its calls are given more than a file of this size may hold; {_REMEDY}")


class _Value:
    """Size of a pickled value, without building it: nesting level, and number of characters and values in it."""

    __slots__ = ("level", "weight")

    def __init__(self, level: int, weight: int) -> None:
        self.level, self.weight = level, weight


def _values(file: _Bounded) -> Iterator[tuple[str, Any, _Value]]:
    """Yield name, argument and resulting value of each pickle instruction that creates or extends a value."""
    stack: list[_Value | None] = []  # None is a mark
    memo: dict[Any, _Value | None] = {}
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
            known = [value for value in taken if value is not None]
            level = 1 + max((value.level for value in known), default=0)
            own = len(argument) if isinstance(argument, str | bytes) else 1
            weight = min(own + sum(value.weight for value in known), _MAX_WEIGHT)
            if opcode.name in _FILLING and known:
                made = known[-1]  # the memo may hold it already
                made.level, made.weight = level, weight
            else:
                made = _Value(level, weight)
            yield opcode.name, argument, made
            stack += [made] * len(opcode.stack_after)


_MARKED = (pickletools.markobject, pickletools.stackslice)
_FILLING = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"}
_MAX_WEIGHT = 2**60
"""Weights saturate here, far above every budget, so that integers stay small when values contain each other."""
