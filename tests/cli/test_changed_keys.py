"""``--set`` changes keys of every YAML that a command reads."""

import json
from pathlib import Path

import pytest
from tiny_store import write_run, write_store

from hyperlift.cli.main import run as hyperlift
from hyperlift.cli.run_config import resolve_run_config
from hyperlift.cli.training_commands import Configuration
from hyperlift.config.loader import load_config
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.training.config import RunConfig


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run.yaml", write_store(tmp_path / "store"))


def test_train_records_the_changed_configuration_and_resumes_with_it(config: Path, tmp_path: Path):
    command = ["--config", str(config), "--checkpoint", str(tmp_path / "run"), "--no-progress"]
    changed = ["--set", "training.epochs=1", "training.lr=2.0e-3", "--set", "name=other"]
    assert hyperlift("train", [*command, *changed]) == 0
    run = json.loads((tmp_path / "run" / "config.json").read_text())["run"]
    assert (run["name"], run["training"]["lr"], run["training"]["epochs"]) == ("other", 0.002, 1)
    again = [*command, "-r", str(tmp_path / "run" / "last.resume.pt")]
    assert hyperlift("train", [*again, *changed]) == 0
    assert hyperlift("train", again) == 2


def test_unknown_keys_are_told_as_in_the_file(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    command = ["--config", str(config), "--checkpoint", str(tmp_path / "run")]
    assert hyperlift("train", [*command, "--set", "model.dept=4"]) == 2
    error = capsys.readouterr().err
    assert "run.yaml with model.dept=4: model: unknown key dept; known: " in error
    assert error.endswith("; did you mean depth?\n")
    assert not (tmp_path / "run").exists()
    assert hyperlift("evaluate", ["--onnx", "a.onnx", "--set", "model.depth=4"]) == 2
    assert "--set: keys of a configuration; name it with --config" in capsys.readouterr().err


def test_changes_of_the_hypergraph_hold_for_its_own_file(config: Path, tmp_path: Path):
    hyper = tmp_path / "hyper.yaml"
    hyper.write_text(f"joint_label: {[0] * 8 + [1] * 9}\n")
    given = Configuration(config=config, hyper_cfg=hyper, changes=("model.hypergraph.relation_term=false",))
    assert resolve_run_config(given).model.hypergraph.relation_term is False


def test_the_recipe_of_a_store(tmp_path: Path):
    out = tmp_path / "clips"
    sizes = ["n_frames=9", "stride=9", "views=1", "view_frames=18"]
    assert hyperlift("convert-mocap", ["--procedural", "2", "--out", str(out), "--set", *sizes]) == 0
    made_by = ClipStore(out / "train").meta.details["mocap"]
    assert (made_by["n_frames"], made_by["views"], made_by["view_frames"]) == (9, 1, 18)


def test_where_a_run_came_from_may_be_spelt_anew(config: Path, tmp_path: Path):
    """The state of a run that goes on holds what its start gave it."""
    first = ["--config", str(config), "--checkpoint", str(tmp_path / "a"), "--no-progress", "--set"]
    assert hyperlift("train", [*first, "training.epochs=1"]) == 0
    start = ["--pretrained", str(tmp_path / "a" / "last.safetensors")]
    second = ["--config", str(config), "--checkpoint", str(tmp_path / "b"), "--no-progress", "--set"]
    keys = ["training.epochs=1", "training.finetune=true"]
    assert hyperlift("train", [*second, *keys, "training.after=[a.yaml]", *start]) == 0
    goes_on = ["-r", str(tmp_path / "b" / "last.resume.pt")]
    assert hyperlift("train", [*second, *keys, "training.after=[runs/a.yaml]", *goes_on]) == 0
    assert load_config(config, RunConfig).training.after == ()
