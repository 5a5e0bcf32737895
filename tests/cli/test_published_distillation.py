"""The documented distillation lines, as written, on a miniature pickle; one epoch, and a narrow untrained teacher."""

import dataclasses
from pathlib import Path

import pytest
import torch
from synthetic_h36m import build, write

from hyperlift.cli import convert_h36m, distill, train
from hyperlift.config import load_config
from hyperlift.geometry.contract import LifterSpec
from hyperlift.models import HyperLifter
from hyperlift.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
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
        assert convert_h36m.main([]) == 0
    return folder


@pytest.mark.parametrize("kind", ["", "_global"])
def test_the_documented_line_runs(project, monkeypatch, kind):
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
    line = (
        f"--config configs/pose3d/train_h36m_small{kind}_distill.yaml"
        f" --checkpoint checkpoint/pose3d/h36m_small{kind}_distill"
        " --hyper_cfg hyper_config/method2/manual_joint_label1.yaml --hyper_relation_bias uniform"
        " --distill_cfg distill_config/distillation_config.yaml --version 2"
    )
    assert distill.main(line.split()) == 0
    saved = load_checkpoint(f"checkpoint/pose3d/h36m_small{kind}_distill/last.safetensors")
    assert saved.spec.rootrel is (kind == "")
    assert all(torch.isfinite(weight).all() for weight in saved.model.state_dict().values())
    assert {"spatial_mimicking", "temporal_mimicking", "generation"} <= set(saved.metrics)
