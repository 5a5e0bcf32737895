"""A piece of work in a process of its own that ends when it should not."""

import contextlib
import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Stop:
    """When a process is stopped, and by what; one of ``after_s`` and ``before_change`` is given."""

    by: signal.Signals = signal.SIGKILL
    after_s: float | None = None
    """Seconds after it began."""
    before_change: int | None = None
    """Just before its so-many-th change of a file or folder, from 1."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    """Exit code, negative for a signal."""
    seconds: float
    said: str
    """What it printed."""
    changes: int
    """Changes of files and folders that it began, as far as Python itself makes them."""


def run(work: Callable[[], int], inside: Path, scratch: Path, stop: Stop | None = None) -> Ended:
    """Do a piece of work in a fork of this process, whose modules are imported already.

    Args:
        work: returns an exit code.
        inside: changes in this folder are counted.
        scratch: a folder for what the process prints and counts.
        stop: None lets it end.
    """
    said, counted = scratch / "said.txt", scratch / "changes"
    counted.write_bytes(b"")
    started = time.monotonic()
    # A fork has none of this process's threads: decoders that it would collect as garbage wait for theirs, or crash.
    gc.collect()
    gc.freeze()
    child = os.fork()
    if child == 0:
        _work(work, inside, said, counted, stop)
    gc.unfreeze()
    # Both sides, because either may come first.
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    if stop is not None and stop.after_s is not None:
        while (
            time.monotonic() - started < stop.after_s
            and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        ):
            time.sleep(0.002)
        # Ctrl-C reaches every process of a terminal, a kill one.
        (os.killpg if stop.by == signal.SIGINT else os.kill)(child, stop.by)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _wait_for_group(child)
    return Ended(code, time.monotonic() - started, said.read_text(errors="replace"), counted.stat().st_size)


def _work(work: Callable[[], int], inside: Path, said: Path, counted: Path, stop: Stop | None) -> None:
    code = 70
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(out, 1)
        os.dup2(out, 2)
        _count_changes(str(inside), counted, stop)
        code = int(work())
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _count_changes(inside: str, counted: Path, stop: Stop | None) -> None:
    tally = os.open(counted, os.O_WRONLY | os.O_APPEND)
    number = 0

    def hear(event: str, args: tuple) -> None:
        nonlocal number
        if event not in _CHANGES and (event != "open" or not args[2] & _WRITES):
            return
        path = os.fsdecode(args[0]) if isinstance(args[0], str | bytes) else ""
        if not path.startswith(inside):
            return
        number += 1
        os.write(tally, b".")
        if stop is not None and number == stop.before_change:
            os.kill(os.getpid(), stop.by)

    sys.addaudithook(hear)


def _wait_for_group(group: int) -> None:
    """Until the processes that the child started are gone too; whoever is dead and not fetched counts as gone."""
    patience = time.monotonic() + 60
    while time.monotonic() < patience:
        alive = False
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
                alive |= int(pgrp) == group and state != "Z"
        if not alive:
            return
        time.sleep(0.02)
    raise TimeoutError(f"processes of group {group} do not end")
