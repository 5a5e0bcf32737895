"""Causal attention over time with relative positions, for streams."""

import torch
from torch import Tensor, nn

from hyperlift.models.layers.attention import Operands, TemporalAttention
from hyperlift.shapes import Float, Int

_MASKED = -1e9
"""Added to masked logits: their weight is exactly 0 in float32, and unlike -inf it cannot give 0 / 0 in a softmax."""


class CausalAttention(TemporalAttention):
    """Each token attends to itself and the ``look_back - 1`` tokens before it: logits q·k d^-1/2 + b_h[lag].

    The learned bias b per head and lag is the only encoding of time (relative positions, T5, Raffel et al. 2020). It is
    initialised with one slope per head (ALiBi, Press et al. 2022).

    Args:
        channels: C.
        heads: number of heads.
        look_back: tokens in the window, including the query.
    """

    def __init__(self, channels: int, heads: int, look_back: int) -> None:
        super().__init__(channels, heads)
        self.look_back = look_back
        slope = 2.0 ** (-8.0 * (torch.arange(heads) + 1) / heads)
        self.lag_bias = nn.Parameter(-slope[:, None] * torch.arange(look_back))

    def bias_of(self, lag: Int[Tensor, "*places"]) -> Float[Tensor, "*places heads"]:
        """Bias of the logits.

        Args:
            lag: index of the query minus index of the key; keys outside 0 to ``look_back - 1`` are masked.
        """
        return biases_at(lag, self.lag_bias)

    def operands(self, x: Float[Tensor, "batch frames channels"]) -> Operands:
        """Queries, keys and values of all heads, and the causal bias."""
        q, k, v, _ = super().operands(x)
        place = torch.arange(x.shape[1], device=x.device)
        return Operands(q, k, v, self.bias_of(place[:, None] - place).permute(2, 0, 1)[None].to(q.dtype))


def biases_at(
    lag: Int[Tensor, "*places"], lag_bias: Float[Tensor, "heads look_back"]
) -> Float[Tensor, "*places heads"]:
    """Look up the biases of the heads of one or several layers."""
    heads, look_back = lag_bias.shape
    table = torch.cat([lag_bias, lag_bias.new_full((heads, 1), _MASKED)], dim=1).transpose(0, 1)
    row = lag.masked_fill((lag < 0) | (lag >= look_back), look_back)
    return table.index_select(0, row.flatten()).reshape(*lag.shape, heads)
