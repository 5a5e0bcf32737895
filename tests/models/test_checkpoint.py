import dataclasses

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.models.checkpoint import Checkpoint, load_bin_weights, load_checkpoint, save_checkpoint
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.layers.tokens import TokenMergeConfig

CONFIG = ModelConfig(
    channels=16,
    depth=1,
    heads=2,
    n_frames=9,
    input_frame="person",
    label_space="camera",
    hypergraph=HypergraphConfig(joint_label=(0,) * 7 + (1,) + (2,) * 9),
)
SPEC = LifterSpec(name="t", label_space="camera", n_frames=9, credit="someone")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return HyperLifter(CONFIG).eval()


def test_the_file_alone_rebuilds_the_network(model, tmp_path):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, Checkpoint(model=model, spec=SPEC, run={"name": "t"}, metrics={"mpjpe": 0.05}))
    loaded = load_checkpoint(path)
    assert loaded.model.config == CONFIG
    assert loaded.spec == SPEC
    assert loaded.run == {"name": "t"}
    assert loaded.metrics == {"mpjpe": 0.05}
    x = torch.rand(2, 9, 17, 3)
    assert torch.equal(loaded.model(x), model(x))


def test_cheaper_networks_are_rebuilt_too(tmp_path):
    torch.manual_seed(0)
    config = dataclasses.replace(
        CONFIG,
        depth=3,
        share_layers=True,
        joint_block="one",
        token_merge=TokenMergeConfig(after=(1, 2)),
        frame_lifter=FrameLifterConfig(channels=24, depth=1, frames=3),
    )
    model, path = HyperLifter(config).eval(), tmp_path / "a.safetensors"
    save_checkpoint(path, Checkpoint(model=model, spec=SPEC))
    loaded = load_checkpoint(path).model
    assert loaded.config == config
    x = torch.rand(2, 8, 17, 3)
    assert torch.equal(loaded(x), model(x))


def test_checkpoints_of_before_the_transformer_was_a_module_load(tmp_path):
    config = dataclasses.replace(CONFIG, frame_lifter=FrameLifterConfig(channels=24, depth=1), smoothing=1)
    model, path, old = HyperLifter(config).eval(), tmp_path / "a.safetensors", tmp_path / "old.safetensors"
    save_checkpoint(path, Checkpoint(model=model, spec=SPEC))
    with safe_open(path, framework="pt") as file:
        weights = {name.removeprefix("transformer."): file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        save_file(weights, old, file.metadata())
    assert {"embed.weight", "frame_lifter.embed.weight", "filter.kernel"} <= set(weights)
    x = torch.rand(2, 9, 17, 3)
    assert torch.equal(load_checkpoint(old).model(x), model(x))


@pytest.mark.parametrize("prefix", ["", "module."])
def test_older_files_load_with_and_without_prefix(model, tmp_path, prefix):
    path = tmp_path / "old.bin"
    weights = {prefix + name.removeprefix("transformer."): tensor for name, tensor in model.state_dict().items()}
    torch.save({"epoch": 3, "model_pos": weights}, path)
    fresh = HyperLifter(CONFIG).eval()
    load_bin_weights(path, fresh)
    x = torch.rand(1, 9, 17, 3)
    assert torch.equal(fresh(x), model(x))


def test_a_mismatch_is_refused_by_name(model, tmp_path):
    path = tmp_path / "old.bin"
    torch.save({"model_pos": model.state_dict()}, path)
    wider = HyperLifter(dataclasses.replace(CONFIG, channels=32))
    with pytest.raises(InputError, match=r"old\.bin.*joint_position has shape \(1, 17, 16\).*\(1, 17, 32\)"):
        load_bin_weights(path, wider)
    deeper = HyperLifter(dataclasses.replace(CONFIG, depth=2))
    with pytest.raises(InputError, match=r"missing transformer\.spatial\.1"):
        load_bin_weights(path, deeper)


class Harm:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code was run')",))


def test_a_pickle_that_would_run_code_is_refused(model, tmp_path):
    path = tmp_path / "old.bin"
    torch.save({"model_pos": Harm()}, path)
    with pytest.raises(InputError, match="weights only"):
        load_bin_weights(path, model)


def test_files_that_are_no_checkpoints(model, tmp_path):
    with pytest.raises(InputError, match="no such checkpoint"):
        load_checkpoint(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(InputError, match="not a safetensors file"):
        load_checkpoint(tmp_path / "text.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="hyperlift-checkpoint"):
        load_checkpoint(tmp_path / "other.safetensors")
    torch.save({"state": 1}, tmp_path / "x.bin")
    with pytest.raises(InputError, match="model_pos"):
        load_bin_weights(tmp_path / "x.bin", model)
