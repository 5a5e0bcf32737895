"""Several hypergraphs over the same joints at once, and the ways to merge what they say.

Queries and values are computed once from the joints and shared; hyperedge features e and the bias w belong to a
hypergraph. "Outputs" below are the attention's outputs before the last Linear.

=================  ==================================================================================================
``none``           nothing is merged: the heads are shared out, hypergraph after hypergraph, and concatenated as heads
``mean``           every hypergraph has all heads; the mean of their outputs
``max``            the same; the largest output, number by number
``weighted_mean``  the same; a mean with learned weights, a softmax over the hypergraphs for every head
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
    """What both kinds have: memberships, and queries and values that all hypergraphs share."""

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
        """What attends to what, one entry for every output that is merged."""

    @abstractmethod
    def merge(self, outputs: Sequence[Float[Tensor, "batch heads joints d"]]) -> Float[Tensor, "batch heads joints d"]:
        """One output out of one for every entry of ``operands``."""

    def forward(self, x: Float[Tensor, "batch joints channels"]) -> Float[Tensor, "batch joints channels"]:
        """Attend from joints to hyperedges, in all hypergraphs."""
        return self.out(join_heads(self.merge([attend(operands) for operands in self.operands(x)])))

    def _query_value(
        self, x: Float[Tensor, "batch joints channels"]
    ) -> tuple[Float[Tensor, "batch heads joints d"], Float[Tensor, "batch heads joints d"]]:
        parts = [split_heads(part, self.heads) for part in self.query_value(x).split(x.shape[-1], dim=-1)]
        return (parts[0] if self.query_term else torch.zeros_like(parts[-1])), parts[-1]

    def _edge_features(self, x: Float[Tensor, "batch joints channels"]) -> list[Float[Tensor, "batch joints c"]]:
        """e of every hypergraph, handed back to the joints."""
        memberships = [cast(Membership, membership) for membership in self.memberships]
        return [edge(membership.mixing() @ x) for edge, membership in zip(self.edges, memberships, strict=True)]


class SharedOutHypergraphs(ParallelHypergraphs):
    """Merge mode ``none``: head h belongs to one hypergraph; the first ones get one head more where it does not divide.

    Args:
        channels: C.
        heads: number of heads, at least that of the hypergraphs.
        memberships: one a hypergraph.
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
        """One entry, in whose heads the hypergraphs stand one after the other."""
        q, v = self._query_value(x)
        if self.bias is not None:
            q = q + self.bias.to(q.dtype)
        return [Operands(q, split_heads(torch.cat(self._edge_features(x), -1), self.heads), v)]

    def merge(self, outputs: Sequence[Float[Tensor, "batch heads joints d"]]) -> Float[Tensor, "batch heads joints d"]:
        """Nothing to merge."""
        return outputs[0]


class MergedHypergraphs(ParallelHypergraphs):
    """Merge modes ``mean``, ``max`` and ``weighted_mean``: every hypergraph attends with all heads.

    Args:
        channels: C.
        heads: number of heads.
        memberships: one a hypergraph.
        mode: how the outputs become one.
        query_term: keep q_i·e_j.
        bias_term: keep w_h·e_j; w is another in every hypergraph.
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
        """One entry a hypergraph."""
        q, v = self._query_value(x)
        found = []
        for graph, features in enumerate(self._edge_features(x)):
            with_bias = q if self.bias is None else q + self.bias[graph].to(q.dtype)
            found.append(Operands(with_bias, split_heads(features, self.heads), v))
        return found

    def merge(self, outputs: Sequence[Float[Tensor, "batch heads joints d"]]) -> Float[Tensor, "batch heads joints d"]:
        """Mean, largest, or mean with learned weights over the hypergraphs."""
        stacked = torch.stack(list(outputs))
        if self.mode == "max":
            return stacked.amax(0)
        if self.weight is not None:
            return (stacked * self.weight.softmax(0)[:, None].to(stacked.dtype)).sum(0)
        return stacked.mean(0)


def heads_each(heads: int, hypergraphs: int) -> list[int]:
    """Attention heads of every hypergraph where heads are shared out."""
    return [heads // hypergraphs + (graph < heads % hypergraphs) for graph in range(hypergraphs)]
