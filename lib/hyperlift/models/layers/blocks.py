"""The pre-norm residual block around every attention."""

from typing import cast

import torch
from torch import Tensor, nn

from hyperlift.shapes import Float


class DropPath(nn.Module):
    """Adds a residual branch; in training it drops the branch of random samples (Huang et al. 2016).

    Args:
        rate: probability that the branch of a sample is dropped.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(
        self, x: Float[Tensor, "batch tokens channels"], branch: Float[Tensor, "batch tokens channels"]
    ) -> Float[Tensor, "batch tokens channels"]:
        """x + branch; in training the kept branches are divided by 1 - rate, so that the mean is unchanged."""
        if not self.training or self.rate == 0.0:
            return x + branch
        kept = torch.rand(x.shape[0], 1, 1, device=x.device) >= self.rate
        # One pass over memory, which dominates the cost.
        return torch.addcmul(x, branch, kept.to(x.dtype) / (1.0 - self.rate))


class Block(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x)).

    Args:
        channels: C.
        attention: maps [batch, tokens, C] to the same shape.
        mlp_ratio: hidden width of the MLP divided by C.
        drop_path: stochastic depth of both branches.
    """

    def __init__(self, channels: int, attention: nn.Module, mlp_ratio: float, drop_path: float) -> None:
        super().__init__()
        hidden = round(channels * mlp_ratio)
        self.norm1 = nn.LayerNorm(channels)
        self.attention = attention
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Float[Tensor, "batch tokens channels"]) -> Float[Tensor, "batch tokens channels"]:
        """Apply the attention branch, then the MLP branch."""
        x = self.drop_path(x, cast(Tensor, self.attention(self.norm1(x))))
        return self.drop_path(x, self.mlp(self.norm2(x)))
