"""Several files that belong together take the place of older ones: all of them or, for whoever looks, none.

Files are renamed one at a time, so a process can end in the middle. Everything new therefore lies first in one hidden
folder, with a plan, and comes to its place by a single rename: from then on the swap is decided. Whoever opens the
folder next (``settle``) carries out what is left of it. A file that seals the set, such as a report that lists the
others, goes first and comes last: where it is, it fits the files beside it.
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
    with private_folder(folder) as beside:
        (beside / _NEW).mkdir()
        yield beside / _NEW


def publish(
    new: Path,
    folder: Path,
    *,
    over: Mapping[str, str] | None = None,
    gone: Mapping[str, str] | None = None,
    seal: str | None = None,
) -> None:
    """Move everything in ``new`` into ``folder``, in place of what is there.

    Args:
        new: of ``staging``.
        folder: that nobody else writes into meanwhile (``locks.folder_lock``), and that is settled.
        over: ``identity`` of the files that may be replaced, by name.
        gone: ``identity`` of files that the new ones make obsolete, by name; they are removed.
        seal: name of the file that goes first and comes last.

    Raises:
        InputError: a file in the way is not one of ``over``; nothing has changed then.
        OSError: the disk is full or broken; the old files stand, or ``settle`` goes on.
    """
    over = dict(over or {})
    _refuse(folder, in_the_way(folder, os.listdir(new), over))
    with atomic_file(new.parent / _PLAN) as plan:
        plan.write_text(json.dumps({"over": over, "gone": dict(gone or {}), "seal": seal}), encoding="utf-8")
    sync_tree(new.parent)
    os.replace(new.parent, folder / SWAP_NAME)
    sync(folder)
    settle(folder)


def unsettled(folder: Path) -> bool:
    """Whether a swap was decided and not carried out to its end."""
    return (folder / SWAP_NAME).is_dir()


def settle(folder: Path, overwrite: bool = False) -> None:
    """Carry out what is left of a swap that was interrupted.

    Args:
        folder: that nobody else writes into meanwhile.
        overwrite: replace what came into the way since the swap was decided.

    Raises:
        InputError: something came into the way, or the plan is not one of ours.
    """
    if not unsettled(folder):
        return
    swap = folder / SWAP_NAME
    if swap.is_symlink() or (swap / _NEW).is_symlink():  # somebody else's files would come here from elsewhere
        raise _foreign(swap)
    if not any(swap.iterdir()):
        swap.rmdir()
        return
    plan = _plan(swap)
    over, gone, seal = plan["over"], plan["gone"], plan["seal"]
    waiting = sorted(os.listdir(swap / _NEW)) if (swap / _NEW).is_dir() else []
    if not overwrite:
        _refuse(folder, in_the_way(folder, waiting, over))
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
    # The plan goes after what it is about: a swap without anything in it has been carried out.
    if (swap / _NEW).is_dir():
        (swap / _NEW).rmdir()
    (swap / _PLAN).unlink()
    swap.rmdir()
    sync(folder)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def identity(path: Path) -> str:
    """Content hash of a file; of a link, where it points to.

    Raises:
        OSError: it cannot be read, or is a folder.
    """
    return f"link to {valid_unicode(os.readlink(path))}" if path.is_symlink() else file_hash(path)


def in_the_way(folder: Path, names: Iterable[str], over: Mapping[str, str]) -> list[str]:
    """Those of the names that stand in a folder as something else than what is listed for them."""
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
    raise _foreign(swap)


def _foreign(swap: Path) -> InputError:
    return InputError(f"{swap}: is no swap of this version; look into it, then remove it")
