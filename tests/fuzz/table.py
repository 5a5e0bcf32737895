"""The figures of runs as a table in a page of the docs, between two marks."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fuzz.running import Tally

BEGIN, END = "<!-- figures of make fuzz: begin -->", "<!-- figures of make fuzz: end -->"
_KINDS = ("refused", "read", "netted", "other", "crashes", "hangs", "memory")
_HEAD = "| reader | cases | refused | read | net | other exceptions | crashes | over 2 s | over 1 GB | peak, MB |"


def write_table(page: Path, tallies: Sequence[Tally]) -> None:
    """Put a row for every reader, and their sum, between the marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [_row(tally.reader, tally.cases, tally.counts, tally.peak_mb) for tally in tallies]
    total = sum((tally.counts for tally in tallies), Counter())
    peak = max(tally.peak_mb for tally in tallies)
    rows.append(_row("**all**", sum(tally.cases for tally in tallies), total, peak))
    table = "\n".join([_HEAD, "|---" * 10 + "|", *rows])
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _row(name: str, cases: int, counts: Counter[str], peak_mb: int) -> str:
    numbers = [cases, *(counts[kind] for kind in _KINDS), peak_mb]
    return f"| {name} | " + " | ".join(f"{number:,}" for number in numbers) + " |"
