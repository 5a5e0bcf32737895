"""Attention weights between joints, hyperedges and frames as NumPy arrays, and statistics of them."""

from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float, Int
from hyperlift.skeletons.skeleton import Skeleton


@dataclass(frozen=True, eq=False, kw_only=True)
class AttentionMaps:
    """Attention weights of chosen layers and heads for one clip: queries on the last axis but one, keys on the last.

    Each row (the weights of one query) sums to 1.
    """

    skeleton: Skeleton
    layers: tuple[int, ...]
    """Numbers of the layers on the first axes, from 0."""
    heads: tuple[int, ...]
    """Numbers of the heads on the heads' axes, from 0."""
    tokens: tuple[int, ...]
    """Numbers of the chosen tokens; a token is ``frames_per_token`` frames."""
    frames_per_token: int
    spatial: Float[np.ndarray, "layers heads tokens joints joints"]
    hyperedge: Float[np.ndarray, "layers maps heads tokens joints joints"]
    """From joints to joints through the hyperedges. One map, or one map per hypergraph if their outputs are merged."""
    hypergraph_of: Int[np.ndarray, "maps heads"]
    """Index of the hypergraph that each map and head uses."""
    temporal: Float[np.ndarray, "layers heads joints tokens every_token"]
    """From the chosen tokens to all tokens of the clip, per joint."""
    incidence: tuple[Float[np.ndarray, "layers joints _"], ...]
    """One incidence matrix per hypergraph: membership of the joints in its hyperedges; rows sum to 1."""

    def of_hypergraph(
        self, number: int
    ) -> tuple[tuple[int, ...], Float[np.ndarray, "layers heads_of_it tokens joints joints"]]:
        """Chosen heads that use one hypergraph, and their maps; both are empty if none of its heads was chosen."""
        which, heads = np.nonzero(self.hypergraph_of == number)
        return tuple(self.heads[head] for head in heads), self.hyperedge[:, which, heads]


def to_hyperedges(
    attention: Float[np.ndarray, "*any joints joints"], incidence: Float[np.ndarray, "joints edges"]
) -> Float[np.ndarray, "*any joints edges"]:
    """Attention of each joint to each hyperedge; attention to a joint is split over its hyperedges by membership."""
    return attention @ incidence


def strongest_links(attention: Float[np.ndarray, "joints joints"], count: int) -> list[tuple[int, int, float]]:
    """The largest off-diagonal entries as (query joint, key joint, weight), in descending order."""
    off = attention - np.diag(np.full(len(attention), np.inf))
    order = np.argsort(-off, axis=None, kind="stable")[: min(count, off.size - len(off))]
    return [(int(i), int(j), float(attention[i, j])) for i, j in zip(*np.unravel_index(order, off.shape), strict=True)]


def by_hyperedge(
    incidence: Float[np.ndarray, "joints edges"],
) -> tuple[Int[np.ndarray, " joints"], Int[np.ndarray, " joints"]]:
    """Joint indices sorted by the hyperedge of largest membership, and that hyperedge for each sorted joint."""
    main = incidence.argmax(1)
    order = np.argsort(main, kind="stable")
    return order, main[order]
