"""Two equal trainings, in processes and folders of their own, write the same bytes."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from safetensors import safe_open

from hyperlift.training.trainer import TIMING_KEYS

ROOT = Path(__file__).resolve().parents[2]
TRAINING = """
import sys
from pathlib import Path

from tiny_store import write_run, write_store

from hyperlift.cli.main import run as hyperlift

run = write_run(Path("t.yaml"), write_store(Path("store")), training="clip_gradient: 1.0, ema: 0.9")
run.write_text(run.read_text().replace("drop_path: 0.0", "drop_path: 0.2"))
sys.exit(
    hyperlift("train", ["--config", "t.yaml", "--checkpoint", "run", "--no-progress", "--threads", "1"])
    or hyperlift("export", ["--evaluate", "run/best.safetensors", "--deployment", "best.onnx"])
)
"""


def trained(folder: Path, hash_seed: str) -> dict[str, str]:
    """The hash of every file that a training wrote in a folder, by name."""
    folder.mkdir()
    path = os.pathsep.join([str(ROOT / "lib"), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", TRAINING], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_all_files_but_the_log_are_equal(tmp_path):
    first, second = (trained(tmp_path / f"number {number}", str(number)) for number in (1, 2))
    assert {"best.onnx", "run/best.safetensors", "run/last.resume.pt", "run/config.json"} <= first.keys()
    assert first.keys() == second.keys()
    assert {name for name in first if first[name] != second[name]} == {"run/log.jsonl"}
    # The header of a checkpoint is written anew, with its metadata in order; safetensors itself still reads it.
    checkpoint = tmp_path / "number 1/run/best.safetensors"
    length = int.from_bytes(checkpoint.read_bytes()[:8], "little")
    names = list(json.loads(checkpoint.read_bytes()[8 : 8 + length])["__metadata__"])
    assert names == sorted(names)
    with safe_open(checkpoint, framework="pt") as file:
        assert set(file.metadata()) == set(names)
    logs = [(tmp_path / f"number {number}" / "run" / "log.jsonl").read_text() for number in (1, 2)]
    records = [[json.loads(line) for line in log.splitlines()] for log in logs]
    for one, other in zip(*records, strict=True):
        assert {name for name in one if one[name] != other[name]} <= set(TIMING_KEYS) <= one.keys()
