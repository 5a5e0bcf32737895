"""Atomic writing: an output is written into a private folder beside its destination, then renamed.

The private folder has a random name and is accessible to this user only, so nobody can place a link in it, and two runs
never share one. Its name contains the mark of its process (``processes.ProcessMark``), so the next run that writes to
the same folder can remove the leftovers of a process that has ended.

A symbolic link at the destination is replaced; its target is unchanged, so a link cannot redirect an output. Links
among the parent folders are followed.
"""

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from hyperlift.errors import InputError
from hyperlift.files.processes import ProcessMark, own_mark

PARTIAL_MARK = ".partial"
"""Suffix of hidden folders with incomplete content."""

_LEFTOVER = re.compile(rf"\.hyperlift-([^.]+)\.[0-9a-f]+{re.escape(PARTIAL_MARK)}")
_OLD_S = 7 * 24 * 3600.0
"""Age in seconds after which leftovers of another machine are removed: whether its process is alive is unknown. Chosen:
a week, longer than a run writes one file."""
_MANY_FILES = 200
"""Number of files above which one ``sync`` of all disks replaces an ``fsync`` per file. Chosen: its time does not grow
with the number of files."""

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_PLACE = {errno.EROFS, errno.ENAMETOOLONG, *_FULL}
"""Errors that only writing causes: they concern the output even if they name no file."""
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF}


@contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Yield the path of an empty temporary file with the same name; rename it to ``path`` if the block succeeds.

    The folder is created if necessary. If the block raises, ``path`` is unchanged and nothing is left behind. The file
    gets the permissions of the file that it replaces, or those of a new file, and is flushed to the disk before the
    rename.

    Raises:
        InputError: the folder cannot be created or written, the disk is full, the name is too long, or ``path`` is not
            a regular file.
    """
    path = Path(path)
    _check_place(path)
    with _writing(path), private_folder(path.parent) as private:
        partial = private / path.name
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        mode = _mode(path) if path.is_file() and not path.is_symlink() else _mode(partial)
        yield partial
        if _mode(partial) != mode:  # some libraries replace the file, or restrict it to its owner
            partial.chmod(mode)
        sync(partial)
        os.replace(partial, path)
        sync(path.parent)


@contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Yield an empty temporary folder; rename it to ``path`` if the block succeeds.

    Raises:
        InputError: ``path`` already exists, its parent cannot be written, or the disk is full.
    """
    path = Path(path)
    if os.path.lexists(path):
        raise InputError(f"{path}: already exists; remove it or choose another output folder")
    with _writing(path), private_folder(path.parent) as private:
        partial = private / path.name
        partial.mkdir()
        yield partial
        sync_tree(partial)
        try:
            partial.rename(path)
        except OSError as error:
            if os.path.lexists(path):
                raise InputError(
                    f"{path}: another process has made it meanwhile; choose another output folder"
                ) from error
            raise
        sync(path.parent)


@contextmanager
def private_folder(parent: Path) -> Iterator[Path]:
    """Yield a new hidden folder in ``parent`` that only this user can access; remove it at the end of the block.

    ``parent`` is created if necessary, and leftovers of processes that have ended are removed.

    Raises:
        InputError: ``parent`` cannot be created or written.
    """
    make_folder(parent)
    remove_leftovers(parent)
    folder = parent / f".hyperlift-{own_mark()}.{secrets.token_hex(8)}{PARTIAL_MARK}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        refuse_place(parent, error)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the incomplete outputs of processes that have ended.

    Those of running processes are kept, and those of other machines for a week.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _LEFTOVER.fullmatch(entry.name)
            mark = ProcessMark.parse(found[1]) if found else None
            if mark is None or not entry.is_dir(follow_symlinks=False):
                continue
            alive = mark.alive
            if alive is None:
                alive = time.time() - entry.stat(follow_symlinks=False).st_mtime < _OLD_S
            if not alive:
                shutil.rmtree(entry.path, ignore_errors=True)


def check_output(path: Path | str) -> None:
    """Check in advance that a file can be written, without creating anything.

    Raises:
        InputError: the folder cannot be created or written, or ``path`` is not a regular file.
    """
    path = Path(path)
    _check_place(path)
    standing = next(folder for folder in path.absolute().parents if folder.exists())
    if not standing.is_dir():
        raise InputError(f"{standing}: is no folder; choose another output")
    if not os.access(standing, os.W_OK):
        raise InputError(f"{standing}: this folder is not writable; choose another output")


def make_folder(folder: Path) -> None:
    """Create a folder and its parents if necessary.

    Raises:
        InputError: the folder cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot create this folder ({error.strerror}); choose another output") from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: this folder is not writable; choose another output")


def sync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk.

    This does nothing where the system does not support it: folders on Windows, some network drives.

    Raises:
        OSError: the disk is full or defective; some systems report it only here.
    """
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush a folder and all its contents to the disk.

    Raises:
        OSError: as for ``sync``.
    """
    inside = sorted(folder.rglob("*"), reverse=True)  # contents before their folder
    if len(inside) > _MANY_FILES and hasattr(os, "sync"):
        os.sync()
        return
    for path in (*inside, folder):
        if not path.is_symlink():
            sync(path)


def refuse_place(path: Path, error: OSError) -> NoReturn:
    """Convert an error of the operating system about an output.

    Raises:
        InputError: always.
    """
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        raise InputError(f"{path}: cannot be written ({reason}); make room or choose another output") from error
    if error.errno == errno.ENAMETOOLONG:
        raise InputError(f"{path}: cannot be written ({reason}); choose a shorter name") from error
    raise InputError(f"{path}: cannot be written ({reason}); choose another output") from error


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Convert errors of the operating system about the output to ``InputError``; errors about other files pass."""
    try:
        yield
    except OSError as error:
        about = f"{error.filename}\0{error.filename2}"
        if error.errno in _PLACE or PARTIAL_MARK in about or str(path) in about:
            refuse_place(path, error)
        raise


def _check_place(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        raise InputError(f"{path.parent}: is no folder; choose another output") from error
    except OSError as error:
        refuse_place(path, error)
    if stat.S_ISDIR(mode):
        raise InputError(f"{path}: is a folder; move it away or choose another output")
    if not stat.S_ISREG(mode):  # a device would be replaced by a file
        raise InputError(f"{path}: is no regular file; choose another output")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
