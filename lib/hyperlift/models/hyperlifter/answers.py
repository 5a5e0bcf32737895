"""What the parts of a network answer for every joint, and what becomes of it.

A part answers three numbers a joint, its place; with ``uncertainty`` a fourth, the logarithm of its standard deviation.
The answers of several parts are added. Where feet and hands are predicted from the joints that they hang on, their
places count from there until the very end.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.config import ModelConfig
from hyperlift.shapes import Float
from hyperlift.skeletons.extremities import PARENTS_OF_EXTREMITIES

PLACE = slice(0, 3)
LOG_STD = 3

FIRST_LOG_STD = math.log(0.1)
"""What a network that knows nothing says: 10 cm."""
_LEAST_STD, _MOST_STD = 1e-3, 2.0
"""Bounds in metres. The root, which has no error, is given the lower one."""


class Lifted(NamedTuple):
    """What a network says of a clip."""

    pose: Float[Tensor, "clips frames joints 3"]
    std: Float[Tensor, "clips frames joints"] | None
    """Of the error along each axis, after the best scale of the clip with the root at 0; metres of a body of standard
    size. None of a network without ``uncertainty``."""


class Answers(nn.Module):
    """From the added answers to a pose with its uncertainty.

    Args:
        config: ``skeleton``, ``extremities``, ``uncertainty`` and ``rootrel`` count.
    """

    parents: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.rootrel, self.uncertainty = config.rootrel, config.uncertainty
        self.root, self.tokens = config.token_skeleton.root, len(config.token_skeleton)
        self.predicts_extremities = config.predicts_extremities
        self.register_buffer("parents", torch.tensor(PARENTS_OF_EXTREMITIES), persistent=False)

    def rooted(self, answer: Float[Tensor, "clips frames joints n"]) -> Float[Tensor, "clips frames joints n"]:
        """The root at 0, where poses are root-relative."""
        if not self.rootrel:
            return answer
        root = answer[:, :, self.root : self.root + 1]
        if self.uncertainty:
            root = nn.functional.pad(root[..., PLACE], (0, 1))
        if not self.predicts_extremities:
            return answer - root
        return torch.cat([answer[:, :, : self.tokens] - root, answer[:, :, self.tokens :]], dim=2)

    def lifted(self, answer: Float[Tensor, "clips frames joints n"]) -> Lifted:
        """Feet and hands at the ends of their limbs, and the uncertainty as a standard deviation."""
        pose = answer[..., PLACE] if self.uncertainty else answer
        if self.predicts_extremities:
            core = pose[:, :, : self.tokens]
            pose = torch.cat([core, core.index_select(2, self.parents) + pose[:, :, self.tokens :]], dim=2)
        if not self.uncertainty:
            return Lifted(pose, None)
        std = answer[..., LOG_STD].clamp(math.log(_LEAST_STD), math.log(_MOST_STD)).exp()
        if self.rootrel:
            own = torch.arange(std.shape[-1], device=std.device) != self.root
            std = torch.where(own, std, torch.full_like(std, _LEAST_STD))
        return Lifted(pose, std)


@torch.no_grad()
def start_uncertain(head: nn.Linear) -> None:
    """Let a fresh head of four numbers a joint begin with ``FIRST_LOG_STD`` everywhere."""
    head.weight.unflatten(0, (-1, 4))[:, LOG_STD] = 0.0
    head.bias.unflatten(0, (-1, 4))[:, LOG_STD] = FIRST_LOG_STD
