"""A process that reads damaged files while its parent watches it; ``fuzz.running`` starts it.

Jobs come as lines of JSON on standard input: reader, first and last case. Lines of JSON go to standard output: one for
every remarkable case, and one with the sums of a job.
"""

import json
import logging
import mmap
import os
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from fuzz.cases import MOST_SECONDS, Bench, bound_memory, peak_bytes, reset_peak, takes_too_much, warnings_are_errors
from fuzz.targets import product_readers, targets


def main(folder: Path) -> None:
    """Work until standard input ends; ``folder/seed`` says which case is being read."""
    logging.disable(logging.CRITICAL)
    # Libraries in C print what they please.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    known, of_readers = product_readers(), targets()
    hello = {"readers": list(known), "without_targets": sorted(set(known) - set(of_readers))}
    print(json.dumps(hello), file=told, flush=True)
    with (folder / "seed").open("r+b") as file, mmap.mmap(file.fileno(), 8) as now:
        for line in sys.stdin:
            reader, first, last = json.loads(line)
            with TemporaryDirectory(dir=folder) as files:
                _work(Bench(reader, of_readers[reader], Path(files)), first, last, now, told)


def _work(bench: Bench, first: int, last: int, now: mmap.mmap, told: TextIO) -> None:
    with warnings_are_errors():
        bench.read_undamaged()
        counts, before = Counter[str](), reset_peak()
        peak = before
        with bound_memory():
            for seed in range(first, last):
                now[:] = seed.to_bytes(8, "little")
                outcome = bench.run(seed)
                slow = outcome.seconds > MOST_SECONDS
                counts[outcome.end] += 1
                counts["hangs"] += slow
                memory = False
                if outcome.out_of_memory:
                    peak = max(peak, peak_bytes())
                    memory = takes_too_much(bench, seed)
                counts["memory"] += memory
                if slow or memory or outcome.end in ("other", "netted"):
                    event = {"seed": seed, "end": outcome.end, "seconds": round(outcome.seconds, 2)}
                    event |= {"memory": memory, "said": outcome.said}
                    print(json.dumps(event), file=told, flush=True)
    print(
        json.dumps({"sum": counts, "peak_mb": round((max(peak, peak_bytes()) - before) / 1e6)}), file=told, flush=True
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
