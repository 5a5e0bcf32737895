"""One command from motion to a described lifter; what stands is not made again."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch

from hyperlift.cli import convert_mocap
from hyperlift.cli.arguments import read_arguments
from hyperlift.cli.main import run as hyperlift
from hyperlift.cli.training_commands import TrainWild
from hyperlift.cli.training_stores import WantedStore, make_store
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.mocap.mocap_clips import MocapStoreConfig
from hyperlift.runtime.loading import load_lifter
from hyperlift.training.trainer import Trainer

RUN = """
name: tiny
data: {root: store, validation: test}
model: {channels: 8, depth: 1, heads: 2, n_frames: 9, frame_patch: 3, input_frame: person, label_space: camera}
training: {epochs: 2, batch_size: 16, clips_per_epoch: 32, lr: 1.0e-3}
"""
CLIPS = "n_frames: 27\nstride: 9\nview_frames: 45\nviews: 1\n"
STAGES = ("clips", "training", "ONNX", "scores, test", "curves", "model card")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    Path("run.yaml").write_text(RUN)
    Path("clips.yaml").write_text(CLIPS)
    yield tmp_path
    torch.set_num_threads(threads)


def wild(*more: str) -> int:
    return hyperlift("train-wild", ["run.yaml", "--data_config", "clips.yaml", "--out", "run", "--no-progress", *more])


def skipped(text: str) -> list[str]:
    return re.findall(r"== (.+): \S+ is there, skipped", text)


def test_one_command_makes_everything_once(project, capsys, monkeypatch):
    """The first process is stopped after the first of two epochs."""
    save = Trainer._save

    def save_and_stop(self, record):
        save(self, record)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save", save_and_stop)
        assert wild("--procedural", "3") == 130
    assert not skipped(capsys.readouterr().out)
    # The clips have the length of the network and the proportions of the recipe.
    made_by = ClipStore("store/train").meta.details["mocap"]
    assert (made_by["n_frames"], made_by["stride"], made_by["view_frames"]) == (9, 3, 15)

    # The source is not needed again.
    assert wild() == 0
    said = capsys.readouterr().out
    assert "goes on after epoch 1" in said
    assert skipped(said) == ["clips", "curves"]  # training has drawn them itself
    assert [json.loads(line)["epoch"] for line in Path("run/log.jsonl").read_text().splitlines()] == [1, 2]
    assert load_lifter(Path("run/tiny.onnx")).spec.n_frames == 9
    assert Path("run/curves.png").stat().st_size > 1000
    scores = json.loads(Path("run/scores/test.json").read_text())
    card = Path("run/tiny.md").read_text()
    assert "2 of 2 epochs of 32 clips, 4 steps of 16 clips" in card
    assert f"| **all frames** | {scores['mean_over_frames']['frames']:,} |" in card
    for action, errors in scores["actions"].items():
        row = next(line for line in card.splitlines() if line.startswith(f"| {action} |"))
        assert [float(cell) for cell in row.split("|")[3:6]] == [
            round(errors[key], 1) for key in ("p1_mm", "p2_mm", "n_mpjpe_mm")
        ]

    # Nothing is left to make; what is missing is made, with what follows from it.
    assert wild() == 0
    assert tuple(skipped(capsys.readouterr().out)) == STAGES
    Path("run/scores/test.json").unlink()
    assert wild() == 0
    assert skipped(capsys.readouterr().out) == ["clips", "training", "ONNX", "curves"]

    # Clips of another recipe are refused.
    Path("clips.yaml").write_text(CLIPS.replace("views: 1", "views: 2"))
    assert wild() == 2
    assert "made by another recipe than clips.yaml (views differ)" in capsys.readouterr().err
    shutil.rmtree("store/test")
    assert wild() == 2
    assert "store: has no split 'test'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "store: there are no clips; give their source"),
        (("--bvh", "nowhere"), "nowhere: no .bvh files there"),
        (("--asfamc", "."), ".: no .amc files there"),
        (("--procedural", "3", "--data_config", "none.yaml"), "none.yaml: no such file"),
        (("--procedural", "1"), "--procedural is 1; give at least 2"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(project, capsys, more, message):
    assert wild(*more) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in project.iterdir()) == ["clips.yaml", "run.yaml"]


def test_a_card_wants_a_checkpoint(project, capsys):
    assert hyperlift("model-card", ["--evaluate", "none.safetensors", "--data", "store", "--out", "card.md"]) == 2
    assert "none.safetensors: no such checkpoint" in capsys.readouterr().err
    assert not Path("card.md").exists()


def test_several_folders_of_arrays_are_handed_through(monkeypatch):
    conversions = []
    monkeypatch.setattr(convert_mocap, "convert", lambda *given: conversions.append(given))
    options = read_arguments(TrainWild, ["run.yaml", "--arrays", "first", "second", "--val_subjects", "06"])
    store = WantedStore(
        folder=Path("clips"),
        recipe_file=Path("recipe.yaml"),
        recipe=MocapStoreConfig(views=7),
        train="train",
        splits=frozenset({"train"}),
    )
    make_store(options.source, store)
    ((source, recipe, folder),) = conversions
    assert source.arrays == (Path("first"), Path("second"))
    assert (recipe, source.val_subjects, folder) == (MocapStoreConfig(views=7), "06", Path("clips"))
