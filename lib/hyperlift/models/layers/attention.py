"""Attention over joints, hyperedges and frames; every layer maps [batch, tokens, channels] to the same shape."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from hyperlift.models.layers.membership import Membership
from hyperlift.shapes import Float


def split_heads(x: Float[Tensor, "batch tokens channels"], heads: int) -> Float[Tensor, "batch heads tokens d"]:
    """Split channels into heads of d = channels / heads numbers."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(x: Float[Tensor, "batch heads tokens d"]) -> Float[Tensor, "batch tokens channels"]:
    """The inverse of ``split_heads``."""
    return x.transpose(1, 2).flatten(2)


class Operands(NamedTuple):
    """Operands of softmax(q·k d^-1/2 + bias) v."""

    q: Float[Tensor, "batch heads tokens d"]
    k: Float[Tensor, "batch heads tokens d"]
    v: Float[Tensor, "batch heads tokens d"]
    bias: Float[Tensor, "1 heads tokens tokens"] | None = None


def attend(operands: Operands) -> Float[Tensor, "batch heads tokens d"]:
    """Scaled dot-product attention with the fused kernel of torch."""
    q, k, v, bias = operands
    if q.dtype == torch.bfloat16 and q.device.type == "cpu":
        # The backward pass of torch's CPU kernel takes six times as long in bfloat16 as in float32.
        with torch.autocast("cpu", enabled=False):
            wide = scaled_dot_product_attention(
                q.float(), k.float(), v.float(), attn_mask=None if bias is None else bias.float()
            )
        return wide.to(q.dtype)
    return scaled_dot_product_attention(q, k, v, attn_mask=bias)


def attend_explicitly(operands: Operands) -> Float[Tensor, "batch heads tokens d"]:
    """``attend`` in elementary operators: its exported graph is smaller than that of the fused kernel."""
    q, k, v, bias = operands
    logits = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return (logits if bias is None else logits + bias).softmax(-1) @ v


class TemporalAttention(nn.Module):
    """Plain multi-head attention; here the tokens are the frames of one joint (Vaswani et al. 2017, eq. 1)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def operands(self, x: Float[Tensor, "batch frames channels"]) -> Operands:
        """Queries, keys and values of all heads."""
        q, k, v = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        return Operands(q, k, v)

    def forward(self, x: Float[Tensor, "batch frames channels"]) -> Float[Tensor, "batch frames channels"]:
        """Attend over frames."""
        return self.out(join_heads(attend(self.operands(x))))


class SpatialAttention(nn.Module):
    """Attention over joints with the joint-relation bias: logits (q·k + alpha A_h) d^-1/2.

    Args:
        channels: C.
        heads: number of heads.
        relation: initial value of the learned matrix A_h of each head; None: no such term.
    """

    relation: nn.Parameter | None
    alpha: nn.Parameter | None

    def __init__(self, channels: int, heads: int, relation: Float[Tensor, "joints joints"] | None) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.relation = None if relation is None else nn.Parameter(relation.repeat(heads, 1, 1))
        self.alpha = None if relation is None else nn.Parameter(torch.ones(()))

    def operands(self, x: Float[Tensor, "batch joints channels"]) -> Operands:
        """Queries, keys and values of all heads, and the relation bias."""
        q, k, v = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        if self.relation is None or self.alpha is None:
            return Operands(q, k, v)
        bias = (self.alpha * q.shape[-1] ** -0.5) * self.relation
        return Operands(q, k, v, bias[None].to(q.dtype))

    def forward(self, x: Float[Tensor, "batch joints channels"]) -> Float[Tensor, "batch joints channels"]:
        """Attend over joints."""
        return self.out(join_heads(attend(self.operands(x))))


class HyperedgeAttention(nn.Module):
    """Joint-to-hyperedge attention: logits (q_i·e_j + w_h·e_j) d^-1/2, values from the joints.

    e_E = Linear(mean of the features of the joints in E). The key of a joint is the mean of e_E over its hyperedges.

    Args:
        channels: C.
        heads: number of heads.
        membership: incidence between joints and hyperedges.
        query_term: keep q_i·e_j.
        bias_term: keep w_h·e_j.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        membership: Membership,
        *,
        query_term: bool = True,
        bias_term: bool = True,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.query_term = query_term
        self.membership = membership
        self.query_value = nn.Linear(channels, (2 if query_term else 1) * channels)
        self.edge = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)
        self.bias = nn.Parameter(initial_bias(heads, channels, query_term=query_term)) if bias_term else None

    def operands(self, x: Float[Tensor, "batch joints channels"]) -> Operands:
        """Queries of the joints (plus w_h), hyperedge features as keys, values of the joints."""
        # Both averages are linear and their rows sum to 1, so one matrix before the Linear layer replaces them.
        e = split_heads(self.edge(self.membership.mixing() @ x), self.heads)
        parts = [split_heads(part, self.heads) for part in self.query_value(x).split(x.shape[-1], dim=-1)]
        v = parts[-1]
        # Both terms of the logits are products with e_j, so w_h is added to the query.
        q = parts[0] if self.query_term else torch.zeros_like(v)
        if self.bias is not None:
            q = q + self.bias.to(q.dtype)
        return Operands(q, e, v)

    def forward(self, x: Float[Tensor, "batch joints channels"]) -> Float[Tensor, "batch joints channels"]:
        """Attend from joints to the hyperedges of joints."""
        return self.out(join_heads(attend(self.operands(x))))


class SummedAttention(nn.Module):
    """Sum of several attentions over the same tokens.

    Args:
        parts: each maps [batch, tokens, C] to the same shape.
    """

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Float[Tensor, "batch tokens channels"]) -> Float[Tensor, "batch tokens channels"]:
        """Sum of the outputs of all parts."""
        first, *others = self.parts
        found: Tensor = first(x)
        for part in others:
            found = found + part(x)
        return found


def initial_bias(heads: int, channels: int, *, query_term: bool) -> Float[Tensor, "heads 1 d"]:
    """Initial w: zero, or random if it is the only term, because zero would block the gradient of e."""
    bias = torch.zeros(heads, 1, channels // heads)
    return bias if query_term else nn.init.trunc_normal_(bias, std=0.02)
