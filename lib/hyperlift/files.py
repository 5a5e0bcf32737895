"""Outputs appear whole or not at all: written beside their place, then renamed into it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from hyperlift.errors import InputError

PARTIAL_MARK = ".partial"
"""Stands in the names of hidden files that are not whole yet."""


@contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path with the same suffix in the same folder; rename it to ``path`` when the block succeeds.

    The folder is created if it is absent. When the block raises, nothing is left behind.

    Raises:
        InputError: the folder cannot be created or written.
    """
    path = Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}{PARTIAL_MARK}{path.suffix}")
    _make_folder(path.parent)
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        with suppress(FileNotFoundError):
            partial.unlink()
        raise


@contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Yield an empty temporary folder; rename it to ``path`` when the block succeeds.

    Raises:
        InputError: ``path`` already exists, or its parent cannot be written.
    """
    path = Path(path)
    if path.exists():
        raise InputError(f"{path}: already exists; remove it or choose another output folder")
    _make_folder(path.parent)
    partial = Path(mkdtemp(prefix=f".{path.name}{PARTIAL_MARK}.", dir=path.parent))
    try:
        yield partial
        partial.chmod(0o755)
        os.replace(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def check_output(path: Path | str) -> None:
    """Find out before the work whether a file can be written; creates nothing.

    Raises:
        InputError: the folder cannot be created or written, or a folder stands in the file's place.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; move it away or choose another output")
    standing = next(folder for folder in path.absolute().parents if folder.exists())
    if not standing.is_dir():
        raise InputError(f"{standing}: is no folder; choose another output")
    if not os.access(standing, os.W_OK):
        raise InputError(f"{standing}: this folder is not writable; choose another output")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot create this folder ({error.strerror}); choose another output") from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: this folder is not writable; choose another output")
