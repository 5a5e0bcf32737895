"""The documented Human3.6M lines, as written, on a miniature pickle; only the number of epochs is cut short."""

from pathlib import Path

import pytest
import torch
from synthetic_h36m import build, write

from hyperlift.cli import train
from hyperlift.cli.main import run as hyperlift
from hyperlift.models.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
HYPER = "hyper_config/method2/manual_joint_label{}.yaml"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    for name in ("configs", "hyper_config"):
        (folder / name).symlink_to(ROOT / name)
    videos = (("s_01_act_02_subact_01", "Directions", 500),)
    tests = (("s_09_act_02_subact_01", "Directions", 500), ("s_11_act_09_subact_01", "Sitting", 500))
    content = build(train=videos, test=tests, cameras=("54138969",))
    write(folder / "data/motion3d/H36M-SH/h36m_sh_conf_cam_source_final.pkl", content)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert hyperlift("convert-h36m", []) == 0
    return folder


@pytest.mark.parametrize("kind", ["_small", "_tiny_global"])
def test_train_resume_evaluate_export(project, monkeypatch, capsys, kind):
    monkeypatch.chdir(project)
    real_fit = train.Trainer.fit

    def one_epoch(self):
        whole, self.config = self.config, self.config.__class__(**{**vars(self.config), "epochs": self.epoch + 1})
        record = real_fit(self)
        self.config = whole
        return record

    monkeypatch.setattr(train.Trainer, "fit", one_epoch)
    partition = 2 if kind.endswith("global") else 1
    config, run = f"configs/pose3d/train_h36m{kind}.yaml", f"checkpoint/pose3d/h36m{kind}"
    shared = ["--config", config, "--hyper_cfg", HYPER.format(partition), "--hyper_relation_bias", "uniform"]
    shared += ["--version", "2", "--checkpoint", run]
    assert hyperlift("train", [*shared, "--no-progress"]) == 0
    assert hyperlift("train", [*shared, "--no-progress", "-r", f"{run}/last.safetensors"]) == 0
    model = load_checkpoint(f"{run}/best.safetensors").model.config
    assert model.rootrel is not kind.endswith("global")
    assert model.label_space == "image"
    assert len((Path(run) / "log.jsonl").read_text().splitlines()) == 2

    capsys.readouterr()
    assert hyperlift("evaluate", [*shared, "--evaluate", f"{run}/best.safetensors"]) == 0
    table = capsys.readouterr().out
    for word in ("Directions", "Sitting", "P1", "P2", "published", "flip", "mean over actions"):
        assert word in table

    onnx = Path(f"{kind}.onnx")
    assert hyperlift("export", [*shared, "--evaluate", f"{run}/best.safetensors", "--deployment", str(onnx)]) == 0
    assert "1x243" in capsys.readouterr().out
    assert onnx.exists()


def test_an_older_bin_file_evaluates_and_exports(project, monkeypatch, capsys):
    from hyperlift.config.loader import load_config
    from hyperlift.models.hyperlifter.lifter import HyperLifter
    from hyperlift.training.config import RunConfig

    monkeypatch.chdir(project)
    config = "configs/pose3d/train_h36m_tiny.yaml"
    torch.manual_seed(0)
    weights = HyperLifter(load_config(config, RunConfig).model).state_dict()
    torch.save({"epoch": 1, "model_pos": {f"module.{name}": weight for name, weight in weights.items()}}, "old.bin")
    assert hyperlift("evaluate", ["--evaluate", "old.bin", "--config", config]) == 0
    assert "mean over actions" in capsys.readouterr().out
    assert hyperlift("export", ["--evaluate", "old.bin", "--deployment", "a.onnx"]) == 2
    assert "old.bin: carries no configuration; give the --config" in capsys.readouterr().err
    wrong = ["--config", "configs/pose3d/train_h36m_small.yaml", "--evaluate", "old.bin", "--deployment", "a.onnx"]
    assert hyperlift("export", wrong) == 2
    error = capsys.readouterr().err
    assert "old.bin: weights of another network" in error
    assert error.count("\n") == 1
    assert not Path("a.onnx").exists()
