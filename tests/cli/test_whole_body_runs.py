"""Training a lifter of 25 joints from the command line: a whole run, and stores that have no feet."""

import json

import numpy as np
import pytest
from tiny_store import write_run, write_store

from hyperlift.cli.main import run as hyperlift
from hyperlift.config.loader import load_config
from hyperlift.errors import InputError
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.training.config import RunConfig

WHOLE = "skeleton: h36m25, extremities: predicted, uncertainty: true, label_space: camera, input_frame: person"
LOSS = "loss: {extremities: 0.5, uncertainty: 0.01, temporal_consistency: 0.0}\n"


def run_file(folder, store, model=WHOLE, loss=LOSS):
    path = write_run(folder / "whole.yaml", store, model=model)
    path.write_text(path.read_text() + loss)
    return path


def test_a_run_trains_and_its_checkpoint_says_how_sure_it_is(tmp_path):
    config = run_file(tmp_path, write_store(tmp_path / "store", skeleton="h36m25"))
    assert hyperlift("train", ["--config", str(config), "--checkpoint", str(tmp_path / "run"), "--no-progress"]) == 0
    record = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert {"extremities", "uncertainty", "position"} <= record.keys()
    assert {"n_mpjpe", "extremities"} <= record["validation"].keys()
    checkpoint = load_checkpoint(tmp_path / "run" / "last.safetensors")
    assert checkpoint.spec.skeleton == "h36m25"
    assert checkpoint.model.config.predicts_extremities


def test_a_store_without_feet_is_refused_with_the_command_that_makes_it(tmp_path, capsys):
    config = run_file(tmp_path, write_store(tmp_path / "store"))
    assert hyperlift("train", ["--config", str(config), "--checkpoint", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "holds skeleton h36m17, the config asks for h36m25" in said
    assert f"--config configs/data/mocap_whole_wild.yaml --out {tmp_path / 'store'}" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("model", "loss", "message"),
    [
        (WHOLE, "loss: {extremities: 0.5}\n", "model.uncertainty is true and loss.uncertainty 0"),
        (WHOLE, "loss: {uncertainty: 0.5}\n", "model.extremities is predicted and loss.extremities 0"),
        ("skeleton: h36m17", "loss: {extremities: 0.5}\n", "model.extremities is tokens and loss.extremities 0.5"),
    ],
)
def test_network_and_loss_fit_each_other(tmp_path, model, loss, message):
    with pytest.raises(InputError, match=message):
        load_config(run_file(tmp_path, tmp_path, model, loss), RunConfig)


def test_feet_do_not_count_in_the_error_of_the_seventeen(tmp_path):
    from torch import nn, tensor

    from hyperlift.datasets.clips import LabelConvention, open_clips
    from hyperlift.training.supervised import validation_error

    write_store(tmp_path / "store", skeleton="h36m25")
    clips = open_clips(tmp_path / "store" / "test", LabelConvention("camera", True))

    class FeetOff(nn.Module):
        def __init__(self):
            super().__init__()
            self.nothing = nn.Parameter(tensor(0.0))
            self.first = 0

        def forward(self, pose2d):
            labels = np.stack([clips.pair(self.first + clip)[1] for clip in range(len(pose2d))])
            self.first += len(pose2d)
            labels[:, :, 17:] += [0.0, 0.3, 0.4]
            return tensor(labels)

    error = validation_error(FeetOff(), clips)
    assert error["mpjpe"] == pytest.approx(0.0, abs=1e-6)
    assert error["extremities"] == pytest.approx(0.5, rel=1e-5)
