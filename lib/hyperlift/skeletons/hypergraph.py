"""Hyperedges over joints as an incidence matrix, and the normalised adjacency matrix of a skeleton."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Hypergraph:
    """An incidence matrix H: ``incidence[j, e]`` is the membership (0..1) of joint j in hyperedge e.

    In a partition, every row has exactly one 1; with overlapping hyperedges, rows have several non-zero entries.
    """

    incidence: Float[np.ndarray, "joints edges"]

    @classmethod
    def from_labels(cls, labels: Sequence[int], skeleton: Skeleton) -> "Hypergraph":
        """A partition, from the hyperedge index of every joint in the joint order of the skeleton.

        Raises:
            InputError: a joint has no label, or the hyperedge indices have a gap.
        """
        if len(labels) != len(skeleton):
            raise InputError(
                f"joint_label has {len(labels)} entries, skeleton {skeleton.name} has {len(skeleton)} joints; "
                "give every joint the number of its hyperedge"
            )
        edges = max(labels) + 1
        if edges > len(labels) or set(labels) != set(range(edges)):
            raise InputError(
                f"joint_label uses the hyperedges {sorted(set(labels))}; number them 0, 1, 2 … with no gap"
            )
        incidence = np.zeros((len(labels), edges))
        incidence[np.arange(len(labels)), list(labels)] = 1.0
        return cls(incidence)

    @classmethod
    def from_members(cls, members: Sequence[Sequence[str]], skeleton: Skeleton) -> "Hypergraph":
        """Hyperedges from lists of joint names, which may overlap.

        Raises:
            InputError: a joint is unknown, repeated or in no hyperedge, or a hyperedge is empty.
        """
        incidence = np.zeros((len(skeleton), len(members)))
        for edge, names in enumerate(members):
            if not names or len(set(names)) != len(names):
                raise InputError(f"hyperedge {edge} is empty or repeats a joint: {list(names)}")
            incidence[skeleton.indices(names), edge] = 1.0
        left_out = [joint for joint, row in zip(skeleton.joints, incidence, strict=True) if not row.any()]
        if left_out:
            raise InputError(f"hyperedges leave out {', '.join(left_out)}; every joint needs at least one")
        return cls(incidence)

    @classmethod
    def from_memberships(cls, memberships: Mapping[str, Sequence[float]], skeleton: Skeleton) -> "Hypergraph":
        """Soft hyperedges, from the row of memberships (0..1) of every joint.

        Raises:
            InputError: a joint is unknown, missing or in no hyperedge, rows have different lengths, a membership is
                outside 0..1, or a hyperedge is empty.
        """
        missing = [joint for joint in skeleton.joints if joint not in memberships]
        if missing:
            raise InputError(f"incidence leaves out {', '.join(missing)}; give every joint its memberships")
        numbers = skeleton.indices(tuple(memberships))
        lengths = sorted({len(row) for row in memberships.values()})
        if len(lengths) != 1 or not lengths[0]:
            raise InputError(f"incidence has rows of {lengths} numbers; give every joint one number a hyperedge")
        incidence = np.zeros((len(skeleton), lengths[0]))
        incidence[numbers] = list(memberships.values())
        if not ((incidence >= 0) & (incidence <= 1)).all():
            raise InputError("incidence holds a number outside 0..1; a membership is a share")
        nowhere = [joint for joint, row in zip(skeleton.joints, incidence, strict=True) if not row.any()]
        if nowhere:
            raise InputError(f"incidence puts {', '.join(nowhere)} in no hyperedge; every joint needs at least one")
        empty = [edge for edge in range(incidence.shape[1]) if not incidence[:, edge].any()]
        if empty:
            raise InputError(f"incidence has no joint in hyperedge {empty[0]}; leave its column out")
        return cls(incidence)

    @property
    def edge_mean(self) -> Float[np.ndarray, "edges joints"]:
        """Row-stochastic matrix: the mean of the joints of each hyperedge, weighted by membership."""
        return (self.incidence / self.incidence.sum(0)).T

    @property
    def joint_mean(self) -> Float[np.ndarray, "joints edges"]:
        """Row-stochastic matrix: the mean of the hyperedges of each joint, weighted by membership."""
        return self.incidence / self.incidence.sum(1, keepdims=True)


def degree_normalised_adjacency(skeleton: Skeleton) -> Float[np.ndarray, "joints joints"]:
    """D^-1/2 (A + I) D^-1/2 of the bone graph (Kipf and Welling 2017, eq. 2)."""
    matrix = skeleton.adjacency + np.eye(len(skeleton))
    scale = matrix.sum(1) ** -0.5
    return scale[:, None] * matrix * scale[None, :]
