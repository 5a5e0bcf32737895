import json

import numpy as np
import onnx
import pytest
import torch

from hyperlift.contract import METADATA_KEY, LifterSpec
from hyperlift.export.onnx import compare, export_onnx
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.layers.tokens import TokenMergeConfig
from hyperlift.models.predictor import TorchPredictor
from hyperlift.runtime.session import OnnxLifter
from hyperlift.skeletons.joint_sets import H36M_17

CONFIGS = {
    "published": ModelConfig(channels=16, depth=2, heads=2, n_frames=12),
    "bundled": ModelConfig(
        channels=16, depth=2, heads=2, n_frames=27, frame_patch=9, input_frame="person", label_space="camera"
    ),
    "frames first": ModelConfig(
        channels=16,
        depth=1,
        heads=2,
        n_frames=12,
        frame_patch=3,
        input_frame="person",
        label_space="camera",
        frame_lifter=FrameLifterConfig(channels=24, depth=2),
    ),
    "frames alone": ModelConfig(
        channels=16,
        depth=0,
        n_frames=12,
        input_frame="person",
        label_space="camera",
        frame_lifter=FrameLifterConfig(channels=24, depth=1),
    ),
    "frames_together": ModelConfig(
        channels=16,
        depth=0,
        heads=2,
        n_frames=13,
        frame_lifter=FrameLifterConfig(channels=24, depth=1, neighbours=(-3, -1, 0, 2), frames=3, smoothing=2),
        smoothing=2,
        input_frame="person",
        label_space="camera",
    ),
    "hourglass": ModelConfig(
        channels=16, depth=3, heads=2, n_frames=13, token_merge=TokenMergeConfig(after=(1, 2), size=2)
    ),
    "cheap": ModelConfig(
        channels=16,
        depth=3,
        heads=2,
        n_frames=12,
        frame_patch=3,
        token_merge=TokenMergeConfig(after=(1,), size=2),
        joint_block="one",
        share_layers=True,
        mlp_ratio=0.5,
        frame_lifter=FrameLifterConfig(channels=24, depth=1, frames=3),
        input_frame="person",
        label_space="camera",
    ),
    "global": ModelConfig(
        channels=16,
        depth=1,
        heads=2,
        n_frames=12,
        rootrel=False,
        relation_bias="none",
        hypergraph=HypergraphConfig(joint_label=(0,) * 7 + (1,) + (2,) * 9),
    ),
}


def network(config: ModelConfig) -> HyperLifter:
    torch.manual_seed(0)
    model = HyperLifter(config).eval()
    for parameter in model.parameters():  # far from the initial weights, where much is zero
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def spec(config: ModelConfig) -> LifterSpec:
    return LifterSpec(
        name="t",
        label_space=config.label_space,
        rootrel=config.rootrel,
        n_frames=config.n_frames,
        credit="CMU",
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_the_file_equals_torch_at_any_number_and_length(name, tmp_path):
    model = network(CONFIGS[name])
    path = tmp_path / "lifter.onnx"
    parity = export_onnx(model, spec(model.config), path)
    assert parity.passed
    lifter, predict = OnnxLifter(path, str(path)), TorchPredictor(model)
    rng = np.random.default_rng(1)
    for clips, frames in [(1, 1), (1, 2), (2, 4), (5, 12), (7, 11)]:
        pose2d = rng.uniform(-1, 1, (clips, frames, 17, 3)).astype(np.float32)
        assert np.abs(lifter(pose2d) - predict(pose2d)).max() < 1e-4


@pytest.mark.parametrize("name", CONFIGS)
def test_clips_and_frames_have_the_same_names_at_both_ports(name, tmp_path):
    """Also where frames are taken together, so that the number of frames that go out is a formula to the exporter."""
    model = network(CONFIGS[name])
    export_onnx(model, spec(model.config), tmp_path / "lifter.onnx")
    graph = onnx.load(tmp_path / "lifter.onnx").graph
    for port in (*graph.input, *graph.output):
        assert [size.dim_param for size in port.type.tensor_type.shape.dim[:2]] == ["clips", "frames"], port.name


def test_the_contract_is_in_the_file(tmp_path):
    model = network(CONFIGS["bundled"])
    path = tmp_path / "lifter.onnx"
    export_onnx(model, spec(model.config), path)
    proto = onnx.load(path)
    onnx.checker.check_model(proto)
    (given,), (answer,) = proto.graph.input, proto.graph.output
    assert (given.name, answer.name) == ("pose2d", "pose3d")
    for port in (given, answer):
        sizes = port.type.tensor_type.shape.dim
        assert [size.dim_value for size in sizes[2:]] == [17, 3]
        assert [size.dim_param for size in sizes[:2]] == ["clips", "frames"]
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(metadata[METADATA_KEY])["label_space"] == "camera"
    assert json.loads(metadata[METADATA_KEY])["licence"] == "Apache-2.0"
    assert json.loads(metadata[METADATA_KEY])["fps"] == 25.0
    assert metadata["joints"].split(",") == list(H36M_17.joints)
    assert "width" in metadata["normalisation"]
    assert LifterSpec.from_metadata(metadata, "x") == spec(model.config)


def test_a_different_network_is_noticed(tmp_path):
    model = network(CONFIGS["published"])
    path = tmp_path / "lifter.onnx"
    export_onnx(model, spec(model.config), path)
    model.transformer.head[1].bias.data[2] += 0.01
    model.transformer.head[1].weight.data[2] += 0.05
    assert not compare(model, path).passed


def test_a_file_that_differs_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("hyperlift.export.onnx.TOLERANCE", -1.0)
    model = network(CONFIGS["published"])
    parity = export_onnx(model, spec(model.config), tmp_path / "lifter.onnx")
    assert not parity.passed
    assert not list(tmp_path.iterdir())
