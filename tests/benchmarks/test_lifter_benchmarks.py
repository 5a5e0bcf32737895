"""The benchmarks of int8 and of start-up run and print what they promise; no figure of theirs is judged."""

import os
import subprocess
import sys
from pathlib import Path

from tiny_onnx import write_tiny_lifter

ROOT = Path(__file__).resolve().parents[2]


def run(script, *arguments):
    page = ROOT / "docs" / "benchmarks.md"
    before = page.read_text()
    result = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / script), "--no-page", "--repetitions", "1", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib"), "OMP_NUM_THREADS": "1"},
        check=True,
    )
    assert page.read_text() == before
    return result.stdout


def test_int8(tmp_path):
    out = run("int8.py", str(write_tiny_lifter(tmp_path / "tiny.onnx")))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in out.splitlines() if line.startswith("|")]
    names = [row[0] for row in rows[2:]]
    assert names[:2] == ["lifter, fp32", "lifter, int8"]
    assert len(names) == 4
    assert all(float(row[2].replace(",", "")) > 0 for row in rows[2:])
    assert "of 3 products stay in fp32" in out


def test_start_up():
    out = run("startup.py", "--long", "300")
    assert "lifting 300 frames of one person" in out
    for name in ("load_lifter", "keypoint file to metres", "hyperlift lift --help"):
        assert name in out
