"""Outputs of the parts of a network per joint, and their conversion to poses.

A part outputs the 3D position of each joint and, with ``uncertainty``, the logarithm of its standard deviation. Outputs
of several parts are added. Predicted feet and hands are relative to their parent joints until the final conversion.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.config import ModelConfig
from hyperlift.shapes import Float
from hyperlift.skeletons.extremities import PARENTS_OF_EXTREMITIES

PLACE = slice(0, 3)
"""Outputs of a joint that are its position."""
LOG_STD = 3
"""Output of a joint that is the logarithm of its standard deviation."""

FIRST_LOG_STD = math.log(0.1)
"""Initial output. Chosen: 10 cm, the order of the error of an untrained network."""
_MIN_STD, _MAX_STD = 1e-3, 2.0
"""Range in metres. Chosen: the size of a body bounds it. The root, which has no error, has the minimum."""


class Lifted(NamedTuple):
    """Output of a network for a clip."""

    pose: Float[Tensor, "clips frames joints 3"]
    std: Float[Tensor, "clips frames joints"] | None
    """Standard deviation of the error per axis in metres of a body of standard size, root-relative, after the optimal
    scale per clip. None without ``uncertainty``."""


class Answers(nn.Module):
    """Converts summed outputs to poses and standard deviations.

    Args:
        config: ``skeleton``, ``extremities``, ``uncertainty`` and ``rootrel`` are used.
    """

    parents: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.rootrel, self.uncertainty = config.rootrel, config.uncertainty
        self.root, self.tokens = config.token_skeleton.root, len(config.token_skeleton)
        self.predicts_extremities = config.predicts_extremities
        self.register_buffer("parents", torch.tensor(PARENTS_OF_EXTREMITIES), persistent=False)

    def rooted(self, answer: Float[Tensor, "clips frames joints n"]) -> Float[Tensor, "clips frames joints n"]:
        """Subtract the root if poses are root-relative."""
        if not self.rootrel:
            return answer
        root = answer[:, :, self.root : self.root + 1]
        if self.uncertainty:
            root = nn.functional.pad(root[..., PLACE], (0, 1))
        if not self.predicts_extremities:
            return answer - root
        return torch.cat([answer[:, :, : self.tokens] - root, answer[:, :, self.tokens :]], dim=2)

    def lifted(self, answer: Float[Tensor, "clips frames joints n"]) -> Lifted:
        """Add parent positions to feet and hands, and convert log std to std."""
        pose = answer[..., PLACE] if self.uncertainty else answer
        if self.predicts_extremities:
            core = pose[:, :, : self.tokens]
            pose = torch.cat([core, core.index_select(2, self.parents) + pose[:, :, self.tokens :]], dim=2)
        if not self.uncertainty:
            return Lifted(pose, None)
        std = answer[..., LOG_STD].clamp(math.log(_MIN_STD), math.log(_MAX_STD)).exp()
        if self.rootrel:
            own = torch.arange(std.shape[-1], device=std.device) != self.root
            std = torch.where(own, std, torch.full_like(std, _MIN_STD))
        return Lifted(pose, std)


@torch.no_grad()
def start_uncertain(head: nn.Linear) -> None:
    """Initialise a head with 4 outputs per joint so that log std is ``FIRST_LOG_STD``."""
    head.weight.unflatten(0, (-1, 4))[:, LOG_STD] = 0.0
    head.bias.unflatten(0, (-1, 4))[:, LOG_STD] = FIRST_LOG_STD
