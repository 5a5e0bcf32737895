"""Which joints belong to which hyperedges: fixed by a hypergraph, or learned with the network."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from hyperlift.shapes import Float


class Membership(nn.Module, ABC):
    """An incidence matrix between joints and hyperedges, as the attention over hyperedges wants it."""

    @abstractmethod
    def incidence(self) -> Float[Tensor, "joints edges"]:
        """Share of each hyperedge in a joint; the rows sum to 1."""

    @abstractmethod
    def mixing(self) -> Float[Tensor, "joints joints"]:
        """Averages the joints of every hyperedge and hands each joint the mean of its hyperedges."""


class FixedMembership(Membership):
    """Hyperedges that stay as they were configured; nothing of it is in a checkpoint.

    Args:
        edge_mean: rows average the joints of a hyperedge.
        joint_mean: rows average the hyperedges of a joint.
    """

    to_edges: Tensor
    joint_mean: Tensor

    def __init__(self, edge_mean: Float[Tensor, "edges joints"], joint_mean: Float[Tensor, "joints edges"]) -> None:
        super().__init__()
        self.register_buffer("to_edges", joint_mean @ edge_mean, persistent=False)
        self.register_buffer("joint_mean", joint_mean, persistent=False)

    def incidence(self) -> Float[Tensor, "joints edges"]:
        """The configured membership."""
        return self.joint_mean

    def mixing(self) -> Float[Tensor, "joints joints"]:
        """Computed once."""
        return self.to_edges


class LearnedMembership(Membership):
    """Soft membership: a softmax over the hyperedges for every joint, of logits that are learned.

    Args:
        start: logits to start from.
    """

    def __init__(self, start: Float[Tensor, "joints edges"]) -> None:
        super().__init__()
        self.logits = nn.Parameter(start.clone())

    def incidence(self) -> Float[Tensor, "joints edges"]:
        """The softmax."""
        return self.logits.softmax(-1)

    def mixing(self) -> Float[Tensor, "joints joints"]:
        """H D_e^-1 Hᵀ: a hyperedge is the mean of the joints weighted by membership, a joint the same of hyperedges."""
        incidence = self.incidence()
        return incidence @ (incidence / incidence.sum(0)).transpose(0, 1)


def learned_from(joint_mean: Float[Tensor, "joints edges"], softness: float = 0.1) -> LearnedMembership:
    """Start at configured hyperedges, softened so that every joint can still move to any of them.

    Args:
        joint_mean: rows sum to 1.
        softness: part of a joint's membership that is spread evenly over all hyperedges.
    """
    softened = (1.0 - softness) * joint_mean + softness / joint_mean.shape[1]
    return LearnedMembership(softened.log())


def learned_at_random(joints: int, edges: int) -> LearnedMembership:
    """Start from normally distributed logits."""
    return LearnedMembership(torch.randn(joints, edges))
