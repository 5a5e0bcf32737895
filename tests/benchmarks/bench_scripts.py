"""Benchmarks as they are called, with the pages that they must leave alone."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
RESULTS = ROOT / "docs" / "results"


def pages():
    return {page.name: page.read_bytes() for page in RESULTS.iterdir()}


def run_script(script, *arguments, status=0):
    """Standard output of a benchmark, or what it says of an error."""
    before = pages()
    result = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib"), "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == status, result.stderr
    assert pages() == before
    return result.stderr if status else result.stdout


def rows_of(text):
    """Cells of the lines of all tables, heads and rules included."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
