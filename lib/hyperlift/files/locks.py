"""One run at a time writes into a folder; the others are refused, or wait.

A lock is a file in the folder that says which process holds it. It is removed at the end of the run, Ctrl-C included.
The lock of a process that was killed is taken over on the same machine. On another machine nobody can tell whether the
process still runs, so such a lock is never taken: whoever knows removes it.
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
_LONGEST_LOCK = 4096
_POLL_S = 0.25

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Holder:
    """Who holds a lock."""

    host: str
    since: str
    mark: ProcessMark | None
    """None where the file does not say it."""

    @property
    def gone(self) -> bool:
        return self.mark is not None and self.mark.alive is False


@contextmanager
def folder_lock(folder: Path, *, wait: bool | None = None) -> Iterator[None]:
    """Hold the lock of a folder for the time of the block; the folder is created if it is absent.

    Args:
        folder: that the block writes into.
        wait: for another run to end, instead of refusing; None where the user has no such choice, so that the message
            does not offer it.

    Raises:
        InputError: another run holds the lock, or the folder cannot be written.
    """
    absent = [above for above in (folder, *folder.parents) if not above.exists()]
    make_folder(folder)
    lock, told = folder / LOCK_NAME, False
    while (holder := _take(lock)) is not None:
        if not wait:
            raise InputError(_refusal(folder, lock, holder, wait is not None))
        if not told:
            _LOG.info("%s; waiting until it ends", _who(folder, holder))
            told = True
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        remove_lock(folder)
        with suppress(OSError):
            for above in absent:  # what was refused leaves no empty folder
                above.rmdir()


def remove_lock(folder: Path) -> None:
    """Remove a folder's lock where this process, or one of this machine that is gone, holds it."""
    lock = folder / LOCK_NAME
    with suppress(OSError), _opened(lock, os.O_RDWR) as handle:
        holder = _read(handle)
        if holder is not None and (holder.mark == own_mark() or holder.gone):
            os.ftruncate(handle, 0)  # nobody's, even where an open file cannot be removed
            lock.unlink()


def _take(lock: Path) -> _Holder | None:
    """Write our name into a lock that nobody holds; None where it is ours now, else who has it."""
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
        except FileNotFoundError:  # removed between two looks at it, perhaps with its folder
            make_folder(lock.parent)
        except OSError as error:
            refuse_place(lock, error)


@contextmanager
def _opened(lock: Path, flags: int) -> Iterator[int]:
    """Open a lock while nobody else looks into it: who finds a dead holder's name replaces it before the next reads it.

    Raises:
        FileNotFoundError: it was removed meanwhile.
    """
    handle = os.open(lock, flags | getattr(os, "O_NOFOLLOW", 0), 0o644)
    try:
        _exclude_others(handle)
        if not os.path.samestat(os.fstat(handle), os.lstat(lock)):
            raise FileNotFoundError(lock)
        yield handle
    finally:
        os.close(handle)  # lets others in again


def _exclude_others(handle: int) -> None:
    """Wait for whoever looks into an open file. Some network drives have no such thing; a race is left there, of
    microseconds."""
    if os.name == "nt":
        import msvcrt

        lock_mode = msvcrt.LK_LOCK  # pyright: ignore[reportAttributeAccessIssue]
        with suppress(OSError):
            # Beyond the content, which would be unreadable else; ends with the handle.
            os.lseek(handle, _LONGEST_LOCK, os.SEEK_SET)
            msvcrt.locking(handle, lock_mode, 1)  # pyright: ignore[reportAttributeAccessIssue]
        return
    import fcntl

    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)


def _read(handle: int) -> _Holder | None:
    """Who holds an open lock; None where it is empty, as the system leaves it when it fails in the middle."""
    os.lseek(handle, 0, os.SEEK_SET)
    content = os.read(handle, _LONGEST_LOCK)
    if not content.strip(b"\0 \n"):
        return None
    try:
        facts = json.loads(content)
        host, since, mark = (one_line(facts[key]) for key in ("host", "since", "process"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _Holder("", "", None)
    return _Holder(host, since, ProcessMark.parse(mark))


def _who(folder: Path, holder: _Holder) -> str:
    if holder.mark is None:
        return f"{folder}: is locked by a run that cannot be told from its lock"
    where = f" on another machine, {holder.host}," if holder.mark.alive is None else f" of {holder.host}"
    return f"{folder}: process {holder.mark.pid}{where} writes into it since {holder.since}"


def _refusal(folder: Path, lock: Path, holder: _Holder, may_wait: bool) -> str:
    waiting = "wait for it (`wait=True`)" if may_wait else "wait until it ends"
    if holder.mark is not None and holder.mark.alive:
        return f"{_who(folder, holder)}; {waiting} or choose another output folder"
    return f"{_who(folder, holder)}; {waiting}, or, if you know that it has ended, remove {lock}"
