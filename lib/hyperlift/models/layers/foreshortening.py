"""Depth extent of bones from their projected length, as an input feature."""

import torch
from torch import Tensor, nn

from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton

_MIN_SQUARE = 1e-4
"""Minimum of the radicand: bounds the gradient of bones parallel to the picture. Part of trained networks."""


class Foreshortening(nn.Module):
    """A bone of length L and projected length d spans sqrt(L² - d²) in depth (Taylor 2000, eq. 4, orthographic).

    The network learns which L applies and the sign of the depth. The feature spares an MLP the approximation of the
    square root.

    Args:
        skeleton: its bones are used; the root counts as a bone of length 0.
        lengths: candidates for L, in the units of the input.
    """

    lengths: Tensor
    parents: Tensor

    def __init__(self, skeleton: Skeleton, lengths: tuple[float, ...]) -> None:
        super().__init__()
        parents = list(range(len(skeleton)))
        for parent, child in skeleton.bones:
            parents[child] = parent
        self.register_buffer("parents", torch.tensor(parents), persistent=False)
        self.register_buffer("lengths", torch.tensor(lengths), persistent=False)

    @property
    def features(self) -> int:
        """Features per joint."""
        return 1 + len(self.lengths)

    def forward(self, points: Float[Tensor, "clips frames joints 2"]) -> Float[Tensor, "clips frames joints features"]:
        """Per joint: projected length of the bone that ends there, and its depth extent for each candidate length."""
        square = (points - points.index_select(2, self.parents)).square().sum(-1, keepdim=True).clamp(min=_MIN_SQUARE)
        deep = (self.lengths.square() - square).clamp(min=_MIN_SQUARE)
        return torch.cat([square, deep], dim=-1).sqrt()
