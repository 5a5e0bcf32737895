"""Attention over the past alone, which a stream can go on with: how far back counts, not where a clip began."""

import torch
from torch import Tensor, nn

from hyperlift.models.layers.attention import Operands, TemporalAttention
from hyperlift.shapes import Float, Int

_UNSEEN = -1e9
"""Added to the logit of a token that may not be seen: its weight becomes exactly 0, and no softmax 0 / 0."""


class CausalAttention(TemporalAttention):
    """Each token sees itself and the ``look_back - 1`` tokens before it: logits q·k d^-1/2 + b_h[lag].

    The learned bias b of every head and lag is all that tells of time (relative positions as Raffel et al. 2020, T5).
    It starts as a slope that is another for every head (Press et al. 2022, ALiBi).

    Args:
        channels: C.
        heads: number of heads.
        look_back: tokens that are seen, the own one counted.
    """

    def __init__(self, channels: int, heads: int, look_back: int) -> None:
        super().__init__(channels, heads)
        self.look_back = look_back
        slope = 2.0 ** (-8.0 * (torch.arange(heads) + 1) / heads)
        self.lag_bias = nn.Parameter(-slope[:, None] * torch.arange(look_back))

    def bias_of(self, lag: Int[Tensor, "*places"]) -> Float[Tensor, "*places heads"]:
        """What is added to the logits.

        Args:
            lag: tokens between the one that looks and the one that is looked at; what lies outside 0 to
                ``look_back - 1`` is not seen.
        """
        return biases_at(lag, self.lag_bias)

    def operands(self, x: Float[Tensor, "batch frames channels"]) -> Operands:
        """Queries, keys and values of all heads, and the bias that hides the future."""
        q, k, v, _ = super().operands(x)
        place = torch.arange(x.shape[1], device=x.device)
        return Operands(q, k, v, self.bias_of(place[:, None] - place).permute(2, 0, 1)[None].to(q.dtype))


def biases_at(
    lag: Int[Tensor, "*places"], lag_bias: Float[Tensor, "heads look_back"]
) -> Float[Tensor, "*places heads"]:
    """Look biases up, of the heads of one layer or of several."""
    heads, look_back = lag_bias.shape
    table = torch.cat([lag_bias, lag_bias.new_full((heads, 1), _UNSEEN)], dim=1).transpose(0, 1)
    row = lag.masked_fill((lag < 0) | (lag >= look_back), look_back)
    return table.index_select(0, row.flatten()).reshape(*lag.shape, heads)
