"""torch.compile through train.py, in processes of their own: the tests' type checker cannot be compiled."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open
from tiny_store import write_run, write_store

ROOT = Path(__file__).resolve().parents[2]

WORKER = """
import sys
import torch
from hyperlift.cli.main import run as hyperlift
from hyperlift.cli import train
torch.set_num_threads(1)

def run(name, *more):
    command = ["--config", f"{name}.yaml", "--checkpoint", name.split("-")[0], "--no-progress", *more]
    assert hyperlift("train", command) == 0

def cut(name):
    real = train.Trainer._train_epoch
    def until_second(self):
        if self.epoch == 1:
            raise KeyboardInterrupt
        return real(self)
    train.Trainer._train_epoch = until_second
    assert hyperlift("train", ["--config", f"{name}.yaml", "--checkpoint", "cut", "--no-progress"]) == 130
    train.Trainer._train_epoch = real
    run_cut = ["--config", f"{name}.yaml", "-r", "cut/last.resume.pt", "--no-progress"]
    assert hyperlift("train", run_cut) == 0

run("eager")
run("compiled")
cut("compiled")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not shutil.which(os.environ.get("CXX", "g++")):
        pytest.skip("torch.compile needs a C++ compiler, and there is none here")
    folder = tmp_path_factory.mktemp("compile")
    store = write_store(folder / "store")
    write_run(folder / "eager.yaml", store)
    write_run(folder / "compiled.yaml", store, training="compile: true")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "lib"),
        "OMP_NUM_THREADS": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "cache"),
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }
    worker = subprocess.run([sys.executable, "-c", WORKER], cwd=folder, env=environment, capture_output=True, text=True)
    assert worker.returncode == 0, worker.stderr
    return folder


def log(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_the_losses_are_those_of_the_eager_run(folder):
    assert [r["loss"] for r in log(folder / "compiled")] == pytest.approx(
        [r["loss"] for r in log(folder / "eager")], rel=1e-4
    )
    ours, theirs = (log(folder / run)[-1]["validation"]["mpjpe"] for run in ("compiled", "eager"))
    assert ours == pytest.approx(theirs, rel=1e-4)
    assert list((folder / "cache").rglob("*.so")), "nothing was compiled"


def test_a_resumed_compiled_run_equals_an_uninterrupted_one(folder):
    assert [r["loss"] for r in log(folder / "cut")] == pytest.approx(
        [r["loss"] for r in log(folder / "compiled")], rel=1e-6
    )


def test_files_name_the_parameters_as_without_compilation(folder):
    names = {}
    for run in ("eager", "compiled"):
        with safe_open(folder / run / "last.safetensors", framework="np") as file:
            names[run] = set(file.keys())
    assert names["compiled"] == names["eager"]
