"""The documented distillation lines, as written, on a miniature pickle; one epoch, and a narrow untrained teacher."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_h36m import build, write

from hyperlift.cli import train
from hyperlift.cli.main import run as hyperlift
from hyperlift.config.loader import load_config
from hyperlift.contract import LifterSpec
from hyperlift.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.training.config import RunConfig

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    for name in ("configs", "hyper_config", "distill_config"):
        (folder / name).symlink_to(ROOT / name)
    content = build(
        train=(("s_01_act_02_subact_01", "Directions", 490),),
        test=(("s_09_act_02_subact_01", "Directions", 490),),
        cameras=("54138969",),
    )
    write(folder / "data/motion3d/H36M-SH/h36m_sh_conf_cam_source_final.pkl", content)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert hyperlift("convert-h36m", []) == 0
    return folder


@pytest.mark.parametrize("kind", ["", "_global"])
def test_the_documented_lines_run(project, monkeypatch, capsys, kind):
    monkeypatch.chdir(project)
    full = load_config(f"configs/pose3d/train_h36m{kind}.yaml", RunConfig).model
    teacher = HyperLifter(dataclasses.replace(full, channels=16))
    spec = LifterSpec(name="t", rootrel=full.rootrel)
    save_checkpoint(f"checkpoint/pose3d/h36m{kind}/best.safetensors", Checkpoint(model=teacher, spec=spec))
    real_fit = train.Trainer.fit

    def one_epoch(self):
        self.config = dataclasses.replace(self.config, epochs=1)
        return real_fit(self)

    monkeypatch.setattr(train.Trainer, "fit", one_epoch)
    hyper = " --hyper_cfg hyper_config/method2/manual_joint_label1.yaml --hyper_relation_bias uniform --version 2"
    config = f"--config configs/pose3d/train_h36m_small{kind}_distill.yaml{hyper}"
    run = f" --checkpoint checkpoint/pose3d/h36m_small{kind}_distill"
    assert hyperlift("distill", f"{config}{run} --distill_cfg distill_config/distillation_config.yaml".split()) == 0
    saved = load_checkpoint(f"checkpoint/pose3d/h36m_small{kind}_distill/last.safetensors")
    assert saved.spec.rootrel is (kind == "")
    assert all(torch.isfinite(weight).all() for weight in saved.model.state_dict().values())
    assert {"spatial_mimicking", "temporal_mimicking", "generation"} <= set(saved.metrics)

    student = f" --evaluate checkpoint/pose3d/h36m_small{kind}_distill/best.safetensors"
    plain = f"--config configs/pose3d/train_h36m_small{kind}.yaml --checkpoint checkpoint/pose3d/h36m_small{kind}"
    capsys.readouterr()
    assert hyperlift("evaluate", f"{plain}{hyper}{student} --no-flip".split()) == 0
    assert "published, windows of 243 frames" in capsys.readouterr().out
    monkeypatch.setattr("hyperlift.rendering.pictures.attention_page._DPI", 30)
    few = " --layers 1,5 --heads 0,7 --frames 0,100-104"
    assert hyperlift("attention", f"{config}{student}{few}".split()) == 0
    page = Path(f"vis_data/h36m_small{kind}_distill")
    assert "s_09_act_02_subact_01_ca_01" in (page / "index.html").read_text(encoding="utf-8")
    with np.load(page / "attention.npz") as saved:
        assert saved["spatial"].shape == (2, 2, 6, 17, 17)
        assert saved["temporal"].shape == (2, 2, 17, 6, 243)
        assert saved["frame"].tolist() == [0, 100, 101, 102, 103, 104]
        assert np.allclose(saved["temporal"].sum(-1), 1, atol=1e-4)
