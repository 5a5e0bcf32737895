"""How far every bone may reach into depth, told to the network instead of left to be learned."""

import torch
from torch import Tensor, nn

from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton

_LEAST_SQUARE = 1e-4
"""Under the root, so that its slope stays bounded where a bone lies in the picture plane."""


class Foreshortening(nn.Module):
    """A bone of length L seen at length d reaches sqrt(L² - d²) into depth (Taylor 2000, eq. 4, orthographic).

    Which L a bone has and whether it points to the camera or away is for the network to find; an MLP would have to
    spend its first layers on approximating the root.

    Args:
        skeleton: whose joints; a joint without parent counts as a bone of no length.
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
        """Numbers a joint."""
        return 1 + len(self.lengths)

    def forward(self, points: Float[Tensor, "clips frames joints 2"]) -> Float[Tensor, "clips frames joints features"]:
        """Seen length of the bone that ends in a joint, and how deep it would reach for every candidate."""
        square = (points - points.index_select(2, self.parents)).square().sum(-1, keepdim=True).clamp(min=_LEAST_SQUARE)
        deep = (self.lengths.square() - square).clamp(min=_LEAST_SQUARE)
        return torch.cat([square, deep], dim=-1).sqrt()
