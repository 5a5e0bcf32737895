"""Windows inside the graph against windows outside of it, and against the file without them."""

import numpy as np
import onnx
import pytest
import torch

from hyperlift.contract import LifterSpec
from hyperlift.export.any_length import take_any_length
from hyperlift.export.onnx import export_onnx
from hyperlift.lifting.windows import lift_windows
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.runtime.session import onnxruntime

WINDOW = 9


@pytest.fixture(scope="module", params=["transformer", "frames"])
def sessions(request, tmp_path_factory):
    """The same network as a file of at most nine frames, and of any number."""
    kinds = {
        "transformer": {"depth": 2, "frame_patch": 3},
        "frames": {"depth": 0, "frame_lifter": FrameLifterConfig(channels=24, depth=1, frames=3), "smoothing": 2},
    }
    sizes = {"channels": 16, "heads": 2, "n_frames": WINDOW, "drop_path": 0.0}
    config = ModelConfig(**{**sizes, **kinds[request.param], "input_frame": "person", "label_space": "camera"})
    torch.manual_seed(0)
    model = HyperLifter(config).eval()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    path = tmp_path_factory.mktemp("lifter") / "lifter.onnx"
    assert export_onnx(model, LifterSpec(name="t", label_space="camera", n_frames=WINDOW), path).passed
    short = onnx.load(path)
    long = take_any_length(short, WINDOW)
    onnx.checker.check_model(long)
    assert long.metadata_props == short.metadata_props
    return [onnxruntime.InferenceSession(proto.SerializeToString()) for proto in (short, long)]


def clips(number: int, frames: int) -> np.ndarray:
    pose2d = np.random.default_rng(frames).uniform(-1, 1, (number, frames, 17, 3)).astype(np.float32)
    pose2d[..., 2] = np.abs(pose2d[..., 2])
    return pose2d


def run(session: onnxruntime.InferenceSession, pose2d: np.ndarray) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: pose2d})[0]


@pytest.mark.parametrize(("number", "frames"), [(1, 1), (3, 2), (2, 8), (2, 9)])
def test_a_clip_of_up_to_a_window_is_lifted_as_without_the_loop(sessions, number, frames):
    short, long = sessions
    pose2d = clips(number, frames)
    np.testing.assert_allclose(run(long, pose2d), run(short, pose2d), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("frames", [10, 12, 13, 14, 17, 18, 40, 101])
def test_longer_clips_are_lifted_as_by_windows_outside(sessions, frames):
    short, long = sessions
    pose2d = clips(2, frames)
    outside = [lift_windows(lambda some: run(short, some), clip, WINDOW) for clip in pose2d]
    np.testing.assert_allclose(run(long, pose2d), outside, rtol=1e-5, atol=1e-5)


def test_a_hundred_thousand_frames(sessions):
    long = sessions[1]
    lifted = run(long, clips(1, 100_000))
    assert lifted.shape == (1, 100_000, 17, 3)
    assert np.isfinite(lifted).all()
