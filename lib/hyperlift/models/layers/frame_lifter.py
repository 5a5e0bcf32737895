"""A lifter of single frames: what an MLP makes of one picture, before anything looks at time."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.shapes import Float


@dataclass(frozen=True, kw_only=True)
class FrameLifterConfig:
    """Sizes of the residual MLP."""

    channels: int = 512
    depth: int = 2
    """Residual blocks of two linear layers each."""

    def __post_init__(self) -> None:
        if min(self.channels, self.depth) < 1:
            raise InputError(f"frame_lifter: channels {self.channels}, depth {self.depth}; both must be positive")


class FrameLifter(nn.Module):
    """All joints of one frame through one residual MLP, as Martinez et al. 2017 lift, pre-normalised by LayerNorm.

    It sees the whole body at once and every frame is a sample of its own, so it learns poses from far fewer steps than
    attention does. It knows no time.

    Args:
        config: sizes.
        joints: V.
        features: numbers a joint at the input.
    """

    def __init__(self, config: FrameLifterConfig, joints: int, features: int) -> None:
        super().__init__()
        channels = config.channels
        self.embed = nn.Linear(joints * features, channels)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(channels), nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, channels)
            )
            for _ in range(config.depth)
        )
        for block in self.blocks:
            last = block[-1]  # type: ignore[index]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.head = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, 3 * joints))

    def forward(self, features: Float[Tensor, "clips frames joints c"]) -> Float[Tensor, "clips frames joints 3"]:
        """Lift every frame by itself."""
        x = self.embed(features.flatten(2))
        for block in self.blocks:
            x = x + block(x)
        pose: torch.Tensor = self.head(x)
        return pose.unflatten(-1, (-1, 3))
