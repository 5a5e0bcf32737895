"""What a network sees that lifts a stream: nothing further ahead than it waits, nothing further back than it keeps.

Frame t comes in, and the pose of frame t - look_ahead goes out. Before the beginning the first frame is taken to have
stood, after the end the last one, so that a clip and a stream of the same frames are lifted alike.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hyperlift.errors import InputError
from hyperlift.shapes import Float, Int


@dataclass(frozen=True, kw_only=True)
class StreamingConfig:
    """How far a network sees that lifts frame by frame."""

    look_back: int = 40
    """Frames whose temporal keys and values are kept, and over which a person's size is measured."""
    look_ahead: int = 4
    """Frames that must have come after a frame before its pose is given; the delay."""

    def __post_init__(self) -> None:
        if self.look_back < 1 or self.look_ahead < 0:
            raise InputError(
                f"streaming: look_back {self.look_back}, look_ahead {self.look_ahead}; at least 1 and 0 frames"
            )


@dataclass(frozen=True)
class Reach:
    """Which frames the parts of a streaming network see.

    Raises:
        InputError: they see further ahead than the network waits.
    """

    look_back: int
    look_ahead: int
    neighbours: tuple[int, ...]
    """Frames that the first stage sees, counted from the one that it lifts."""
    smoothing: int
    """Reach of the final filter, on either side."""
    person: bool
    """Whether the size of the person is measured."""

    def __post_init__(self) -> None:
        ahead = max(self.neighbours) + self.smoothing
        if ahead > self.look_ahead:
            raise InputError(
                f"streaming: look_ahead is {self.look_ahead}, but neighbours up to {max(self.neighbours)} and "
                f"smoothing {self.smoothing} see {ahead} frames ahead; give a larger look_ahead, or nearer neighbours"
            )

    @property
    def token_lag(self) -> int:
        """Frames from the newest one back to that of the newest token; the final filter takes the rest."""
        return self.look_ahead - self.smoothing

    @property
    def history(self) -> int:
        """Latest frames of keypoints that are needed."""
        needed = self.token_lag - min(self.neighbours) + 1
        return max(needed, self.look_back) if self.person else needed

    def windows_of(self, clip: Float[Tensor, "clips frames joints 3"]) -> Int[Tensor, "tokens history"]:
        """The frames of a clip that each of its tokens sees, as a stream would have them. The final filter wants as
        many tokens more as it reaches ahead."""
        frames = clip.shape[1]
        newest = torch.arange(frames + self.smoothing, device=clip.device) + self.token_lag
        back = torch.arange(1 - self.history, 1, device=clip.device)
        return (newest[:, None] + back).clamp(0, frames - 1)
