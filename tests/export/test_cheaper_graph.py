"""What export does to a network and its graph so that a CPU computes it faster."""

from collections import Counter

import numpy as np
import onnx
import pytest
import torch

from hyperlift.contract import LifterSpec
from hyperlift.export.fold_shared_inputs import fold_shared_inputs
from hyperlift.export.onnx import export_onnx
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.predictor import TorchPredictor
from hyperlift.runtime.session import OnnxLifter


@pytest.fixture(scope="module", params=[(), (0.4, 0.6)], ids=["plain", "foreshortening"])
def model(request):
    torch.manual_seed(0)
    config = ModelConfig(
        channels=16,
        depth=0,
        n_frames=12,
        input_frame="person",
        label_space="camera",
        frame_lifter=FrameLifterConfig(channels=24, depth=2, neighbours=(-4, -1, 0, 2), smoothing=1),
        smoothing=2,
        foreshortening=request.param,
    )
    model = HyperLifter(config).eval()
    for parameter in model.parameters():  # far from the initial weights, where much is zero
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def clips(number, frames):
    pose2d = np.random.default_rng(2).uniform(-1, 1, (number, frames, 17, 3)).astype(np.float32)
    pose2d[..., 2] = np.abs(pose2d[..., 2])
    return pose2d


def test_the_place_of_a_person_is_multiplied_once_and_the_poses_stay(model):
    less = fold_shared_inputs(model)
    saved = model.frame_lifter.embed.in_features - less.frame_lifter.frame_lifter.embed.in_features
    assert saved == 4 * (17 - 1) * 3  # three numbers of all joints but one, for each of four neighbours
    for number, frames in [(1, 1), (2, 5), (3, 12)]:
        pose2d = torch.from_numpy(clips(number, frames))
        with torch.no_grad():
            assert (less(pose2d) - model(pose2d)).abs().max() < 1e-5


def test_the_file_holds_fast_operators_and_the_same_poses(model, tmp_path):
    path = tmp_path / "lifter.onnx"
    spec = LifterSpec(name="t", label_space="camera", rootrel=True, n_frames=12, credit="CMU")
    assert export_onnx(model, spec, path).passed
    graph = onnx.load(path)
    onnx.checker.check_model(graph)
    kinds = Counter(node.op_type for node in graph.graph.node)
    assert kinds["Gelu"] == 2
    assert not kinds["Erf"]
    assert not kinds["GatherND"]
    lifter, predict = OnnxLifter(path, str(path)), TorchPredictor(model)
    for number, frames in [(1, 1), (1, 3), (2, 5), (3, 12)]:
        pose2d = clips(number, frames)
        assert np.abs(lifter(pose2d) - predict(pose2d)).max() < 1e-5
