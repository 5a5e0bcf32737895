"""Outputs appear whole or not at all: written in a folder of their own beside their place, then renamed into it.

That folder is new, has a random name and is open to this user alone: nobody can plant a link in it, and two runs never
share one. Its name says which process made it (``processes.ProcessMark``), so the next run that writes into the same
place can remove what a process that is gone left behind.

Where an output's place holds a symbolic link, the link is replaced; what it points to stays as it is. A link that
somebody planted can then never direct an output elsewhere. Links among the folders above it are followed.
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
"""Ends the names of hidden folders whose content is not whole yet."""

_LEFTOVER = re.compile(rf"\.hyperlift-([^.]+)\.[0-9a-f]+{re.escape(PARTIAL_MARK)}")
_OLD_S = 7 * 24 * 3600.0
"""Whether a process of another machine still lives cannot be seen; what it left is removed after a week."""
_MANY_FILES = 200
"""Above it, one sync of all disks takes less time than one of every file."""

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_PLACE = {errno.EROFS, errno.ENAMETOOLONG, *_FULL}
"""Faults that only writing has, so that the output is to blame wherever they come from."""
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF}


@contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Yield an empty temporary file with the same name elsewhere; rename it to ``path`` when the block succeeds.

    The folder is created if it is absent. When the block raises, nothing is left behind and what was at ``path`` stays.
    The file has the permissions of the one that it replaces, or those that any new file gets. It is on the disk, not
    only in memory, before it takes its place.

    Raises:
        InputError: the folder cannot be created or written, the disk is full, the name is too long, or something that
            is no file is in its place.
    """
    path = Path(path)
    _check_place(path)
    with _writing(path), private_folder(path.parent) as beside:
        partial = beside / path.name
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        mode = _mode(path) if path.is_file() and not path.is_symlink() else _mode(partial)
        yield partial
        if _mode(partial) != mode:  # some libraries replace the file, or write for its owner alone
            partial.chmod(mode)
        sync(partial)
        os.replace(partial, path)
        sync(path.parent)


@contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Yield an empty temporary folder; rename it to ``path`` when the block succeeds.

    Raises:
        InputError: ``path`` already exists, its parent cannot be written, or the disk is full.
    """
    path = Path(path)
    if os.path.lexists(path):
        raise InputError(f"{path}: already exists; remove it or choose another output folder")
    with _writing(path), private_folder(path.parent) as beside:
        partial = beside / path.name
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
    """Yield a new hidden folder in ``parent`` that this user alone can enter; it is removed at the end of the block.

    ``parent`` is created if it is absent. Such folders that processes left behind there are removed first.

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
    """Remove what processes that are gone left half-written in a folder.

    What a living process writes stays, and so does what one of another machine wrote less than a week ago.
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
    """Find out before the work whether a file can be written; creates nothing.

    Raises:
        InputError: the folder cannot be created or written, or something that is no file stands in the file's place.
    """
    path = Path(path)
    _check_place(path)
    standing = next(folder for folder in path.absolute().parents if folder.exists())
    if not standing.is_dir():
        raise InputError(f"{standing}: is no folder; choose another output")
    if not os.access(standing, os.W_OK):
        raise InputError(f"{standing}: this folder is not writable; choose another output")


def make_folder(folder: Path) -> None:
    """Create a folder, and those above it, where they are absent.

    Raises:
        InputError: it cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot create this folder ({error.strerror}); choose another output") from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: this folder is not writable; choose another output")


def sync(path: Path) -> None:
    """Wait until a file, or the list of names of a folder, is on the disk.

    Nothing happens where the system has no such thing: folders on Windows, some network drives.

    Raises:
        OSError: the disk is full or broken; some systems tell it only here.
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
    """Wait until a folder is on the disk with everything in it.

    Raises:
        OSError: as ``sync``.
    """
    inside = sorted(folder.rglob("*"), reverse=True)  # what is in a folder before the folder
    if len(inside) > _MANY_FILES and hasattr(os, "sync"):
        os.sync()
        return
    for path in (*inside, folder):
        if not path.is_symlink():
            sync(path)


def refuse_place(path: Path, error: OSError) -> NoReturn:
    """Say what keeps an output from being written.

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
    """What the system says against writing becomes one line about the output; what it says of other files stays."""
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
