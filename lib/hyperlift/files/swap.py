"""Transactional replacement of several files of a folder.

Files can only be renamed one at a time, and a process can end between two renames. The new files and a plan are
therefore staged in one hidden folder, and a single rename of that folder commits the transaction. The next program that
opens the destination (``complete_swap``) completes an interrupted transaction. The sealing file, such as a report that
lists the others, is removed first and added last: if it exists, it matches the files beside it.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hyperlift.errors import InputError, printable, valid_unicode
from hyperlift.files.atomic import atomic_file, private_folder, sync, sync_tree

SWAP_NAME = ".hyperlift.files.swap"
_PLAN = "plan.json"
_NEW = "new"


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Yield a new empty folder below ``folder``, for ``publish``; it is removed at the end of the block.

    Raises:
        InputError: ``folder`` cannot be created or written.
    """
    with private_folder(folder) as private:
        (private / _NEW).mkdir()
        yield private / _NEW


def publish(
    new: Path,
    folder: Path,
    *,
    over: Mapping[str, str] | None = None,
    gone: Mapping[str, str] | None = None,
    seal: str | None = None,
) -> None:
    """Move all files of ``new`` into ``folder`` in one transaction.

    Args:
        new: from ``staging``.
        folder: the destination; the caller holds its lock (``locks.folder_lock``) and has completed earlier swaps.
        over: ``identity`` of the files that may be replaced, by name.
        gone: ``identity`` of the obsolete files to remove, by name.
        seal: name of the sealing file.

    Raises:
        InputError: a file that is not in ``over`` would be replaced; nothing has changed.
        OSError: the disk is full or defective; the old files are unchanged, or ``complete_swap`` completes the
            transaction.
    """
    over = dict(over or {})
    _refuse(folder, conflicting_files(folder, os.listdir(new), over))
    with atomic_file(new.parent / _PLAN) as plan:
        plan.write_text(json.dumps({"over": over, "gone": dict(gone or {}), "seal": seal}), encoding="utf-8")
    sync_tree(new.parent)
    os.replace(new.parent, folder / SWAP_NAME)
    sync(folder)
    complete_swap(folder)


def is_interrupted(folder: Path) -> bool:
    """Whether a transaction was committed and not completed."""
    return (folder / SWAP_NAME).is_dir()


def complete_swap(folder: Path, overwrite: bool = False) -> None:
    """Complete an interrupted transaction, if there is one.

    Args:
        folder: the destination; the caller holds its lock.
        overwrite: replace files that changed since the commit.

    Raises:
        InputError: a file changed since the commit, or the plan is invalid.
    """
    if not is_interrupted(folder):
        return
    swap = folder / SWAP_NAME
    if swap.is_symlink() or (swap / _NEW).is_symlink():  # a link could bring in files from elsewhere
        raise _invalid(swap)
    if not any(swap.iterdir()):
        swap.rmdir()
        return
    plan = _plan(swap)
    over, gone, seal = plan["over"], plan["gone"], plan["seal"]
    waiting = sorted(os.listdir(swap / _NEW)) if (swap / _NEW).is_dir() else []
    if not overwrite:
        _refuse(folder, conflicting_files(folder, waiting, over))
    if seal in waiting:
        (folder / seal).unlink(missing_ok=True)
        sync(folder)
    for name, content in gone.items():
        if _is(folder / name, content):
            (folder / name).unlink()
    for name in sorted(waiting, key=lambda name: name == seal):
        if name == seal:
            sync(folder)
        os.replace(swap / _NEW / name, folder / name)
    sync(folder)
    # The plan is removed after the files: an empty folder means that the transaction is complete.
    if (swap / _NEW).is_dir():
        (swap / _NEW).rmdir()
    (swap / _PLAN).unlink()
    swap.rmdir()
    sync(folder)


def file_hash(path: Path) -> str:
    """SHA-256 of the content of a file.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def identity(path: Path) -> str:
    """Content hash of a file, or the target of a link.

    Raises:
        OSError: the file cannot be read, or is a folder.
    """
    return f"link to {valid_unicode(os.readlink(path))}" if path.is_symlink() else file_hash(path)


def conflicting_files(folder: Path, names: Iterable[str], over: Mapping[str, str]) -> list[str]:
    """The names that exist in a folder with an identity other than the one in ``over``."""
    return [name for name in sorted(names) if os.path.lexists(folder / name) and not _is(folder / name, over.get(name))]


def _is(path: Path, listed: str | None) -> bool:
    return listed is not None and (path.is_file() or path.is_symlink()) and identity(path) == listed


def _refuse(folder: Path, names: list[str]) -> None:
    if names:
        raise InputError(
            f"{folder}: {', '.join(map(printable, names))}: changed meanwhile; move it away and start again"
        )


def _plan(swap: Path) -> dict[str, Any]:
    try:
        plan = json.loads((swap / _PLAN).read_bytes())
        names = [*plan["over"], *plan["gone"], *([] if plan["seal"] is None else [plan["seal"]])]
        if all(isinstance(name, str) and Path(name).name == name for name in names):
            return plan
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise _invalid(swap)


def _invalid(swap: Path) -> InputError:
    return InputError(f"{swap}: is no swap of this version; look into it, then remove it")
