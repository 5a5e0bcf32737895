"""Runs of many cases in worker processes that are watched; a process that dies or hangs is one more outcome."""

import json
import os
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PATIENCE_S = 60.0
"""A worker that begins no new case for so long, on a machine that may be busy, is killed; cases that end are judged by
their computing time."""
_TESTS = Path(__file__).resolve().parents[1]


@dataclass
class Tally:
    """Sums over the cases of one reader."""

    reader: str
    first: int
    last: int
    """The first case that was not run."""
    counts: Counter[str] = field(default_factory=Counter)
    """Of ``read``, ``refused``, ``netted``, ``other``, ``hangs``, ``memory`` and ``crashes``."""
    peak_mb: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    """The remarkable cases, with their seeds."""

    @property
    def cases(self) -> int:
        return self.last - self.first

    @property
    def faults(self) -> int:
        """Cases that break a promise."""
        return sum(self.counts[kind] for kind in ("other", "hangs", "memory", "crashes"))

    def merged(self, later: "Tally") -> "Tally":
        """This run and the one that went on from it."""
        assert self.reader == later.reader
        assert self.last == later.first, "runs follow one another"
        peak = max(self.peak_mb, later.peak_mb)
        events = self.events + later.events
        return Tally(self.reader, self.first, later.last, self.counts + later.counts, peak, events)

    def as_dict(self) -> dict[str, Any]:
        return vars(self) | {"counts": dict(self.counts)}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Tally":
        return cls(**{**values, "counts": Counter(values["counts"])})


class Workers:
    """One worker process at a time, started anew when it dies or hangs; a context manager."""

    def __enter__(self) -> "Workers":
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="fuzz-", dir=_quick_place())))
        self._seed = self.folder / "seed"
        self._seed.write_bytes(bytes(8))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._stack.close()

    def run(self, reader: str, first: int, last: int) -> Tally:
        """The cases ``first`` to ``last`` of a reader; after a crash or a hang the run goes on behind it."""
        tally = Tally(reader, first, last)
        begin = first
        while begin < last:
            begin = self._run(tally, begin, last)
        return tally

    def _run(self, tally: Tally, first: int, last: int) -> int:
        self._seed.write_bytes(first.to_bytes(8, "little"))
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([tally.reader, first, last]).encode() + b"\n")
        self._process.stdin.flush()
        seen: list[dict[str, Any]] = []
        while (line := self._line()) is not None:
            if "sum" in line:
                tally.counts.update(line["sum"])
                tally.peak_mb = max(tally.peak_mb, line["peak_mb"])
                tally.events += seen
                return last
            seen.append(line)
        seed, hung = self._now(), self._process.poll() is None
        self._stop()
        said = (self.folder / "stderr").read_text(errors="replace")[-3000:]
        if self._process.returncode > 0:  # it raised; a signal gives a negative number
            raise RuntimeError(f"the worker of {tally.reader!r} failed at case {seed}:\n{said}")
        self._start()
        if seed > first:  # the sums of the cases before this one died with the worker
            before = self.run(tally.reader, first, seed)
            tally.counts.update(before.counts)
            tally.events += before.events
            tally.peak_mb = max(tally.peak_mb, before.peak_mb)
        kind = "hangs" if hung else "crashes"
        tally.events.append({"seed": seed, "end": kind, "said": said[-300:]})
        tally.counts[kind] += 1
        return seed + 1

    def _now(self) -> int:
        return int.from_bytes(self._seed.read_bytes(), "little")

    def _start(self) -> None:
        with (self.folder / "stderr").open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fuzz.worker", str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=os.environ | {"PYTHONPATH": os.pathsep.join([str(_TESTS), *sys.path]), "OMP_NUM_THREADS": "1"},
            )
        self._buffer = b""
        hello = self._line()
        if hello is None:
            raise RuntimeError(f"the worker does not start:\n{(self.folder / 'stderr').read_text()[-3000:]}")
        self.readers: list[str] = hello["readers"]
        self.without_targets: list[str] = hello["without_targets"]

    def _stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def _line(self) -> dict[str, Any] | None:
        """The next line of the worker; None where it is dead, or has been at one case for too long."""
        assert self._process.stdout is not None
        seed = None
        while b"\n" not in self._buffer:
            if not select.select([self._process.stdout], [], [], PATIENCE_S)[0]:
                if self._now() == seed:
                    return None
                seed = self._now()
                continue
            more = os.read(self._process.stdout.fileno(), 65536)
            if not more:
                self._process.wait()
                return None
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)


def _quick_place() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
