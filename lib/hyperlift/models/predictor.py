"""Wraps a torch network as a function on NumPy arrays, for evaluation and lifting."""

import numpy as np
import torch
from torch import nn

from hyperlift.shapes import Float


class TorchPredictor:
    """Lifts with a torch network in eval mode and restores the previous mode after each call.

    Args:
        model: maps [N,T,V,3] to [N,T,V,3].
        batch_size: clips per forward pass.
    """

    def __init__(self, model: nn.Module, batch_size: int = 32) -> None:
        self.model = model
        self.batch_size = batch_size

    @torch.inference_mode()
    def __call__(
        self, pose2d_norm: Float[np.ndarray, "clips frames joints 3"]
    ) -> Float[np.ndarray, "clips frames joints 3"]:
        """Lift float32 clips."""
        was_training = self.model.training
        self.model.eval()
        device = next(self.model.parameters()).device
        inputs = torch.from_numpy(np.ascontiguousarray(pose2d_norm, np.float32))
        outputs = [self.model(part.to(device)).cpu().numpy() for part in inputs.split(self.batch_size)]
        self.model.train(was_training)
        return np.concatenate(outputs)
