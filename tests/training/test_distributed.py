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


def distil(folder: Path, parts: str, *, processes: int) -> tuple[list[dict[str, torch.Tensor]], list[dict]]:
    """What every process ended with, and the log."""
    folder.mkdir()
    start = TORCHRUN if processes == 2 else [sys.executable]
    worker = str(Path(WORKER).with_name("ddp_distill_worker.py"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*start, worker, str(folder), parts], check=True, env=environment, capture_output=True)
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [load_file(folder / f"rank{rank}.safetensors") for rank in range(processes)], log


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("ddp") / "alone")


@pytest.mark.parametrize("how", [{"processes": 2}, {"accumulate": 3}, {"processes": 2, "accumulate": 2}], ids=str)
def test_equals_one_process_with_the_whole_batch(alone, tmp_path, how):
    weights, losses = fit(tmp_path / "other", **how)
    for name, expected in alone[0].items():
        assert (weights[name] - expected).abs().max() < 1e-6, name
    assert losses == pytest.approx(alone[1], rel=1e-5)


def test_distillation_equals_one_process_with_the_whole_batch(tmp_path):
    (expected,), log = distil(tmp_path / "alone", "fixed", processes=1)
    both, their_log = distil(tmp_path / "two", "fixed", processes=2)
    assert any(name.startswith("distiller.parts.generation") for name in expected)
    for weights in both:
        for name, value in expected.items():
            assert (weights[name] - value).abs().max() < 1e-6, name
    for ours, theirs in zip(log, their_log, strict=True):
        terms = ("loss", "spatial_mimicking", "temporal_mimicking", "generation", "output")
        assert [theirs[term] for term in terms] == pytest.approx([ours[term] for term in terms], rel=1e-5)


def test_measured_weights_of_a_distillation_stay_the_same_in_all_processes(tmp_path):
    """Every process measures on its own clips, and a short last batch gives one of them fewer parts."""
    (first, second), log = distil(tmp_path / "two", "balanced", processes=2)
    for name in first:
        if name != "distiller.calls":
            assert torch.equal(first[name], second[name]), name
    weights = first["distiller.part_weights"]
    assert (weights[:3] != 1e-4).all()
    assert (weights > 0).all()
    assert all(torch.isfinite(torch.tensor(record["loss"])) for record in log)
