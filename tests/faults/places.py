"""Places that cannot be written, or only so far: each must end in one line, and leave what a later run goes on from."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from operations import Operation
from processes import Ended, run
from results import content, leftovers, lost, torn

from hyperlift.errors import InputError
from hyperlift.files.locks import LOCK_NAME
from hyperlift.files.processes import ProcessMark

_NOBODY = 65534
_FULL_TIMES = 10


class Wrong(Exception):
    """Something that must not be."""


def full_disk(operation: Operation, scratch: Path, seed: int) -> str:
    """A disk of its own, on which so little is left that the run fills it somewhere."""
    old, new = _sets(operation, scratch)
    rng, refused = np.random.default_rng(seed), 0
    size = sum(path.stat().st_size for folder in (old, new) for path in folder.rglob("*") if path.is_file())
    for number in range(_FULL_TIMES):
        with _disk(scratch / f"disk{number}") as disk:
            out = disk / "out"
            shutil.copytree(old, out)
            ballast = disk / "ballast"
            _fill(ballast, leave=int(rng.uniform(0, 1.2 * size)))
            ended = run(lambda: operation.work(out), disk, scratch)  # noqa: B023
            if ended.code == 0:
                continue
            refused += 1
            _check_refused(ended, ("No space left", "File too large"))
            _check_whole(out, old, new)
            ballast.unlink()
            _check_ends(operation, out, scratch, new)
    return (
        f"{refused} of {_FULL_TIMES} runs met it; each ended in one line, lost nothing, and went on when there was room"
    )


def read_only_disk(operation: Operation, scratch: Path, seed: int) -> str:
    """Mounted so that nobody can write, root neither."""
    old, new = _sets(operation, scratch)
    with _disk(scratch / "disk") as disk:
        out = disk / "out"
        shutil.copytree(old, out)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        _check_refused(run(lambda: operation.work(out), disk, scratch), ("not writable", "Read-only file system"))
        _check_equal(out, old)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        _check_ends(operation, out, scratch, new)
    return "one line; the old results stay"


def folder_of_somebody_else(operation: Operation, scratch: Path, seed: int) -> str:
    """The run of a user whom the folder does not belong to."""
    if os.geteuid() != 0:
        return "skipped: only root can become somebody else"
    old, _ = _sets(operation, scratch)
    out = scratch / "out"
    shutil.copytree(old, out)

    def as_nobody() -> int:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
        return operation.work(out)

    for above in (scratch, scratch.parent):
        above.chmod(0o755)
    _check_refused(run(as_nobody, out, scratch), ("not writable", "Permission denied"))
    _check_equal(out, old)
    return "one line; the old results stay"


def lock_of_another_machine(operation: Operation, scratch: Path, seed: int) -> str:
    """Nobody here can tell whether that run has ended."""
    old, new = _sets(operation, scratch)
    out = scratch / "out"
    shutil.copytree(old, out)
    mark = ProcessMark("0123456789ab", 4711, "0123456789ab")
    lock = {"host": "elsewhere", "since": "2026-01-01T00:00:00+00:00", "process": str(mark)}
    (out / LOCK_NAME).write_text(json.dumps(lock) + "\n")
    ended = run(lambda: operation.work(out), out, scratch)
    _check_refused(ended, ("another machine, elsewhere, writes into it since 2026-01-01T00:00:00+00:00; ", LOCK_NAME))
    _check_equal(out, old)
    (out / LOCK_NAME).unlink()
    _check_ends(operation, out, scratch, new)
    return "refused in one line that names the machine and the file to remove; the old results stay"


def _told(fault: Callable[[Operation, Path, int], str]) -> Callable[[Operation, Path, int], str]:
    def told(operation: Operation, scratch: Path, seed: int) -> str:
        try:
            return fault(operation, scratch, seed)
        except Wrong as wrong:
            return f"FAULT: {' '.join(str(wrong).split())}"
        except InputError as error:
            return f"skipped: {error}"

    return told


OTHER_FAULTS = {
    "full-disk": _told(full_disk),
    "read-only-disk": _told(read_only_disk),
    "read-only-folder": _told(folder_of_somebody_else),
    "foreign-lock": _told(lock_of_another_machine),
}


def _sets(operation: Operation, scratch: Path) -> tuple[Path, Path]:
    """Undisturbed results of other options, and those of the operation where such results were before."""
    old, new = scratch / "old", scratch / "new"
    for folder, work in ((old, operation.earlier), (new, operation.work)):
        assert work is not None
        ended = run(lambda: work(folder), folder, scratch)  # noqa: B023
        assert ended.code == 0, ended.said
    return old, new


@contextmanager
def _disk(at: Path) -> Iterator[Path]:
    at.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", at], capture_output=True, text=True)
    if mounted.returncode:
        raise InputError(f"no disk of its own ({mounted.stderr.strip()})")
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", at], check=True)


def _fill(ballast: Path, leave: int) -> None:
    state = os.statvfs(ballast.parent)
    with ballast.open("wb") as file:
        file.write(b"\0" * max(0, state.f_bavail * state.f_frsize - leave))


def _check_refused(ended: Ended, words: tuple[str, ...]) -> None:
    last = ended.said.strip().splitlines()[-1:]
    if ended.code != 2 or "Traceback" in ended.said or not any(": error: " in line for line in last):
        raise Wrong(f"ended with {ended.code}: {ended.said[-1500:]}")
    if not any(word in ended.said for word in words):
        raise Wrong(f"does not say why: {last}")


def _check_whole(out: Path, old: Path, new: Path) -> None:
    wrong = [*torn(out), *lost(out, content(old), content(new), set())]
    if wrong:
        raise Wrong("; ".join(wrong))


def _check_equal(out: Path, old: Path) -> None:
    if content(out) != content(old):
        raise Wrong("the old results are not what they were")


def _check_ends(operation: Operation, out: Path, scratch: Path, new: Path) -> None:
    ended = run(lambda: operation.work(out), out, scratch)
    if ended.code != 0 or content(out) != content(new) or leftovers(out, set()):
        raise Wrong(f"the run after ended with {ended.code} and left {leftovers(out, set())}: {ended.said[-1500:]}")
