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

    def __call__(self, model: nn.Module, pose2d: Tensor, label: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Lift and compare."""
        if self.one_frame:
            frame = int(torch.randint(pose2d.shape[1], ()))
            return pose_loss(model(pose2d, frame).float(), label[:, frame : frame + 1], self.weights, self.skeleton)
        # Losses in float32: differences of neighbouring frames vanish in bfloat16.
        return pose_loss(model(pose2d).float(), label, self.weights, self.skeleton)
