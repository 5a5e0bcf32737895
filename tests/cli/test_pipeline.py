"""The commands one after the other, as a user runs them: store, train, resume, evaluate, export, lift."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from shared_data import shared_path

from hyperlift.cli import train
from hyperlift.cli.main import run as hyperlift
from hyperlift.models.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """
name: pipeline
data: {{root: {root}, validation: {validation}}}
model: {{channels: 16, depth: 1, heads: 2, drop_path: 0.1, n_frames: 27, {model}}}
loss: {{temporal_consistency: 0.0}}
training: {{epochs: 2, batch_size: 16, clips_per_epoch: 96, lr: 2.0e-3}}
"""
CAMERA = "frame_patch: 3, input_frame: person, label_space: camera"
IMAGE = "label_space: image"


def write_config(folder: Path, model: str, validation: str = "test") -> Path:
    path = folder / "run.yaml"
    path.write_text(CONFIG.format(root=folder / "store", model=model, validation=validation))
    return path


def convert(folder: Path, *source: str) -> None:
    sizes = ["--n_frames", "27", "--stride", "27", "--views", "1"]
    assert hyperlift("convert-mocap", [*source, *sizes, "--out", str(folder / "store")]) == 0


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run_commands(folder: Path, keypoints: Path, size: str, fps: str) -> None:
    config, run = folder / "run.yaml", folder / "run"
    checkpoint, onnx, out = run / "last.safetensors", folder / "lifter.onnx", folder / "out"
    hyper = str(ROOT / "hyper_config/method2/manual_joint_label2.yaml")
    options = ["--hyper_cfg", hyper, "--hyper_relation_bias", "none", "--version", "2", "--no-progress"]
    assert hyperlift("train", ["--config", str(config), "--checkpoint", str(run), *options]) == 0
    model = load_checkpoint(checkpoint).model.config
    assert model.relation_bias == "none"
    assert model.hypergraph.joint_label is not None
    assert max(model.hypergraph.joint_label) == 2

    assert hyperlift("evaluate", ["--evaluate", str(checkpoint), "--json", str(folder / "scores.json")]) == 0
    assert hyperlift("evaluate", ["--onnx", "none.onnx", "--data", str(folder / "store")]) == 2
    scores = json.loads((folder / "scores.json").read_text())
    assert scores

    assert hyperlift("export", ["--evaluate", str(checkpoint), "--deployment", str(onnx)]) == 0
    arguments = ["--keypoints", str(keypoints), "--video-size", size, "--fps", fps, "--onnx", str(onnx)]
    assert hyperlift("lift", [*arguments, "--no-render", "--out", str(out)]) == 0
    with np.load(out / "pose3d.npz") as poses:
        meta = json.loads(str(poses["meta"]))
        people = sorted({name.split("/")[0] for name in poses.files if "/" in name})
        assert people
        for person in people:
            pose = poses[f"{person}/pose_norm"]
            assert pose.shape == (len(poses[f"{person}/frame"]), 17, 3)
            assert poses[f"{person}/valid"].shape == pose.shape[:2]
            assert np.isfinite(pose).all()
            assert np.all(np.diff(poses[f"{person}/time_s"]) > 0)
    assert "camera" in json.dumps(meta)


@pytest.mark.parametrize("model", [CAMERA, IMAGE], ids=["camera", "image"])
def test_on_invented_motion(tmp_path, model):
    convert(tmp_path, "--procedural", "10")
    write_config(tmp_path, model)
    run_commands(tmp_path, ROOT / "examples" / "sports2d_demo.alphapose.json", "1768x994", "30")


def test_on_real_motion(tmp_path):
    convert(tmp_path, "--arrays", str(shared_path("data/mocap/index.json").parent))
    write_config(tmp_path, CAMERA)
    run_commands(tmp_path, shared_path("data/wild/multiperson_cam01.alphapose.json"), "1088x1920", "60")
    bench = shared_path("data/mocapbench/test.npz")
    predictions = tmp_path / "pred.npz"
    arguments = ["--evaluate", str(tmp_path / "run" / "last.safetensors"), "--bench", str(bench)]
    assert hyperlift("evaluate", [*arguments, "--no-flip", "--save", str(predictions)]) == 0
    scored = subprocess.run(
        [sys.executable, str(bench.parent / "score.py"), str(bench), str(predictions)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert scored.stdout.startswith("n_mpjpe")


def test_a_resumed_command_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    convert(tmp_path, "--procedural", "10")
    config = write_config(tmp_path, CAMERA)

    def run(folder: str, *more: str) -> int:
        return hyperlift(
            "train", ["--config", str(config), "--checkpoint", str(tmp_path / folder), "--no-progress", *more]
        )

    assert run("whole") == 0

    class PowerCut(BaseException):
        pass

    real_epoch = train.Trainer._train_epoch

    def until_second(self):
        if self.epoch == 1:
            raise PowerCut
        return real_epoch(self)

    monkeypatch.setattr(train.Trainer, "_train_epoch", until_second)
    with pytest.raises(PowerCut):
        run("cut")
    monkeypatch.undo()
    assert run("cut") == 2  # the folder holds a run: going on must be said
    assert run("cut", "-r", str(tmp_path / "cut" / "last.resume.pt")) == 0
    whole, cut = (load_checkpoint(tmp_path / name / "last.safetensors").model.state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_a_killed_run_goes_on(tmp_path):
    convert(tmp_path, "--procedural", "10")
    config = write_config(tmp_path, CAMERA)
    config.write_text(config.read_text().replace("epochs: 2", "epochs: 500"))
    run = tmp_path / "run"
    command = [
        sys.executable,
        str(ROOT / "train.py"),
        "--config",
        str(config),
        "--checkpoint",
        str(run),
        "--no-progress",
    ]
    process = subprocess.Popen([*command, "--threads", "1"])
    log = run / "log.jsonl"
    while process.poll() is None and not (log.exists() and len(log.read_text().splitlines()) >= 2):
        time.sleep(0.02)
    process.kill()
    process.wait()
    done = len(log.read_text().splitlines())
    load_checkpoint(run / "last.safetensors")
    state = torch.load(run / "last.resume.pt", weights_only=True)
    assert state["epoch"] <= done <= state["epoch"] + 1  # the log has an epoch's line before its state is there
    process = subprocess.Popen([*command, "--threads", "1", "-r", str(run / "last.resume.pt")])
    while process.poll() is None and len(log.read_text().splitlines()) < done + 2:
        time.sleep(0.02)
    process.kill()
    process.wait()
    epochs = [json.loads(line)["epoch"] for line in log.read_text().splitlines()]
    assert epochs == list(range(1, len(epochs) + 1))  # none is missing, none stands there twice


def test_finetuning_starts_from_a_checkpoint(tmp_path, capsys):
    convert(tmp_path, "--procedural", "10")
    config = write_config(tmp_path, CAMERA)
    base = ["--config", str(config), "--no-progress", "--checkpoint"]
    assert hyperlift("train", [*base, str(tmp_path / "first")]) == 0
    text = config.read_text()
    config.write_text(text.replace("epochs: 2", "epochs: 1, finetune: true, partial_train: [head]"))
    assert hyperlift("train", [*base, str(tmp_path / "second")]) == 2
    assert "finetuning wants both" in capsys.readouterr().err
    first = tmp_path / "first" / "last.safetensors"
    assert hyperlift("train", [*base, str(tmp_path / "second"), "-p", str(first)]) == 0
    before, after = (load_checkpoint(tmp_path / n / "last.safetensors").model.state_dict() for n in ("first", "second"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if name.startswith("transformer.head")}
    assert (tmp_path / "second" / "curves.png").stat().st_size > 5000
    environment = json.loads((tmp_path / "second" / "config.json").read_text())["environment"]
    assert environment["torch"] == torch.__version__
    config.write_text(text.replace("epochs: 2", "epochs: 1, finetune: true, partial_train: [tail]"))
    assert hyperlift("train", [*base, str(tmp_path / "third"), "-p", str(first)]) == 2
    assert "no parameter begins with ['tail']" in capsys.readouterr().err
    assert not (tmp_path / "third").exists()


def test_a_network_of_exact_projections_is_scored_on_them(tmp_path, capsys):
    convert(tmp_path, "--procedural", "10")
    config = write_config(tmp_path, CAMERA)
    config.write_text(config.read_text().replace("validation: test", "validation: test, gt_2d: true"))
    assert hyperlift("train", ["--config", str(config), "--checkpoint", str(tmp_path / "run"), "--no-progress"]) == 0
    checkpoint = str(tmp_path / "run" / "last.safetensors")
    capsys.readouterr()
    assert hyperlift("evaluate", ["--evaluate", checkpoint]) == 0
    exact = capsys.readouterr().out
    assert "exact projections (GT 2D)" in exact
    config.write_text(config.read_text().replace("gt_2d: true", "gt_2d: false"))
    assert hyperlift("evaluate", ["--evaluate", checkpoint, "--config", str(config)]) == 0
    detected = capsys.readouterr().out
    assert "input:     detections" in detected
    assert exact.splitlines()[-1] != detected.splitlines()[-1]


BAD = [
    (["--config", "none.yaml"], "none.yaml: no such file"),
    (["--config", "{config}", "--version", "3"], "--version is 3"),
    (["--config", "{config}", "--hyper_cfg", "{short}"], "16 entries"),
    (["--config", "{config}", "--data", "{folder}/nowhere"], "nowhere/train/meta.json: no such file"),
    (["--config", "{unknown}"], "unknown key colour"),
    (["--config", "{config}", "-r", "none.resume.pt"], "no such resume state"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_input_to_train(tmp_path, capsys, arguments, message):
    convert(tmp_path, "--procedural", "4")
    (tmp_path / "short.yaml").write_text(f"joint_label: {[0] * 16}")
    (tmp_path / "unknown.yaml").write_text("name: x\ncolour: red")
    paths = {name: str(tmp_path / f"{name}.yaml") for name in ("short", "unknown")}
    paths |= {"config": str(write_config(tmp_path, CAMERA)), "folder": str(tmp_path)}
    run = tmp_path / "run"
    capsys.readouterr()
    assert hyperlift("train", [argument.format(**paths) for argument in arguments] + ["--checkpoint", str(run)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not run.exists()


def test_a_checkpoint_contradicted_by_arguments(tmp_path, capsys):
    convert(tmp_path, "--procedural", "4")
    config = write_config(tmp_path, CAMERA)
    assert hyperlift("train", ["--config", str(config), "--checkpoint", str(tmp_path / "run"), "--no-progress"]) == 0
    checkpoint = str(tmp_path / "run" / "last.safetensors")
    arguments = ["--evaluate", checkpoint, "--deployment", str(tmp_path / "a.onnx")]
    capsys.readouterr()
    assert hyperlift("export", [*arguments, "--hyper_relation_bias", "none"]) == 2
    assert "relation_bias is 'none' by the arguments, 'uniform' in the checkpoint" in capsys.readouterr().err
    assert (
        hyperlift("export", [*arguments, "--hyper_cfg", str(ROOT / "hyper_config/method2/manual_joint_label2.yaml")])
        == 2
    )
    error = capsys.readouterr().err
    assert "hypergraph.joint_label is [0, 0, 0" in error
    assert "query_term" not in error
    write_config(tmp_path, CAMERA.replace("frame_patch: 3", "frame_patch: 9"))
    assert hyperlift("export", [*arguments, "--config", str(config)]) == 2
    assert "frame_patch is 9 by the arguments, 3 in the checkpoint" in capsys.readouterr().err
    assert not (tmp_path / "a.onnx").exists()


SCRIPTS = [
    "train.py",
    "train_distill.py",
    "evaluate.py",
    "vis_attn.py",
    "infer_wild.py",
    "deployment/deployment_pose3d.py",
    "tools/convert_mocap.py",
    "tools/train_wild.py",
    "tools/model_card.py",
    "tools/draw_curves.py",
    "tools/convert_mpi_inf_3dhp.py",
]


@pytest.mark.parametrize("script", [*SCRIPTS, "tools/convert_h36m_mixste_style.py"])
def test_every_script_explains_itself(script):
    result = subprocess.run([sys.executable, str(ROOT / script), "--help"], capture_output=True, text=True, check=True)
    assert "usage:" in result.stdout
