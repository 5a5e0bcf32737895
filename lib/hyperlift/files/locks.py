"""Folder locks: one run at a time writes to a folder; other runs fail or wait.

A lock is a file in the folder that names the process that holds it. It is removed at the end of the run, also after
Ctrl-C. On the same machine, the lock of a killed process is taken over. Whether a process of another machine is alive
is unknown, so its lock is never taken over; the user removes it.
"""

import json
import logging
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hyperlift.errors import InputError, one_line
from hyperlift.files.atomic import make_folder, refuse_place
from hyperlift.files.processes import ProcessMark, own_mark

LOCK_NAME = ".hyperlift.lock"
_LOCK_BYTES = 4096
"""Maximal bytes of a lock file that are read. Chosen: a lock contains one line of JSON."""
_POLL_S = 0.25
"""Seconds between attempts to take a lock. Chosen: short against a run, without load on a network drive."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Holder:
    """The process that holds a lock."""

    host: str
    since: str
    mark: ProcessMark | None
    """None if the file does not contain a valid mark."""

    @property
    def gone(self) -> bool:
        return self.mark is not None and self.mark.alive is False


@contextmanager
def folder_lock(folder: Path, *, wait: bool | None = None) -> Iterator[None]:
    """Hold the lock of a folder during the block; the folder is created if necessary.

    Args:
        folder: the folder that the block writes to.
        wait: True waits for another run to end; False raises. None raises as well, and the message does not offer
            ``wait``.

    Raises:
        InputError: another run holds the lock, or the folder cannot be written.
    """
    absent = [above for above in (folder, *folder.parents) if not above.exists()]
    make_folder(folder)
    lock, logged = folder / LOCK_NAME, False
    while (holder := _take(lock)) is not None:
        if not wait:
            raise InputError(_refusal(folder, lock, holder, wait is not None))
        if not logged:
            _LOG.info("%s; waiting until it ends", _describe(folder, holder))
            logged = True
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        remove_lock(folder)
        with suppress(OSError):
            for above in absent:  # a failed run leaves no empty folders
                above.rmdir()


def remove_lock(folder: Path) -> None:
    """Remove the lock of a folder if it belongs to this process, or to a process of this machine that has ended."""
    lock = folder / LOCK_NAME
    with suppress(OSError), _opened(lock, os.O_RDWR) as handle:
        holder = _read(handle)
        if holder is not None and (holder.mark == own_mark() or holder.gone):
            os.ftruncate(handle, 0)  # an empty lock is free, in case the open file cannot be removed
            lock.unlink()


def _take(lock: Path) -> _Holder | None:
    """Try to take a lock; return its holder, or None if this process now holds it."""
    ours = {
        "host": platform.node(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "process": str(own_mark()),
    }
    while True:
        try:
            with _opened(lock, os.O_RDWR | os.O_CREAT) as handle:
                holder = _read(handle)
                if holder is not None and not holder.gone:
                    return holder
                os.ftruncate(handle, 0)
                os.lseek(handle, 0, os.SEEK_SET)
                os.write(handle, (json.dumps(ours) + "\n").encode())
                return None
        except FileNotFoundError:  # removed meanwhile, perhaps with its folder
            make_folder(lock.parent)
        except OSError as error:
            refuse_place(lock, error)


@contextmanager
def _opened(lock: Path, flags: int) -> Iterator[int]:
    """Open a lock file exclusively, so that reading and replacing the holder is atomic.

    Raises:
        FileNotFoundError: the lock was removed meanwhile.
    """
    handle = os.open(lock, flags | getattr(os, "O_NOFOLLOW", 0), 0o644)
    try:
        _lock_handle(handle)
        if not os.path.samestat(os.fstat(handle), os.lstat(lock)):
            raise FileNotFoundError(lock)
        yield handle
    finally:
        os.close(handle)  # releases the exclusive access


def _lock_handle(handle: int) -> None:
    """Wait for exclusive access to an open file. Some network drives do not support it; a race of microseconds remains
    there."""
    if os.name == "nt":
        import msvcrt

        lock_mode = msvcrt.LK_LOCK  # pyright: ignore[reportAttributeAccessIssue]
        with suppress(OSError):
            # A byte beyond the content, which stays readable; closing the handle releases it.
            os.lseek(handle, _LOCK_BYTES, os.SEEK_SET)
            msvcrt.locking(handle, lock_mode, 1)  # pyright: ignore[reportAttributeAccessIssue]
        return
    import fcntl

    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)


def _read(handle: int) -> _Holder | None:
    """The holder of an open lock; None if the file is empty, for example after a crash of the system."""
    os.lseek(handle, 0, os.SEEK_SET)
    content = os.read(handle, _LOCK_BYTES)
    if not content.strip(b"\0 \n"):
        return None
    try:
        facts = json.loads(content)
        host, since, mark = (one_line(facts[key]) for key in ("host", "since", "process"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _Holder("", "", None)
    return _Holder(host, since, ProcessMark.parse(mark))


def _describe(folder: Path, holder: _Holder) -> str:
    if holder.mark is None:
        return f"{folder}: is locked by a run that cannot be told from its lock"
    where = f" on another machine, {holder.host}," if holder.mark.alive is None else f" of {holder.host}"
    return f"{folder}: process {holder.mark.pid}{where} writes into it since {holder.since}"


def _refusal(folder: Path, lock: Path, holder: _Holder, may_wait: bool) -> str:
    waiting = "wait for it (`wait=True`)" if may_wait else "wait until it ends"
    if holder.mark is not None and holder.mark.alive:
        return f"{_describe(folder, holder)}; {waiting} or choose another output folder"
    return f"{_describe(folder, holder)}; {waiting}, or, if you know that it has ended, remove {lock}"
