"""Plain training: minimise the distance to the label."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from hyperlift.losses import LossWeights, pose_loss
from hyperlift.skeletons import Skeleton


@dataclass(frozen=True)
class SupervisedStep:
    """The weighted pose losses; a ``LossStep``."""

    weights: LossWeights
    skeleton: Skeleton

    def __call__(self, model: nn.Module, pose2d: Tensor, label: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Lift and compare."""
        # Losses in float32: differences of neighbouring frames vanish in bfloat16.
        return pose_loss(model(pose2d).float(), label, self.weights, self.skeleton)
