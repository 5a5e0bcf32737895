"""Small networks with feet, hands and an uncertainty, and clips for them."""

import torch

from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.hyperlifter.streaming import StreamingConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig

_LIFTER = FrameLifterConfig(channels=24, depth=1, neighbours=(-2, 0, 1))
NETWORKS = {
    "windows": {"depth": 0, "frame_lifter": _LIFTER, "foreshortening": (0.4,)},
    "together": {"depth": 0, "frame_lifter": FrameLifterConfig(channels=24, depth=1, frames=3), "smoothing": 2},
    "transformer": {"frame_patch": 3, "foreshortening": (0.4,)},
    "both": {"frame_patch": 3, "frame_lifter": _LIFTER, "foreshortening": (0.4,), "smoothing": 2},
    "stream": {
        "frame_lifter": _LIFTER,
        "foreshortening": (0.4,),
        "smoothing": 1,
        "streaming": StreamingConfig(look_back=4, look_ahead=3),
    },
    "stream_frames": {
        "depth": 0,
        "frame_lifter": _LIFTER,
        "smoothing": 1,
        "streaming": StreamingConfig(look_back=4, look_ahead=2),
    },
}


def network(name: str, trained: bool = True) -> HyperLifter:
    """One of ``NETWORKS`` in eval mode; "trained" is far from its initial weights, where much is zero."""
    sizes = {"channels": 16, "depth": 2, "heads": 2, "n_frames": 9, "drop_path": 0.0}
    kind = {"skeleton": "h36m25", "extremities": "predicted", "uncertainty": True}
    seen = {"input_frame": "person", "label_space": "camera"}
    torch.manual_seed(0)
    model = HyperLifter(ModelConfig(**{**sizes, **kind, **seen, **NETWORKS[name]})).eval()
    if trained:
        for parameter in model.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def clips_25(clips: int, frames: int, seed: int = 0) -> torch.Tensor:
    """Random keypoints of ``H36M_25``."""
    return torch.rand(clips, frames, 25, 3, generator=torch.Generator().manual_seed(seed))
