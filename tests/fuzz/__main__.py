"""Fuzz the readers: ``make fuzz``, ``make fuzz READER=video CASES=1000``, ``make fuzz READER=video SEED=17``."""

import argparse
import json
import tempfile
import traceback
from pathlib import Path

from fuzz.cases import Bench
from fuzz.running import Tally, Workers
from fuzz.table import write_table
from fuzz.targets import targets

CHUNK = 2000


def main() -> int:
    """Run the command."""
    arguments = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    arguments.add_argument("--reader", action="append", help="name of a registered reader; all of them without")
    arguments.add_argument("--seed", type=int, help="run this one case here, and show its traceback")
    arguments.add_argument("--cases", type=int, default=20_000, help="cases a reader, counted from case 0")
    arguments.add_argument("--results", type=Path, default=Path("out/fuzz"), help="where a run goes on from")
    arguments.add_argument("--table", type=Path, help="Markdown file whose table of figures is written anew")
    args = arguments.parse_args()
    if args.seed is not None:
        return _one(args.reader[0], args.seed)
    args.results.mkdir(parents=True, exist_ok=True)
    with Workers() as workers:
        if strangers := set(args.reader or ()) - set(workers.readers):
            arguments.error(f"no reader is named {', '.join(strangers)}; known: {', '.join(workers.readers)}")
        tallies = [_continued(workers, name, args.cases, args.results) for name in args.reader or workers.readers]
        if args.table:
            write_table(args.table, [_kept(name, args.results) for name in workers.readers])
    return 1 if any(tally.faults for tally in tallies) else 0


def _one(name: str, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(name, targets()[name], Path(folder) / "files")
        number = bench.damage(seed)
        print(f"target {number}; the damaged files:", *sorted((Path(folder) / "files" / str(number)).iterdir()))
        try:
            bench.targets[number].read(Path(folder) / "files" / str(number))
        except Exception:
            traceback.print_exc()
            return 1
    print("read")
    return 0


def _kept(name: str, results: Path) -> Tally:
    file = results / f"{name}.json"
    return Tally.of_dict(json.loads(file.read_text())) if file.is_file() else Tally(name, 0, 0)


def _continued(workers: Workers, name: str, cases: int, results: Path) -> Tally:
    tally = _kept(name, results)
    while tally.last < cases:
        tally = tally.merged(workers.run(name, tally.last, min(tally.last + CHUNK, cases)))
        tally.events = tally.events[:200]
        (results / f"{name}.json").write_text(json.dumps(tally.as_dict()) + "\n")
    print(f"{name}: {tally.cases} cases, {dict(tally.counts)}, peak {tally.peak_mb} MB", flush=True)
    return tally


if __name__ == "__main__":
    raise SystemExit(main())
