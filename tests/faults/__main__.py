"""Kill every kind of work at random moments; nothing may be torn or lost, and the next run must end as if nothing was.

python tests/faults [--kills 200] [--seed 0] [--only lift,folder] [--page docs/security.md]

Half of the kills come at a random moment of the work's time, half just before a random change of a file or folder.
After each, every file under a final name is read, and compared with both the old and the new set of results. After one
to three kills the command is given again and must end with the results of a run that nobody disturbed. Ctrl-C, a full
disk, a folder that cannot be written and the lock of another machine follow. Exits with 1 if anything was wrong.
"""

import argparse
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from operations import ROOT, SENTINELS, Operation, make_inputs, operations, prepare
from places import OTHER_FAULTS
from processes import Ended, Stop, run
from results import broken_promises, content, leftovers, lost, torn

from hyperlift.pipeline.recording_job import JOURNAL_NAME

SHARES = {"lift": 0.3, "folder": 0.1, "training": 0.2, "conversion": 0.15, "export": 0.1, "animate": 0.15}
"""Of all kills."""


@dataclass
class Tally:
    """What was seen of one operation."""

    name: str
    stops: Counter = field(default_factory=Counter)
    """Kills that came while the work was going on, by when they came."""
    runs: int = 0
    """Times that the command was given again after kills, and ended."""
    faults: list[str] = field(default_factory=list)
    """What was wrong, in words that begin with its kind."""

    @property
    def row(self) -> str:
        """Of the table."""
        count = Counter(fault.split(":")[0] for fault in self.faults)
        by_time, by_change = self.stops["time"], self.stops["change"]
        return f"| {self.name} | {by_time} | {by_change} | {count['torn']} | {count['lost']} | {self.runs} | " + (
            f"{count['unequal']} | {count['foreign'] + count['left']} |"
        )


class Attack:
    """One operation, disturbed again and again."""

    def __init__(self, operation: Operation, scratch: Path, seed: int, by: signal.Signals = signal.SIGKILL) -> None:
        self._operation, self._scratch, self._by = operation, scratch, by
        self._rng = np.random.default_rng([seed, *operation.name.encode()])
        self.tally = Tally(operation.name)
        whole = self._run(self._place("whole"))
        assert whole.code == 0, whole
        self._whole, self._new = whole, content(scratch / "whole")
        self._old: dict[str, str] = {}
        if operation.earlier is not None:
            earlier = run(lambda: operation.earlier(scratch / "old"), scratch, scratch)  # type: ignore[misc]
            assert earlier.code == 0, earlier
            self._old = content(scratch / "old")

    def _place(self, name: str) -> Path:
        folder = self._scratch / name
        if not self._operation.folder_is_result:
            folder.mkdir()
        return folder

    def _run(self, out: Path, stop: Stop | None = None) -> Ended:
        return run(lambda: self._operation.work(out), self._scratch, self._scratch, stop)

    def go(self, stops: int) -> Tally:
        """Until so many stops have hit."""
        while self.tally.stops.total() < stops:
            self._cycle(stops)
        return self.tally

    def _cycle(self, stops: int) -> None:
        out, from_old = self._scratch / "out", bool(self._old) and self._rng.random() < 0.5
        shutil.rmtree(out, ignore_errors=True)
        if from_old:
            shutil.copytree(self._scratch / "old", out)
        self._write_sentinels(out)
        for _ in range(self._rng.integers(1, 4)):
            kind, stop = self._stop()
            ended = self._run(out, stop)
            hit = ended.code < 0 or (self._by == signal.SIGINT and ended.code == 130)
            self.tally.stops[kind] += hit
            self._check(out, self._old if from_old else {}, f"{kind} {stop}")
            if not hit and ended.code != 0:
                self._fault("unequal", f"ended with {ended.code} by itself: {ended.said[-2000:]}")
            if hit and self._by == signal.SIGINT:
                self._look(leftovers(out, {*SENTINELS, JOURNAL_NAME}), "left", "after Ctrl-C")
            if self.tally.stops.total() >= stops:
                break
        self._finish(out)

    def _stop(self) -> tuple[str, Stop]:
        if self._rng.random() < 0.5 and self._by == signal.SIGKILL:
            return "change", Stop(before_change=int(self._rng.integers(1, self._whole.changes + 1)))
        return "time", Stop(self._by, after_s=float(self._rng.uniform(0, self._whole.seconds)))

    def _check(self, out: Path, old: dict[str, str], when: str) -> None:
        self._look(torn(out), "torn", when)
        self._look(broken_promises(out), "lost", when)
        if self._operation.name != "training":  # its files change from epoch to epoch
            self._look(lost(out, old, self._new, set(SENTINELS)), "lost", when)
        self._check_sentinels(out, when)

    def _finish(self, out: Path) -> None:
        ended = self._run(out)
        self.tally.runs += 1
        if ended.code != 0:
            self._fault("unequal", f"the run after ended with {ended.code}: {ended.said[-2000:]}")
            return
        now = {name: what for name, what in content(out).items() if name not in SENTINELS}
        for name in sorted({*now, *self._new}):
            if now.get(name) != self._new.get(name):
                self._fault("unequal", f"{name} is not that of an undisturbed run")
        self._look(leftovers(out, set(SENTINELS)), "left", "after the run that ended")
        self._check_sentinels(out, "at the end")

    def _write_sentinels(self, out: Path) -> None:
        for name, text in {} if self._operation.folder_is_result else SENTINELS.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text)

    def _check_sentinels(self, out: Path, when: str) -> None:
        for name, text in {} if self._operation.folder_is_result else SENTINELS.items():
            if not (out / name).is_file() or (out / name).read_text() != text:
                self._fault("foreign", f"{name} was touched {when}")

    def _look(self, found: list[str], kind: str, when: str) -> None:
        for what in found:
            self._fault(kind, f"{what} ({when})")

    def _fault(self, kind: str, what: str) -> None:
        print(f"FAULT {self._operation.name} {kind}: {what}", flush=True)
        self.tally.faults.append(f"{kind}: {what}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="operations, and other faults, by name; commas between them")
    parser.add_argument("--page", type=Path, help="write the table there, between its marks")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hyperlift-faults-") as folder:
        base = Path(folder)
        prepare(base)
        made = run(lambda: make_inputs(base), base, base)
        assert made.code == 0, made
        known = {operation.name: operation for operation in operations(base)}
        wanted = [*known, "ctrl-c", *OTHER_FAULTS] if args.only is None else args.only.split(",")
        shares = {name: SHARES[name] for name in known if name in wanted}
        tallies, others = [], []
        for name, share in shares.items():
            (base / f"attack-{name}").mkdir()
            attack = Attack(known[name], base / f"attack-{name}", args.seed)
            tallies.append(attack.go(max(1, round(args.kills * share / sum(shares.values())))))
            print(tallies[-1].row, flush=True)
        if "ctrl-c" in wanted:
            (base / "attack-ctrl-c").mkdir()
            tally = Attack(known["lift"], base / "attack-ctrl-c", args.seed, signal.SIGINT).go(max(1, args.kills // 10))
            wrong = "; ".join(f"FAULT {fault}" for fault in tally.faults)
            others.append(
                ("ctrl-c", wrong or f"{tally.stops.total()} times: as kills, and nothing is left over at once")
            )
            print(*others[-1], flush=True)
        for name in OTHER_FAULTS:
            if name in wanted:
                (base / f"fault-{name}").mkdir()
                others.append((name, OTHER_FAULTS[name](known["lift"], base / f"fault-{name}", args.seed)))
                print(*others[-1], flush=True)
    text = page(tallies, others)
    print(text)
    if args.page is not None:
        write(args.page, text)
    return int(any(tally.faults for tally in tallies) or any("FAULT" in said for _, said in others))


def page(tallies: list[Tally], others: list[tuple[str, str]]) -> str:
    """The figures as Markdown."""
    sum_ = replace(Tally("all"), faults=[fault for tally in tallies for fault in tally.faults])
    for tally in tallies:
        sum_.stops += tally.stops
        sum_.runs += tally.runs
    rows = [
        "| work | kills at a random moment | just before a change of a file | torn | lost | runs after | unequal | "
        "touched or left over |",
        "|---|---|---|---|---|---|---|---|",
        *(tally.row for tally in [*tallies, sum_]),
    ]
    if others:
        rows += ["", "| fault | what was seen |", "|---|---|", *(f"| {name} | {said} |" for name, said in others)]
    return "\n".join(rows)


def write(path: Path, text: str) -> None:
    """Between ``<!-- faults -->`` and ``<!-- /faults -->``."""
    marks = re.compile(r"(<!-- faults -->\n).*?(<!-- /faults -->)", re.DOTALL)
    before = (ROOT / path).read_text()
    assert marks.search(before), f"{path} has no marks for the figures"
    (ROOT / path).write_text(marks.sub(lambda found: f"{found[1]}{text}\n{found[2]}", before))


if __name__ == "__main__":
    raise SystemExit(main())
