"""A lifter of single frames: what an MLP makes of one frame and a few frames around it, before attention."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.models.layers.path_filter import PathFilter
from hyperlift.shapes import Float


@dataclass(frozen=True, kw_only=True)
class FrameLifterConfig:
    """Sizes of the residual MLP."""

    channels: int = 512
    depth: int = 2
    """Residual blocks of two linear layers each."""
    neighbours: tuple[int, ...] = (0,)
    """Which frames it sees, counted from the one that it lifts. Past the ends of a clip the end is repeated."""
    smoothing: int = 0
    """Frames on either side that a learned filter of every joint's path reaches; 0 for no filter. It starts as none."""

    def __post_init__(self) -> None:
        if self.smoothing < 0:
            raise InputError(f"frame_lifter: smoothing is {self.smoothing}; it counts frames")
        if 0 not in self.neighbours or len(set(self.neighbours)) < len(self.neighbours):
            raise InputError(f"frame_lifter: neighbours {list(self.neighbours)}; 0 must be among them, each once")
        if min(self.channels, self.depth) < 1:
            raise InputError(f"frame_lifter: channels {self.channels}, depth {self.depth}; both must be positive")


class FrameLifter(nn.Module):
    """All joints of one frame through one residual MLP, as Martinez et al. 2017 lift, pre-normalised by LayerNorm.

    It sees the whole body at once and every frame is a sample of its own, so it learns poses from far fewer steps than
    attention does. With ``neighbours`` it sees as far as the dilated convolutions of Pavllo et al. 2019, in one layer.

    Args:
        config: sizes.
        joints: V.
        features: numbers a joint at the input.
    """

    neighbours: Tensor

    def __init__(self, config: FrameLifterConfig, joints: int, features: int) -> None:
        super().__init__()
        channels = config.channels
        self.config = config
        self.embed = nn.Linear(len(config.neighbours) * joints * features, channels)
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
        self.filter = PathFilter(joints, config.smoothing) if config.smoothing else None
        self.register_buffer("neighbours", torch.tensor(config.neighbours), persistent=False)

    def forward(
        self, features: Float[Tensor, "clips frames joints c"], only: int | None = None
    ) -> Float[Tensor, "clips lifted joints 3"]:
        """Lift every frame, or only one.

        Args:
            features: of whole clips.
            only: number of the frame to lift, without the filter; None lifts all.
        """
        frames = features.shape[1]
        x = features.flatten(2)
        lifted = torch.arange(frames, device=x.device) if only is None else torch.tensor([only], device=x.device)
        if len(self.config.neighbours) > 1:
            x = x[:, (lifted[:, None] + self.neighbours).clamp(0, frames - 1)].flatten(2)
        elif only is not None:
            x = x[:, only : only + 1]
        x = self.embed(x)
        for block in self.blocks:
            x = x + block(x)
        pose: torch.Tensor = self.head(x).unflatten(-1, (-1, 3))
        return pose if self.filter is None or only is not None else self.filter(pose)

    @torch.no_grad()
    def start_from(self, other: "FrameLifter") -> None:
        """Take the weights of another one, which may see fewer neighbours: new ones count nothing yet. A filter of
        another reach is not taken.

        Raises:
            InputError: sizes differ, or the other sees frames that this one does not.
        """
        ours, theirs = self.config, other.config
        alien = sorted(set(theirs.neighbours) - set(ours.neighbours))
        if (ours.channels, ours.depth) != (theirs.channels, theirs.depth) or alien:
            raise InputError(
                f"frame_lifter has {theirs.channels} channels, depth {theirs.depth} and neighbours "
                f"{list(theirs.neighbours)}, the model {ours.channels}, {ours.depth} and {list(ours.neighbours)}; "
                "sizes must be the same, and its neighbours among the model's"
            )
        weights = other.state_dict()
        known = weights["embed.weight"].unflatten(1, (len(theirs.neighbours), -1))
        grown = self.embed.weight.new_zeros(ours.channels, len(ours.neighbours), known.shape[-1])
        for number, offset in enumerate(theirs.neighbours):
            grown[:, ours.neighbours.index(offset)] = known[:, number]
        own = self.state_dict()
        if theirs.smoothing != ours.smoothing:
            weights = {name: tensor for name, tensor in weights.items() if not name.startswith("filter.")}
        self.load_state_dict({**own, **weights, "embed.weight": grown.flatten(1)})
