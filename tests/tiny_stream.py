"""A small streaming lifter with weights far from zero, and its step as an ONNX file."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch

from hyperlift.contract import LifterSpec
from hyperlift.export.stream import export_stream
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.hyperlifter.streaming import StreamingConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig

LOOK_BACK, LOOK_AHEAD = 7, 3


def stream_config(**changes) -> ModelConfig:
    config = {
        "channels": 16,
        "depth": 2,
        "heads": 2,
        "drop_path": 0.0,
        "n_frames": 12,
        "input_frame": "person",
        "label_space": "camera",
        "frame_lifter": FrameLifterConfig(channels=24, depth=1, neighbours=(-9, -2, 0, 1, 2)),
        "smoothing": 1,
        "streaming": StreamingConfig(look_back=LOOK_BACK, look_ahead=LOOK_AHEAD),
    }
    return ModelConfig(**{**config, **changes})


def stream_network(**changes) -> HyperLifter:
    torch.manual_seed(0)
    model = HyperLifter(stream_config(**changes)).eval()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def stream_spec(model: HyperLifter) -> LifterSpec:
    return LifterSpec(name="stream", label_space=model.config.label_space, n_frames=model.config.n_frames)


def stream_clips(people: int, frames: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(people, frames, 17, 3, generator=torch.Generator().manual_seed(seed))


@cache
def tiny_stream() -> tuple[HyperLifter, Path]:
    """The network and its exported step; made once a process."""
    model = stream_network()
    folder = Path(tempfile.mkdtemp())
    assert export_stream(model, stream_spec(model), folder / "step.onnx").passed
    return model, folder / "step.onnx"


def lifted_whole(model: HyperLifter, clip: np.ndarray) -> np.ndarray:
    """[frames, joints, 3] of one clip at once, by torch."""
    with torch.inference_mode():
        return model(torch.from_numpy(clip)[None].float())[0].numpy()
