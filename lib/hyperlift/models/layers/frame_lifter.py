"""A residual MLP that lifts one frame from its keypoints and those of a few neighbouring frames."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.models.layers.precision import in_float32
from hyperlift.models.layers.temporal_filter import TemporalFilter
from hyperlift.shapes import Float


@dataclass(frozen=True, kw_only=True)
class FrameLifterConfig:
    """Sizes of the residual MLP."""

    channels: int = 512
    depth: int = 2
    """Residual blocks; each has two linear layers."""
    neighbours: tuple[int, ...] = (0,)
    """Input frames, relative to the lifted one (the middle frame of a group). The first and last frame of a clip are
    repeated beyond its ends."""
    frames: int = 1
    """Consecutive frames lifted per evaluation: 3 costs a third per frame."""
    smoothing: int = 0
    """Half width, in frames, of a learned temporal filter of the output, initialised as the identity; 0: no filter."""

    def __post_init__(self) -> None:
        if self.smoothing < 0:
            raise InputError(f"frame_lifter: smoothing is {self.smoothing}; it counts frames")
        if 0 not in self.neighbours or len(set(self.neighbours)) < len(self.neighbours):
            raise InputError(f"frame_lifter: neighbours {list(self.neighbours)}; 0 must be among them, each once")
        if min(self.channels, self.depth) < 1:
            raise InputError(f"frame_lifter: channels {self.channels}, depth {self.depth}; both must be positive")
        if self.frames < 1:
            raise InputError(f"frame_lifter: frames is {self.frames}; it lifts at least one at once")

    def group_at(self, middle: int) -> slice:
        """The group of frames around a middle frame."""
        first = middle - self.frames // 2
        return slice(first, first + self.frames)


class FrameLifter(nn.Module):
    """Residual MLP over all joints of one frame (Martinez et al. 2017), with LayerNorm before each block.

    Every frame is a training sample, so it needs far fewer steps than attention. ``neighbours`` widen the receptive
    field as dilated convolutions do (Pavllo et al. 2019), in one layer. ``frames`` lifts several frames per evaluation.

    Args:
        config: sizes.
        joints: V.
        features: input features per joint.
        extremities: number of feet and hand joints, which have 3 input features each.
        numbers: outputs per joint.
    """

    neighbours: Tensor

    def __init__(
        self, config: FrameLifterConfig, joints: int, features: int, *, extremities: int = 0, numbers: int = 3
    ) -> None:
        super().__init__()
        channels = config.channels
        self.config, self.numbers = config, numbers
        self.embed = nn.Linear(len(config.neighbours) * (joints * features + 3 * extremities), channels)
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
        answers = numbers * (joints + extremities) * config.frames
        self.head = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, answers))
        self.filter = TemporalFilter(joints, config.smoothing) if config.smoothing else None
        self.register_buffer("neighbours", torch.tensor(config.neighbours), persistent=False)

    def forward(self, features: Float[Tensor, "clips frames seen c"]) -> Float[Tensor, "clips frames joints numbers"]:
        """Lift all frames of clips, and filter."""
        frames, group = features.shape[1], self.config.frames
        x = features.flatten(2)
        if len(self.config.neighbours) > 1 or group > 1:
            middle = torch.arange((frames + group - 1) // group, device=x.device) * group + group // 2
            x = x[:, (middle[:, None] + self.neighbours).clamp(0, frames - 1)].flatten(2)
        pose = self.lift(x)[:, :frames]
        return pose if self.filter is None else self.filter(pose)

    def lift(self, seen: Float[Tensor, "clips groups c"]) -> Float[Tensor, "clips lifted joints numbers"]:
        """Lift frames or groups from the concatenated features of their neighbours, without the filter."""
        x = self.embed(seen)
        for block in self.blocks:
            x = x + block(x)
        return in_float32(self.head, x).unflatten(-1, (self.config.frames, -1, self.numbers)).flatten(1, 2)

    @torch.no_grad()
    def start_from(self, other: "FrameLifter") -> None:
        """Copy the weights of another frame lifter.

        Weights of neighbours that the other one lacks start at 0. Weights of neighbours that this one lacks are added
        to those of the nearest neighbour. A filter of another half width is skipped. If the other lifts one frame and
        this one a group, all frames of the group start from the same output weights.

        Raises:
            InputError: channels, depth or the group of frames do not fit.
        """
        ours, theirs = self.config, other.config
        if (ours.channels, ours.depth) != (theirs.channels, theirs.depth):
            raise InputError(
                f"frame_lifter has {theirs.channels} channels and depth {theirs.depth}, the model {ours.channels} and "
                f"{ours.depth}; sizes must be the same"
            )
        if theirs.frames not in (1, ours.frames):
            raise InputError(
                f"frame_lifter lifts {theirs.frames} frames at once, the model {ours.frames}; it starts from one that "
                "lifts as many, or one frame"
            )
        weights = other.state_dict()
        for name in ("head.1.weight", "head.1.bias"):
            copies = ours.frames // theirs.frames
            weights[name] = torch.cat([weights[name]] * copies)
        known = weights["embed.weight"].unflatten(1, (len(theirs.neighbours), -1))
        grown = self.embed.weight.new_zeros(ours.channels, len(ours.neighbours), known.shape[-1])
        for number, offset in enumerate(theirs.neighbours):
            nearest = min(ours.neighbours, key=lambda seen, wanted=offset: abs(seen - wanted))
            grown[:, ours.neighbours.index(nearest)] += known[:, number]
        own = self.state_dict()
        if theirs.smoothing != ours.smoothing:
            weights = {name: tensor for name, tensor in weights.items() if not name.startswith("filter.")}
        self.load_state_dict({**own, **weights, "embed.weight": grown.flatten(1)})
