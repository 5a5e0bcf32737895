"""kill -9 with half a file on the disk loses the epoch in progress and nothing else."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_store import write_run, write_store

from hyperlift.cli.main import run as hyperlift
from hyperlift.models.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
WORKER = str(Path(__file__).with_name("killed_worker.py"))


@pytest.mark.parametrize(("what", "epoch"), [("resume", 1), ("weights", 1), ("resume", 2), ("weights", 2)])
def test_a_run_killed_in_the_middle_of_a_file_goes_on(tmp_path, what, epoch):
    config = write_run(tmp_path / "t.yaml", write_store(tmp_path / "store"))
    config.write_text(config.read_text().replace("epochs: 2", "epochs: 3"))
    run = tmp_path / "run"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "lib")}
    killed = subprocess.run(
        [sys.executable, WORKER, str(config), str(run), what, str(epoch)], env=environment, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL
    (half,) = run.glob(".hyperlift-*/*")
    assert half.stat().st_size > 0
    assert torch.load(run / "last.resume.pt", weights_only=True)["epoch"] == epoch - 1
    # The weights are written before the state: with the state they are one epoch old, without it they are newer.
    if (what, epoch) == ("weights", 1):
        assert not (run / "last.safetensors").exists()
    else:
        assert load_checkpoint(run / "last.safetensors").metrics["epoch"] == epoch - (what == "weights")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    command = ["--config", str(config), "--no-progress"]
    assert hyperlift("train", [*command, "-r", str(run / "last.resume.pt")]) == 0
    assert hyperlift("train", [*command, "--checkpoint", str(tmp_path / "whole")]) == 0
    torch.set_num_threads(threads)
    assert not list(run.glob(".*"))
    logs = [(folder / "log.jsonl").read_text().splitlines() for folder in (run, tmp_path / "whole")]
    losses = [[json.loads(line)["loss"] for line in lines] for lines in logs]
    assert losses[0] == losses[1]
    ours, theirs = (load_checkpoint(f / "last.safetensors").model.state_dict() for f in (run, tmp_path / "whole"))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
