"""Membership of joints in hyperedges: fixed by a hypergraph, or learned."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from hyperlift.shapes import Float


class Membership(nn.Module, ABC):
    """Incidence matrix between joints and hyperedges, for hyperedge attention."""

    @abstractmethod
    def incidence(self) -> Float[Tensor, "joints edges"]:
        """Membership of each joint in each hyperedge; rows sum to 1."""

    @abstractmethod
    def mixing(self) -> Float[Tensor, "joints joints"]:
        """Matrix that averages joints to hyperedges, and the hyperedges of each joint back to joints."""


class FixedMembership(Membership):
    """Configured hyperedges; checkpoints do not store them.

    Args:
        edge_mean: each row averages the joints of a hyperedge.
        joint_mean: each row averages the hyperedges of a joint.
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
        """Precomputed."""
        return self.to_edges


class LearnedMembership(Membership):
    """Soft membership: per joint, a softmax of learned logits over the hyperedges.

    Args:
        start: initial logits.
    """

    def __init__(self, start: Float[Tensor, "joints edges"]) -> None:
        super().__init__()
        self.logits = nn.Parameter(start.clone())

    def incidence(self) -> Float[Tensor, "joints edges"]:
        """The softmax."""
        return self.logits.softmax(-1)

    def mixing(self) -> Float[Tensor, "joints joints"]:
        """H D_e^-1 Hᵀ: means weighted by membership, from joints to hyperedges and back."""
        incidence = self.incidence()
        return incidence @ (incidence / incidence.sum(0)).transpose(0, 1)


def learned_from(joint_mean: Float[Tensor, "joints edges"], softness: float = 0.1) -> LearnedMembership:
    """Initialise at configured hyperedges, smoothed so that every membership is above 0 and has a gradient.

    Args:
        joint_mean: configured membership; rows sum to 1.
        softness: part of each membership that is spread evenly over all hyperedges. Default 0.1, chosen:
            a joint starts mostly in its configured hyperedges.
    """
    softened = (1.0 - softness) * joint_mean + softness / joint_mean.shape[1]
    return LearnedMembership(softened.log())


def learned_at_random(joints: int, edges: int) -> LearnedMembership:
    """Initialise with normally distributed logits."""
    return LearnedMembership(torch.randn(joints, edges))
