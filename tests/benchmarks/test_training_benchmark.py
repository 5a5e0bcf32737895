import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_training_benchmark_runs_on_the_smallest_network():
    script = ROOT / "benchmarks" / "training.py"
    page = ROOT / "docs" / "benchmarks.md"
    before = page.read_text()
    arguments = ["--sizes", "tiny", "--batch", "2", "--repetitions", "1", "--no-page"]
    arguments += ["--precisions", "float32", "bfloat16"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, env=environment, check=True
    )
    rows = [line.strip("|").split("|") for line in result.stdout.splitlines() if line.startswith("|")]
    measured = [[cell.strip() for cell in row] for row in rows if "tiny" in row[0]]
    assert [row[1] for row in measured] == ["float32", "bfloat16"]
    for row in measured:
        clips_a_s, flop, rate, limit = (float(cell.replace(",", "")) for cell in row[4:8])
        assert clips_a_s > 0
        assert 0 < rate <= limit
        assert abs(rate - clips_a_s * flop) < 0.02 * rate
        # Weights, gradients and moments alone are less than a megabyte; torch itself takes some hundred.
        assert 50 < float(row[9].split()[0].replace(",", "")) < 4000
    assert [row[0].strip() for row in rows[-2:]] == ["image", "camera"]
    assert page.read_text() == before
