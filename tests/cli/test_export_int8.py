"""``export --int8`` from a checkpoint to two files and a report."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from hyperlift.cli.main import run as hyperlift
from hyperlift.contract import LifterSpec
from hyperlift.export.calibration import read_calibration
from hyperlift.files import swap
from hyperlift.models.checkpoint import Checkpoint, save_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.runtime.loading import load_lifter

CONFIG = ModelConfig(
    channels=16,
    depth=1,
    heads=2,
    n_frames=9,
    frame_patch=3,
    label_space="camera",
    frame_lifter=FrameLifterConfig(channels=32, depth=1),
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    model = HyperLifter(CONFIG).eval()
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    spec = LifterSpec(name="t", label_space="camera", n_frames=CONFIG.n_frames, credit="CMU")
    path = tmp_path_factory.mktemp("run") / "best.safetensors"
    save_checkpoint(path, Checkpoint(model=model, spec=spec))
    return path


def test_both_files_and_the_report_are_written(checkpoint, tmp_path, capsys, monkeypatch):
    clip = np.random.default_rng(0).uniform(-1, 1, (40, 17, 3)).astype(np.float32)
    clip[..., 2] = np.abs(clip[..., 2])
    np.savez(tmp_path / "clip.npz", pose2d_norm=clip)
    out = tmp_path / "out" / "lifter.onnx"
    command = ["--evaluate", str(checkpoint), "--deployment", str(out), "--int8"]
    command += ["--calibration", str(tmp_path / "clip.npz"), "--max_int8_error_mm", "1e6"]
    assert hyperlift("export", command) == 0
    assert sorted(path.name for path in out.parent.iterdir()) == ["lifter-int8.json", "lifter-int8.onnx", "lifter.onnx"]
    printed = capsys.readouterr().out
    for word in ("largest difference from torch", "3 x 9 frames", "worst joint", "int8, level all", "lifter-int8.onnx"):
        assert word in printed
    report = json.loads((out.parent / "lifter-int8.json").read_text())
    plain, small = load_lifter(out), load_lifter(out.parent / "lifter-int8.onnx")
    assert small.spec == plain.spec
    calibration = read_calibration(tmp_path / "clip.npz", plain.spec)
    calls = np.split(calibration.windows(4, 9), 4)
    by_hand = 1000 * np.concatenate([np.linalg.norm(small(call) - plain(call), axis=-1) for call in calls])
    (reported,) = (s["distance"] for s in report["shapes"] if (s["clips"], s["frames"]) == (1, 9))
    assert reported["max_mm"] == pytest.approx(by_hand.max(), rel=1e-3)
    assert report["limit_mm"] == 1e6

    written = {path.name: path.read_bytes() for path in out.parent.iterdir()}
    renamed = swap.os.replace

    def killed(source, target):
        if str(target).endswith("lifter.onnx") and out.parent == Path(target).parent:
            raise KeyboardInterrupt
        renamed(source, target)

    monkeypatch.setattr(swap.os, "replace", killed)
    assert hyperlift("export", [*command, "--keep_fp32", "none"]) == 130
    monkeypatch.undo()
    assert "lifter-int8.json" not in os.listdir(out.parent), "a report beside files of another run"
    swap.complete_swap(out.parent)
    assert sorted(os.listdir(out.parent)) == sorted(written)
    assert load_lifter(out).spec == plain.spec


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--max_int8_error_mm", "0"], "more than --max-int8-error-mm 0; raise it"),
        (["--max_int8_error_mm", "few"], "--max-int8-error-mm is 'few'; expected a number"),
        (["--keep_fp32", "tail"], "no multiplication is named 'tail'; there are "),
        (["--calibration", "none.npz"], "none.npz: there is no such file"),
    ],
)
def test_what_is_refused_leaves_nothing(checkpoint, tmp_path, capsys, more, message):
    out = tmp_path / "lifter.onnx"
    keep = [] if "--keep_fp32" in more else ["--keep_fp32", "none"]
    assert hyperlift("export", ["--evaluate", str(checkpoint), "--deployment", str(out), "--int8", *keep, *more]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert ("worst joint" in captured.out) == (more[-1] == "0")
    assert not list(tmp_path.iterdir())
