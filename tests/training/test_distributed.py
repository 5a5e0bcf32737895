import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

WORKER = str(Path(__file__).with_name("ddp_worker.py"))
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]


def fit(folder: Path, *, processes: int = 1, accumulate: int = 1) -> tuple[dict[str, torch.Tensor], list[float]]:
    folder.mkdir()
    out = folder / "weights.safetensors"
    start = TORCHRUN if processes == 2 else [sys.executable]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*start, WORKER, str(out), str(accumulate)], check=True, env=environment, capture_output=True)
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return load_file(out), [line["loss"] for line in log]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("ddp") / "alone")


@pytest.mark.parametrize("how", [{"processes": 2}, {"accumulate": 3}, {"processes": 2, "accumulate": 2}], ids=str)
def test_equals_one_process_with_the_whole_batch(alone, tmp_path, how):
    weights, losses = fit(tmp_path / "other", **how)
    for name, expected in alone[0].items():
        assert (weights[name] - expected).abs().max() < 1e-6, name
    assert losses == pytest.approx(alone[1], rel=1e-5)
