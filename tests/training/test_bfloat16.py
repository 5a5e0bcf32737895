"""bfloat16 autocast, on the CPU where it was asked for, beside the same run in float32."""

import json

import pytest
import torch
from tiny_store import write_run, write_store

from hyperlift.cli import train
from hyperlift.models.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of twelve epochs each: float32, amp on a CPU that was not asked for, and bfloat16."""
    folder = tmp_path_factory.mktemp("bfloat16")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    store = write_store(folder / "store")
    size = "channels: 16, depth: 2"
    for name, keys in {"exact": "amp: false", "default": "amp: true", "half": "amp_on_cpu: true"}.items():
        config = write_run(folder / f"{name}.yaml", store, training=keys)
        text = config.read_text().replace("epochs: 2", "epochs: 12").replace("channels: 8, depth: 1", size)
        config.write_text(text.replace("1.0e-3", "3.0e-3"))
        assert train.main(["--config", str(config), "--checkpoint", str(folder / name), "--no-progress"]) == 0
    torch.set_num_threads(threads)
    return folder


def losses(run) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]


def test_the_curve_is_that_of_float32_within_its_rounding(runs):
    exact, half = losses(runs / "exact"), losses(runs / "half")
    assert exact[-1] < 0.9 * exact[0]
    assert half != exact
    assert half == pytest.approx(exact, rel=0.02)


def test_weights_stay_float32_and_a_cpu_is_exact_unless_asked(runs):
    weights = load_checkpoint(runs / "half" / "last.safetensors").model.state_dict()
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    assert losses(runs / "default") == losses(runs / "exact")
