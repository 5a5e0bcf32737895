"""Attention through several hypergraphs over the same joints in parallel, and the modes to merge their outputs.

The hypergraphs share queries and values; each has hyperedge features e and a bias w of its own. "Outputs" are those of
the attention before its last Linear layer.

=================  ==================================================================================================
``none``           no merge: each hypergraph has a part of the heads, which are concatenated
``mean``           each hypergraph has all heads; mean of the outputs
``max``            each hypergraph has all heads; element-wise maximum of the outputs
``weighted_mean``  each hypergraph has all heads; mean with learned weights, a softmax over hypergraphs per head
=================  ==================================================================================================
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn

from hyperlift.models.layers.attention import Operands, attend, initial_bias, join_heads, split_heads
from hyperlift.models.layers.membership import Membership
from hyperlift.shapes import Float

Merge = Literal["none", "mean", "max", "weighted_mean"]


class ParallelHypergraphs(nn.Module, ABC):
    """Common part: memberships, and queries and values shared by all hypergraphs."""

    edges: nn.ModuleList

    def __init__(self, channels: int, heads: int, memberships: Sequence[Membership], *, query_term: bool) -> None:
        super().__init__()
        self.heads = heads
        self.query_term = query_term
        self.memberships = nn.ModuleList(memberships)
        self.query_value = nn.Linear(channels, (2 if query_term else 1) * channels)
        self.out = nn.Linear(channels, channels)

    @abstractmethod
    def operands(self, x: Float[Tensor, "batch joints channels"]) -> list[Operands]:
        """Operands of the attention, one entry per output to merge."""

    @abstractmethod
    def merge(self, outputs: Sequence[Float[Tensor, "batch heads joints d"]]) -> Float[Tensor, "batch heads joints d"]:
        """Merge the outputs, which correspond to the entries of ``operands``."""

    def forward(self, x: Float[Tensor, "batch joints channels"]) -> Float[Tensor, "batch joints channels"]:
        """Attend from joints to hyperedges of all hypergraphs."""
        return self.out(join_heads(self.merge([attend(operands) for operands in self.operands(x)])))

    def _query_value(
        self, x: Float[Tensor, "batch joints channels"]
    ) -> tuple[Float[Tensor, "batch heads joints d"], Float[Tensor, "batch heads joints d"]]:
        parts = [split_heads(part, self.heads) for part in self.query_value(x).split(x.shape[-1], dim=-1)]
        return (parts[0] if self.query_term else torch.zeros_like(parts[-1])), parts[-1]

    def _edge_features(self, x: Float[Tensor, "batch joints channels"]) -> list[Float[Tensor, "batch joints c"]]:
        """e of each hypergraph, averaged back to the joints."""
        memberships = [cast(Membership, membership) for membership in self.memberships]
        return [edge(membership.mixing() @ x) for edge, membership in zip(self.edges, memberships, strict=True)]


class SplitHeadHypergraphs(ParallelHypergraphs):
    """Merge mode ``none``: each head belongs to one hypergraph; the first ones get a remainder of the division.

    Args:
        channels: C.
        heads: number of heads, at least one per hypergraph.
        memberships: one per hypergraph.
        query_term: keep q_i·e_j.
        bias_term: keep w_h·e_j.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        memberships: Sequence[Membership],
        *,
        query_term: bool = True,
        bias_term: bool = True,
    ) -> None:
        super().__init__(channels, heads, memberships, query_term=query_term)
        self.edges = nn.ModuleList(
            nn.Linear(channels, share * (channels // heads)) for share in heads_each(heads, len(memberships))
        )
        self.bias = nn.Parameter(initial_bias(heads, channels, query_term=query_term)) if bias_term else None

    def operands(self, x: Float[Tensor, "batch joints channels"]) -> list[Operands]:
        """One entry, whose heads are ordered by hypergraph."""
        q, v = self._query_value(x)
        if self.bias is not None:
            q = q + self.bias.to(q.dtype)
        return [Operands(q, split_heads(torch.cat(self._edge_features(x), -1), self.heads), v)]

    def merge(self, outputs: Sequence[Float[Tensor, "batch heads joints d"]]) -> Float[Tensor, "batch heads joints d"]:
        """Return the only output."""
        return outputs[0]


class MergedHypergraphs(ParallelHypergraphs):
    """Merge modes ``mean``, ``max`` and ``weighted_mean``: every hypergraph attends with all heads.

    Args:
        channels: C.
        heads: number of heads.
        memberships: one per hypergraph.
        mode: how outputs are merged.
        query_term: keep q_i·e_j.
        bias_term: keep w_h·e_j, with one w per hypergraph.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        memberships: Sequence[Membership],
        mode: Merge,
        *,
        query_term: bool = True,
        bias_term: bool = True,
    ) -> None:
        super().__init__(channels, heads, memberships, query_term=query_term)
        graphs = len(memberships)
        self.mode = mode
        self.edges = nn.ModuleList(nn.Linear(channels, channels) for _ in range(graphs))
        biases = [initial_bias(heads, channels, query_term=query_term) for _ in range(graphs)]
        self.bias = nn.Parameter(torch.stack(biases)) if bias_term else None
        self.weight = nn.Parameter(torch.zeros(graphs, heads, 1, 1)) if mode == "weighted_mean" else None

    def operands(self, x: Float[Tensor, "batch joints channels"]) -> list[Operands]:
        """One entry per hypergraph."""
        q, v = self._query_value(x)
        found = []
        for graph, features in enumerate(self._edge_features(x)):
            with_bias = q if self.bias is None else q + self.bias[graph].to(q.dtype)
            found.append(Operands(with_bias, split_heads(features, self.heads), v))
        return found

    def merge(self, outputs: Sequence[Float[Tensor, "batch heads joints d"]]) -> Float[Tensor, "batch heads joints d"]:
        """Mean, maximum or weighted mean over the hypergraphs."""
        stacked = torch.stack(list(outputs))
        if self.mode == "max":
            return stacked.amax(0)
        if self.weight is not None:
            return (stacked * self.weight.softmax(0)[:, None].to(stacked.dtype)).sum(0)
        return stacked.mean(0)


def heads_each(heads: int, hypergraphs: int) -> list[int]:
    """Number of attention heads of each hypergraph in merge mode ``none``."""
    return [heads // hypergraphs + (graph < heads % hypergraphs) for graph in range(hypergraphs)]
