"""Configuration of hyperedges, and the attention layers that it builds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.models.layers.attention import HyperedgeAttention
from hyperlift.models.layers.membership import FixedMembership, Membership, learned_at_random, learned_from
from hyperlift.models.layers.parallel_hypergraphs import Merge, MergedHypergraphs, SplitHeadHypergraphs
from hyperlift.skeletons.hypergraph import Hypergraph
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton


@dataclass(frozen=True, kw_only=True)
class HyperedgesConfig:
    """The hyperedges of one hypergraph: ``joint_label``, ``hyperedges``, ``incidence`` or ``random_edges``."""

    joint_label: tuple[int, ...] | None = None
    """A partition: the hyperedge number of every joint."""
    hyperedges: tuple[tuple[str, ...], ...] | None = None
    """Hyperedges as lists of joint names; they may overlap."""
    incidence: dict[str, tuple[float, ...]] | None = None
    """The incidence matrix: joint name to its membership (0 to 1) in each hyperedge."""
    random_edges: int | None = None
    """Number of learned hyperedges whose membership is initialised at random."""
    membership: Literal["fixed", "learned"] = "fixed"
    """learned: soft membership per joint and layer, a softmax over the hyperedges, initialised near the configured
    hyperedges."""
    skeleton: str | None = None
    """The skeleton of the hyperedges. Default: h36m17 for ``joint_label``, else the skeleton of the model."""

    def __post_init__(self) -> None:
        ways = [self.joint_label, self.hyperedges, self.incidence, self.random_edges]
        if sum(way is not None for way in ways) != 1:
            raise InputError(
                "a hypergraph wants either joint_label or hyperedges (joint names), incidence or random_edges"
            )
        if self.random_edges is not None and self.random_edges < 2:
            raise InputError(f"random_edges is {self.random_edges}; learned hyperedges are at least 2")
        if self.random_edges is not None and self.membership != "learned":
            raise InputError("random_edges have nothing to start from; set membership: learned")

    def build(self, skeleton: Skeleton) -> Hypergraph | None:
        """The configured hypergraph; None if hyperedges are initialised at random.

        Raises:
            InputError: the hyperedges do not fit the skeleton.
        """
        made_for = self.skeleton or (H36M_17.name if self.joint_label is not None else skeleton.name)
        if made_for != skeleton.name:
            raise InputError(
                f"these hyperedges are made for skeleton {made_for}, the model has {skeleton.name}; "
                "give hyperedges by the model's joint names"
            )
        if self.joint_label is not None:
            return Hypergraph.from_labels(self.joint_label, skeleton)
        if self.incidence is not None:
            return Hypergraph.from_memberships(self.incidence, skeleton)
        return Hypergraph.from_members(self.hyperedges, skeleton) if self.hyperedges is not None else None

    def make_membership(self, skeleton: Skeleton) -> Membership:
        """A new membership for one layer."""
        hypergraph = self.build(skeleton)
        if hypergraph is None:
            assert self.random_edges is not None
            return learned_at_random(len(skeleton), self.random_edges)
        if self.membership == "learned":
            return learned_from(tensor(hypergraph.joint_mean))
        return FixedMembership(tensor(hypergraph.edge_mean), tensor(hypergraph.joint_mean))


@dataclass(frozen=True, kw_only=True)
class HypergraphConfig(HyperedgesConfig):
    """One hypergraph, or several parallel ones under ``hypergraphs``, and the terms of the attention logits."""

    hypergraphs: tuple[HyperedgesConfig, ...] | None = None
    """Parallel hypergraphs, instead of the keys above."""
    merge: Merge = "mean"
    """How the outputs of parallel hypergraphs are combined; none: each hypergraph has its own attention heads."""
    query_term: bool = True
    """Keep q_i·e_j in the logits of the hyperedge block."""
    bias_term: bool = True
    """Keep w_h·e_j."""
    relation_term: bool = True
    """Keep the joint-relation bias alpha A_h in the logits of the spatial block."""

    def __post_init__(self) -> None:
        if not (self.query_term or self.bias_term):
            raise InputError("query_term and bias_term are both off: the hyperedge block would average all joints")
        if self.hypergraphs is None:
            super().__post_init__()
            return
        if len(self.hypergraphs) < 2:
            raise InputError(f"hypergraphs lists {len(self.hypergraphs)}; for a single one write its keys directly")
        own = [self.joint_label, self.hyperedges, self.incidence, self.random_edges, self.skeleton]
        if any(key is not None for key in own) or self.membership != "fixed":
            raise InputError(
                "joint_label, hyperedges, incidence, random_edges, membership and skeleton belong into the entries of "
                "hypergraphs"
            )

    @property
    def each(self) -> tuple[HyperedgesConfig, ...]:
        """The hyperedges of every hypergraph."""
        if self.hypergraphs is not None:
            return self.hypergraphs
        return (self,)

    def check(self, skeleton: Skeleton, heads: int) -> None:
        """Check that the hyperedges fit a model.

        Args:
            skeleton: the model's.
            heads: attention heads of the model.

        Raises:
            InputError: the hyperedges are for another skeleton, or there are fewer heads than hypergraphs.
        """
        for hyperedges in self.each:
            hyperedges.build(skeleton)
        if self.merge == "none" and len(self.each) > heads:
            raise InputError(
                f"merge: none shares {heads} heads out among {len(self.each)} hypergraphs; give more heads"
            )

    def make_attention(self, channels: int, heads: int, skeleton: Skeleton) -> nn.Module:
        """A new hyperedge attention for one layer."""
        memberships = [hyperedges.make_membership(skeleton) for hyperedges in self.each]
        query_term, bias_term = self.query_term, self.bias_term
        if len(memberships) == 1:
            return HyperedgeAttention(channels, heads, memberships[0], query_term=query_term, bias_term=bias_term)
        if self.merge == "none":
            return SplitHeadHypergraphs(channels, heads, memberships, query_term=query_term, bias_term=bias_term)
        return MergedHypergraphs(channels, heads, memberships, self.merge, query_term=query_term, bias_term=bias_term)


def tensor(array: np.ndarray) -> Tensor:
    """A float32 copy on the CPU."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
