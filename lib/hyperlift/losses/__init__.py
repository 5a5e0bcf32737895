"""Pure functions on tensors that training minimises."""

from hyperlift.losses.pose import LossWeights, pose_loss

__all__ = ["LossWeights", "pose_loss"]
