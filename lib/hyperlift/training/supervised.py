"""Plain training: minimise the distance to the label."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hyperlift.losses import LossWeights, pose_loss
from hyperlift.skeletons import Skeleton


@dataclass(frozen=True)
class SupervisedStep:
    """The weighted pose losses; a ``LossStep``."""

    weights: LossWeights
    skeleton: Skeleton
    one_frame: bool = False
    """Lift one frame of every clip, a random one for each batch. For networks without transformer."""
    frames: int = 1
    """As many neighbouring frames instead of one: what the network's frame lifter lifts at once."""

    def __call__(self, model: nn.Module, pose2d: Tensor, label: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Lift and compare."""
        if self.one_frame:
            first = int(torch.randint(pose2d.shape[1] - self.frames + 1, ()))
            lifted = model(pose2d, first + self.frames // 2).float()
            return pose_loss(lifted, label[:, first : first + self.frames], self.weights, self.skeleton)
        # Losses in float32: differences of neighbouring frames vanish in bfloat16.
        return pose_loss(model(pose2d).float(), label, self.weights, self.skeleton)
