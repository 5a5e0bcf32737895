"""Converts frames to tokens and back: patches of consecutive frames, and merging of consecutive tokens."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.shapes import Float


def to_patches(x: Float[Tensor, "clips frames joints c"], size: int) -> Float[Tensor, "clips tokens joints patch"]:
    """Stack ``size`` consecutive frames; the last frame is repeated to fill the last patch."""
    if size == 1:
        return x
    tokens = (x.shape[1] + size - 1) // size
    padded = torch.cat([x, x[:, -1:].expand(-1, size - 1, -1, -1)], dim=1)[:, : tokens * size]
    return padded.unflatten(1, (tokens, size)).transpose(2, 3).flatten(3)


def from_patches(x: Float[Tensor, "clips tokens joints patch"], size: int) -> Float[Tensor, "clips frames joints c"]:
    """The inverse of ``to_patches``; frames that fill the last patch are kept."""
    return x.unflatten(3, (size, -1)).transpose(2, 3).flatten(1, 2)


@dataclass(frozen=True, kw_only=True)
class TokenMergeConfig:
    """Merging of tokens over time."""

    after: tuple[int, ...]
    """Layers after which tokens merge: [1, 2] merges after the first layer and again after the second."""
    size: int = 3
    """Consecutive tokens that merge into one."""

    def __post_init__(self) -> None:
        if not self.after or list(self.after) != sorted(set(self.after)) or self.after[0] < 1:
            raise InputError(f"token_merge: after is {list(self.after)}; it lists numbers of layers, from 1, rising")
        if self.size < 2:
            raise InputError(f"token_merge: size is {self.size}; at least two tokens become one")


class TokenMerge(nn.Module):
    """Merges consecutive tokens of a joint into one and restores them later.

    An hourglass as in Li et al. 2024, who select tokens by clustering and restore them by attention. Here consecutive
    tokens merge by a linear map (initially their mean) and are restored by a linear map (initially a copy) plus a skip
    connection from before the merge.

    Args:
        channels: C.
        size: tokens that merge into one.
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
        """Merge; the last token is repeated to fill the last group."""
        return self.together(to_patches(x, self.size))

    def restore(
        self, merged: Float[Tensor, "clips merged joints c"], early: Float[Tensor, "clips tokens joints c"]
    ) -> Float[Tensor, "clips tokens joints c"]:
        """Restore the tokens.

        Args:
            merged: merged tokens after further layers.
            early: tokens before the merge.
        """
        return early + from_patches(self.apart(merged), self.size)[:, : early.shape[1]]
