"""Attention over joints, over hyperedges and over time. Each takes [batch, tokens, channels]."""

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from hyperlift.shapes import Float


def split_heads(x: Float[Tensor, "batch tokens channels"], heads: int) -> Float[Tensor, "batch heads tokens d"]:
    """Channels to heads of d = channels / heads."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(x: Float[Tensor, "batch heads tokens d"]) -> Float[Tensor, "batch tokens channels"]:
    """The inverse of ``split_heads``."""
    return x.transpose(1, 2).flatten(2)


class TemporalAttention(nn.Module):
    """Plain multi-head attention; here the tokens are the frames of one joint (Vaswani et al. 2017, eq. 1)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Float[Tensor, "batch frames channels"]) -> Float[Tensor, "batch frames channels"]:
        """Attend over frames."""
        q, k, v = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        return self.out(join_heads(scaled_dot_product_attention(q, k, v)))


class SpatialAttention(nn.Module):
    """Attention over joints with the joint-relation bias: logits (q·k + alpha A_h) d^-1/2.

    Args:
        channels: C.
        heads: number of heads.
        relation: what the learned matrix A_h of every head starts from.
    """

    def __init__(self, channels: int, heads: int, relation: Float[Tensor, "joints joints"]) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.relation = nn.Parameter(relation.repeat(heads, 1, 1))
        self.alpha = nn.Parameter(torch.ones(()))

    def forward(self, x: Float[Tensor, "batch joints channels"]) -> Float[Tensor, "batch joints channels"]:
        """Attend over joints."""
        q, k, v = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        bias = (self.alpha * q.shape[-1] ** -0.5) * self.relation
        return self.out(join_heads(scaled_dot_product_attention(q, k, v, attn_mask=bias[None].to(q.dtype))))


class HyperedgeAttention(nn.Module):
    """Joint-to-hyperedge attention: logits (q_i·e_j + w_h·e_j) d^-1/2, values from the joints.

    e_E = Linear(mean of the features of the joints in E) is handed back to every joint of E; a joint of several
    hyperedges gets their mean.

    Args:
        channels: C.
        heads: number of heads.
        edge_mean: [edges, joints], rows average the joints of a hyperedge.
        hand_back: [joints, edges], rows average the hyperedges of a joint.
        query_term: keep q_i·e_j.
        bias_term: keep w_h·e_j.
    """

    to_edges: Tensor

    def __init__(
        self,
        channels: int,
        heads: int,
        edge_mean: Float[Tensor, "edges joints"],
        hand_back: Float[Tensor, "joints edges"],
        *,
        query_term: bool = True,
        bias_term: bool = True,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.query_term = query_term
        self.query_value = nn.Linear(channels, (2 if query_term else 1) * channels)
        self.edge = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.zeros(heads, 1, channels // heads)) if bias_term else None
        # Averaging and handing back are linear and Linear's bias passes through both, so one matrix does them.
        self.register_buffer("to_edges", hand_back @ edge_mean, persistent=False)

    def forward(self, x: Float[Tensor, "batch joints channels"]) -> Float[Tensor, "batch joints channels"]:
        """Attend from joints to the hyperedges that joints belong to."""
        e = split_heads(self.edge(self.to_edges @ x), self.heads)
        parts = [split_heads(part, self.heads) for part in self.query_value(x).split(x.shape[-1], dim=-1)]
        v = parts[-1]
        # Both logit terms are products with e_j, so w_h is added to the query.
        q = parts[0] if self.query_term else torch.zeros_like(v)
        if self.bias is not None:
            q = q + self.bias.to(q.dtype)
        return self.out(join_heads(scaled_dot_product_attention(q, e, v)))
