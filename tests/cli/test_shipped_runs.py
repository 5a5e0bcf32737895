"""Every shipped run configuration builds its network; those of other skeletons train, with their hyperedges."""

import dataclasses
from pathlib import Path

import pytest
import torch
import yaml
from tiny_store import write_store

from hyperlift.cli.main import run as hyperlift
from hyperlift.cli.training_chain import chain_of
from hyperlift.cli.training_stores import recipe_of
from hyperlift.config.loader import load_config, to_mapping
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.training.config import RunConfig

ROOT = Path(__file__).resolve().parents[2]
RUNS = sorted([*ROOT.glob("configs/pose3d/*.yaml"), *ROOT.glob("configs/wild/*.yaml")])
OTHER_SKELETONS = {"coco17": "coco17", "mpi_inf_3dhp": "mpi_inf_3dhp17"}


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_every_shipped_run_builds_its_network(path):
    config = load_config(path, RunConfig).model
    with torch.device("meta"):
        model = HyperLifter(config)
    pose2d = torch.empty(1, config.n_frames, len(model.skeleton), 3, device="meta")
    assert model.to("meta")(pose2d).shape == pose2d.shape


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        (
            "small_stream",
            ["small_frames", "small_windows", "small_stream_windows", "small_attention", "small_stream"],
        ),
        ("small", ["small_frames", "small_windows", "small_attention", "small"]),
        ("nano", ["small_frames", "small_windows", "nano_windows", "nano"]),
        ("full", ["full"]),
    ],
)
def test_stages_fit_each_other_and_their_stores_have_recipes(name, stages, monkeypatch):
    monkeypatch.chdir(ROOT)
    chain = chain_of(Path(f"configs/wild/{name}.yaml"))
    assert [stage.run.name for stage in chain] == stages
    assert [stage.folder.path for stage in chain] == [Path("checkpoint/pose3d", stage) for stage in stages]
    named = {store.name: recipe_of(store) for stage in chain for store in (stage.run.data.root, *stage.run.data.more)}
    both = {"mocap-wild": "mocap_wild.yaml", "mocap-upright": "mocap_upright.yaml"}
    expected = {"mocap-wild-243": "mocap_wild.yaml"} if name == "full" else both
    assert named == {store: Path("configs/data", recipe) for store, recipe in expected.items()}


@pytest.mark.parametrize("name", OTHER_SKELETONS)
def test_other_skeletons_train_and_are_scored(name, tmp_path, capsys):
    """The shipped file with a narrow, shallow network and short clips."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    skeleton = OTHER_SKELETONS[name]
    store = write_store(tmp_path / "store", skeleton=skeleton)
    run = load_config(ROOT / f"configs/pose3d/train_{name}_small.yaml", RunConfig)
    model = dataclasses.replace(run.model, channels=8, depth=1, n_frames=9)
    training = dataclasses.replace(run.training, epochs=1)
    small = dataclasses.replace(run, model=model, training=training)
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({**to_mapping(small), "data": {"root": str(store)}}))
    command = ["--config", str(tmp_path / "run.yaml"), "--checkpoint", str(tmp_path / "run"), "--no-progress"]
    assert hyperlift("train", command) == 0
    torch.set_num_threads(threads)
    loaded = load_checkpoint(tmp_path / "run" / "last.safetensors")
    assert loaded.spec.skeleton == skeleton
    members = loaded.model.config.hypergraph.hyperedges
    assert members == load_config(ROOT / f"hyper_config/{name}/limbs.yaml", HypergraphConfig).hyperedges
    assert {joint for edge in members for joint in edge} == set(skeleton_named(skeleton).joints)
    capsys.readouterr()
    assert hyperlift("evaluate", ["--evaluate", str(tmp_path / "run" / "last.safetensors")]) == 0
    assert "MPI-INF-3DHP" in capsys.readouterr().out or skeleton == "coco17"
