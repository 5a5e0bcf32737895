"""Receptive field of the streaming network, bounded by its look-ahead and look-back.

When frame t arrives, the pose of frame t - look_ahead is returned. The first frame is repeated before the start and the
last one after the end, so that a clip and a stream of the same frames have equal poses.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hyperlift.errors import InputError
from hyperlift.shapes import Float, Int


@dataclass(frozen=True, kw_only=True)
class StreamingConfig:
    """Receptive field, in frames, of a network that lifts frame by frame."""

    look_back: int = 40
    """Tokens in the temporal cache, and frames over which the spread of a person is measured."""
    look_ahead: int = 4
    """Frames that must arrive after a frame before its pose is returned: the delay."""

    def __post_init__(self) -> None:
        if self.look_back < 1 or self.look_ahead < 0:
            raise InputError(
                f"streaming: look_back {self.look_back}, look_ahead {self.look_ahead}; at least 1 and 0 frames"
            )


@dataclass(frozen=True)
class ReceptiveField:
    """Frames that the parts of a streaming network use.

    Raises:
        InputError: the parts need more than ``look_ahead`` future frames.
    """

    look_back: int
    look_ahead: int
    neighbours: tuple[int, ...]
    """Input frames of the frame lifter, relative to the lifted one."""
    smoothing: int
    """Half width of the temporal filter."""
    person: bool
    """Whether the spread of the person is measured."""

    def __post_init__(self) -> None:
        ahead = max(self.neighbours) + self.smoothing
        if ahead > self.look_ahead:
            raise InputError(
                f"streaming: look_ahead is {self.look_ahead}, but neighbours up to {max(self.neighbours)} and "
                f"smoothing {self.smoothing} see {ahead} frames ahead; give a larger look_ahead, or nearer neighbours"
            )

    @property
    def token_lag(self) -> int:
        """Frames between the newest frame and that of the newest token; the filter uses the rest of the delay."""
        return self.look_ahead - self.smoothing

    @property
    def history(self) -> int:
        """Number of latest keypoint frames to keep."""
        needed = self.token_lag - min(self.neighbours) + 1
        return max(needed, self.look_back) if self.person else needed

    def windows_of(self, clip: Float[Tensor, "clips frames joints 3"]) -> Int[Tensor, "tokens history"]:
        """Indices of the frames that have arrived when a stream computes each token of a clip.

        The temporal filter needs ``smoothing`` tokens more than the clip has frames.
        """
        frames = clip.shape[1]
        newest = torch.arange(frames + self.smoothing, device=clip.device) + self.token_lag
        back = torch.arange(1 - self.history, 1, device=clip.device)
        return (newest[:, None] + back).clamp(0, frames - 1)
