"""Distillation as a user runs it, on invented motion: teacher, student, resume, evaluation, and what is refused."""

import json
from pathlib import Path

import pytest
import torch

from hyperlift.cli import train
from hyperlift.cli.main import run as hyperlift
from hyperlift.models.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]

RUN = """
name: {name}
data: {{root: {root}}}
model: {{channels: {channels}, depth: {depth}, heads: 2, n_frames: 27, frame_patch: {patch}, label_space: camera}}
loss: {{temporal_consistency: 0.0}}
training: {{epochs: {epochs}, batch_size: 8, clips_per_epoch: 24, lr: 2.0e-3}}
"""
PARTS = """
teacher: {teacher}
spatial_mimicking: {{student_layers: [0], teacher_layers: [1], weight: 1.0e-4}}
temporal_mimicking: {{enabled: false}}
generation: {{student_layers: [{layer}], teacher_layers: [1], balance: 0.3}}
output: {{enabled: true}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A store and a teacher that has seen one epoch of it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("distill")
    sizes = ["--n_frames", "27", "--stride", "27", "--views", "1"]
    assert hyperlift("convert-mocap", ["--procedural", "6", *sizes, "--out", str(folder / "store")]) == 0
    runs = {"teacher": (16, 2, 3, 1), "student": (8, 1, 3, 2), "coarse": (8, 1, 9, 2)}
    for name, (channels, depth, patch, epochs) in runs.items():
        values = {"name": name, "channels": channels, "depth": depth, "patch": patch, "epochs": epochs}
        (folder / f"{name}.yaml").write_text(RUN.format(root=folder / "store", **values))
    (folder / "compiled.yaml").write_text((folder / "student.yaml").read_text().replace("lr:", "compile: true, lr:"))
    arguments = ["--config", str(folder / "teacher.yaml"), "--checkpoint", str(folder / "teacher"), "--no-progress"]
    assert hyperlift("train", arguments) == 0
    teacher = folder / "teacher" / "last.safetensors"
    (folder / "parts.yaml").write_text(PARTS.format(teacher=teacher, layer=0))
    (folder / "deep.yaml").write_text(PARTS.format(teacher=teacher, layer=1))
    (folder / "lost.yaml").write_text(PARTS.format(teacher="nowhere.safetensors", layer=0))
    yield folder
    torch.set_num_threads(threads)


def arguments(project: Path, run: Path, config: str = "student", parts: str = "parts") -> list[str]:
    files = ["--config", str(project / f"{config}.yaml"), "--distill_cfg", str(project / f"{parts}.yaml")]
    hyper = ["--hyper_cfg", str(ROOT / "hyper_config/method2/manual_joint_label2.yaml")]
    return [
        *files,
        *hyper,
        "--hyper_relation_bias",
        "uniform",
        "--version",
        "2",
        "--checkpoint",
        str(run),
        "--no-progress",
    ]


def test_distil_resume_and_evaluate(project, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert hyperlift("distill", arguments(project, whole)) == 0
    log = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert len(log) == 2
    assert {"position", "spatial_mimicking", "generation", "generation_weight", "output"} <= set(log[0])
    assert "temporal_mimicking" not in log[0]
    saved = load_checkpoint(whole / "last.safetensors")
    assert saved.model.config.channels == 8
    assert saved.run["distillation"]["output"]["enabled"]
    assert len(saved.run["distillation"]["teacher_sha256"]) == 64

    class PowerCut(BaseException):
        pass

    real_epoch = train.Trainer._train_epoch

    def until_second(self):
        if self.epoch == 1:
            raise PowerCut
        return real_epoch(self)

    monkeypatch.setattr(train.Trainer, "_train_epoch", until_second)
    with pytest.raises(PowerCut):
        hyperlift("distill", arguments(project, cut))
    monkeypatch.undo()
    assert hyperlift("distill", arguments(project, cut)) == 2
    moved = tmp_path / "moved.safetensors"  # the teacher is known by its content
    moved.write_bytes((project / "teacher" / "last.safetensors").read_bytes())
    go_on = ["-r", str(cut / "last.resume.pt")]
    other = ["--teacher", str(whole / "last.safetensors")]
    assert hyperlift("distill", [*arguments(project, cut), *go_on, "--teacher", str(moved)]) == 0
    ours, theirs = (load_checkpoint(run / "last.safetensors").model.state_dict() for run in (whole, cut))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert hyperlift("distill", [*arguments(project, cut), *go_on, *other]) == 2
    assert hyperlift("evaluate", ["--evaluate", str(whole / "last.safetensors")]) == 0


BAD = [
    ("compiled", "parts", "training.compile hides the layers that spatial_mimicking, generation compare"),
    ("coarse", "parts", "frame_patch is 3 in the teacher, 9 in the student"),
    ("student", "deep", "generation.student_layers names layer 1; the student has layers 0 to 0"),
    ("student", "lost", "nowhere.safetensors: no such teacher; train it first, or give --teacher"),
    ("student", "none", "none.yaml: no such file"),
]


@pytest.mark.parametrize(("config", "parts", "message"), BAD, ids=[message for *_, message in BAD])
def test_what_does_not_fit_is_said_before_anything_is_written(project, tmp_path, capsys, config, parts, message):
    run = tmp_path / "run"
    capsys.readouterr()
    assert hyperlift("distill", arguments(project, run, config, parts)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not run.exists()
