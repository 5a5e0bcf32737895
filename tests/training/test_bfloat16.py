"""bfloat16 autocast, on the CPU where it was asked for, beside the same run in float32."""

import json

import pytest
import torch
from tiny_store import write_run, write_store

from hyperlift.cli.main import run as hyperlift
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.training.config import TrainConfig
from hyperlift.training.trainer import in_bfloat16


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
        assert hyperlift("train", ["--config", str(config), "--checkpoint", str(folder / name), "--no-progress"]) == 0
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


@pytest.mark.parametrize("depth", [0, 1])
def test_answers_are_finer_than_bfloat16(depth):
    """Three digits of a metre are steps of 4 mm, what a body moves from frame to frame."""
    torch.manual_seed(0)
    config = ModelConfig(
        channels=16, depth=depth, heads=2, n_frames=9, smoothing=2, frame_lifter=FrameLifterConfig(channels=16, depth=1)
    )
    model = HyperLifter(config).eval()
    pose2d = torch.rand(2, 9, 17, 3)
    exact = model(pose2d)
    with torch.autocast("cpu", torch.bfloat16):
        half = model(pose2d)
    assert half.dtype == torch.float32
    assert not torch.equal(half, exact)  # the layers before were computed in bfloat16
    assert torch.allclose(half, exact, atol=0.03)
    assert (half != half.bfloat16().float()).float().mean() > 0.9


def test_the_losses_of_wild_lifters_train_in_bfloat16(tmp_path):
    store = write_store(tmp_path / "store")
    config = write_run(tmp_path / "wild.yaml", store, model="label_space: camera", training="amp_on_cpu: true")
    terms = "loss: {similarity_aligned: 1.0, limb_length: 1.0, limb_angle: 0.1, velocity: 1.0}"
    config.write_text(f"{config.read_text()}{terms}\n")
    assert hyperlift("train", ["--config", str(config), "--checkpoint", str(tmp_path / "run"), "--no-progress"]) == 0
    assert len(losses(tmp_path / "run")) == 2


@pytest.mark.parametrize(
    ("capabilities", "half"), [({"avx2": True, "avx512_bf16": False}, False), ({"amx_bf16": True}, True)]
)
def test_native_is_where_the_processor_multiplies_bfloat16(monkeypatch, capabilities, half):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    config = TrainConfig(epochs=1, batch_size=1, lr=1e-3, amp_on_cpu="native", amp=False)
    assert in_bfloat16(config, torch.device("cpu")) is half
    assert in_bfloat16(config, torch.device("cuda")) is False


def test_what_else_bfloat16_may_be_is_refused(tmp_path, capsys):
    config = write_run(tmp_path / "run.yaml", tmp_path / "none", training="amp_on_cpu: sometimes")
    assert hyperlift("train", ["--config", str(config), "--checkpoint", str(tmp_path / "run")]) == 2
    assert "'sometimes' is not one of False, True, 'native'" in capsys.readouterr().err
