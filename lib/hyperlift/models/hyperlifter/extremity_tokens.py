"""Feet and hands as inputs and outputs of the tokens of their parent joints."""

import numpy as np
import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.answers import start_uncertain
from hyperlift.models.layers.precision import in_float32
from hyperlift.models.layers.tokens import from_patches, to_patches
from hyperlift.shapes import Float
from hyperlift.skeletons.extremities import CORE, PARENTS_OF_EXTREMITIES
from hyperlift.skeletons.joint_sets import H36M_17, H36M_25

_CARRIERS = H36M_17.indices(("LAnkle", "RAnkle", "LWrist", "RWrist"))
_CARRIED = [(np.array(PARENTS_OF_EXTREMITIES) == carrier).nonzero()[0] for carrier in _CARRIERS]
"""Indices, among the eight points, of the children of each; for both ankles big toe, small toe, heel."""
_FEET, _HANDS = slice(0, 2), slice(2, 4)

assert [number for carried in _CARRIED for number in carried] == list(range(len(H36M_25) - CORE.stop))


class ExtremityTokens(nn.Module):
    """Adds keypoints of feet and hands to the tokens of ankles and wrists, and predicts their positions from these.

    Both sides share their weights.

    Args:
        channels: C.
        patch: frames per token.
        features: input features per point.
        numbers: outputs per point.
    """

    carriers: Tensor
    places: Tensor

    def __init__(self, channels: int, patch: int, features: int, numbers: int) -> None:
        super().__init__()
        self.patch, self.numbers = patch, numbers
        points = len(_CARRIED[0])
        self.foot_in = nn.Linear(points * features * patch, channels)
        self.hand_in = nn.Linear(features * patch, channels)
        self.norm = nn.LayerNorm(channels)
        self.foot_out = nn.Linear(channels, points * numbers * patch)
        self.hand_out = nn.Linear(channels, numbers * patch)
        if numbers > 3:
            start_uncertain(self.foot_out)
            start_uncertain(self.hand_out)
        places = torch.zeros(len(H36M_17), len(_CARRIERS))
        places[_CARRIERS, range(len(_CARRIERS))] = 1.0
        self.register_buffer("carriers", torch.tensor(_CARRIERS), persistent=False)
        self.register_buffer("places", places, persistent=False)

    def embed(self, extremities: Float[Tensor, "clips frames 8 c"]) -> Float[Tensor, "clips tokens 17 channels"]:
        """Embedding to add to the tokens; 0 except for ankles and wrists."""
        limbs = to_patches(extremities, self.patch)  # [clips, tokens, points, frames of a token * c]
        feet = self.foot_in(limbs[:, :, :6].unflatten(2, (2, 3)).flatten(3))
        hands = self.hand_in(limbs[:, :, 6:])
        carried = torch.cat([feet, hands], dim=2)
        return self.places.to(carried.dtype) @ carried

    def forward(self, x: Float[Tensor, "clips tokens 17 channels"]) -> Float[Tensor, "clips frames 8 numbers"]:
        """Positions relative to ankle or wrist; frames that fill the last patch are kept, as in ``from_patches``."""
        return in_float32(self._answers, x.index_select(2, self.carriers))

    def _answers(self, x: Float[Tensor, "clips tokens 4 channels"]) -> Float[Tensor, "clips frames 8 numbers"]:
        x = self.norm(x)
        feet = from_patches(self.foot_out(x[:, :, _FEET]), self.patch)  # [clips, frames, 2, points * numbers]
        feet = feet.unflatten(3, (-1, self.numbers)).flatten(2, 3)
        return torch.cat([feet, from_patches(self.hand_out(x[:, :, _HANDS]), self.patch)], dim=2)

    @torch.no_grad()
    def start_at_zero(self) -> None:
        """Zero the output layers, so that the initial prediction is 0."""
        for head in (self.foot_out, self.hand_out):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
