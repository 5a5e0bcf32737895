"""Frames to tokens and back: patches of neighbouring frames, and neighbouring tokens that merge half way."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.shapes import Float


def to_patches(x: Float[Tensor, "clips frames joints c"], size: int) -> Float[Tensor, "clips tokens joints patch"]:
    """Stack ``size`` neighbouring frames; the last frame is repeated until the last patch is full."""
    if size == 1:
        return x
    tokens = (x.shape[1] + size - 1) // size
    padded = torch.cat([x, x[:, -1:].expand(-1, size - 1, -1, -1)], dim=1)[:, : tokens * size]
    return padded.unflatten(1, (tokens, size)).transpose(2, 3).flatten(3)


def from_patches(x: Float[Tensor, "clips tokens joints patch"], size: int) -> Float[Tensor, "clips frames joints c"]:
    """The inverse of ``to_patches``, but for the frames that filled the last patch: they are still there."""
    return x.unflatten(3, (size, -1)).transpose(2, 3).flatten(1, 2)


@dataclass(frozen=True, kw_only=True)
class TokenMergeConfig:
    """Where a transformer goes over to fewer tokens."""

    after: tuple[int, ...]
    """After how many layers, once or several times: [1, 2] merges after the first layer and again after the second."""
    size: int = 3
    """Neighbouring tokens that become one."""

    def __post_init__(self) -> None:
        if not self.after or list(self.after) != sorted(set(self.after)) or self.after[0] < 1:
            raise InputError(f"token_merge: after is {list(self.after)}; it lists numbers of layers, from 1, rising")
        if self.size < 2:
            raise InputError(f"token_merge: size is {self.size}; at least two tokens become one")


class TokenMerge(nn.Module):
    """Neighbouring tokens of a joint become one, and are told apart again at the end.

    The hourglass of Li et al. 2024, who choose tokens by clustering and restore them by attention. Here neighbours
    merge, both ways are linear maps, and what the tokens were before is added. It starts as their mean going one way,
    and going the other as the sum of what became of that and what each token was.

    Args:
        channels: C.
        size: tokens that become one.
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.together = nn.Linear(size * channels, channels)
        self.apart = nn.Linear(channels, size * channels)
        with torch.no_grad():
            self.together.weight.copy_(torch.eye(channels).repeat(1, size) / size)
            self.apart.weight.copy_(torch.eye(channels).repeat(size, 1))
        nn.init.zeros_(self.together.bias)
        nn.init.zeros_(self.apart.bias)

    def forward(self, x: Float[Tensor, "clips tokens joints c"]) -> Float[Tensor, "clips merged joints c"]:
        """Merge; the last token is repeated until there are enough."""
        return self.together(to_patches(x, self.size))

    def restore(
        self, merged: Float[Tensor, "clips merged joints c"], early: Float[Tensor, "clips tokens joints c"]
    ) -> Float[Tensor, "clips tokens joints c"]:
        """Undo it.

        Args:
            merged: what became of the merged tokens.
            early: what was merged.
        """
        return early + from_patches(self.apart(merged), self.size)[:, : early.shape[1]]
