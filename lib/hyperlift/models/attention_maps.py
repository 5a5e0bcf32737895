"""Attention between named joints, hyperedges and frames as plain arrays, and what can be read off them."""

from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float, Int
from hyperlift.skeletons.skeleton import Skeleton


@dataclass(frozen=True, eq=False, kw_only=True)
class AttentionMaps:
    """Attention of chosen layers and heads over one clip. Every row sums to 1: who looks is on the rows' axis (the
    last but one), who is looked at on the last."""

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
    """Joints to joints through the hyperedges. One map; one a hypergraph where hypergraphs are merged after."""
    hypergraph_of: Int[np.ndarray, "maps heads"]
    """Number of the hypergraph behind each map and head."""
    temporal: Float[np.ndarray, "layers heads joints tokens every_token"]
    """From the chosen tokens to all tokens of the clip, for each joint."""
    incidence: tuple[Float[np.ndarray, "layers joints _"], ...]
    """For every hypergraph: membership of the joints in its hyperedges; rows sum to 1."""

    def of_hypergraph(
        self, number: int
    ) -> tuple[tuple[int, ...], Float[np.ndarray, "layers heads_of_it tokens joints joints"]]:
        """Heads that look through one hypergraph, and their maps; none where its heads were not chosen."""
        which, heads = np.nonzero(self.hypergraph_of == number)
        return tuple(self.heads[head] for head in heads), self.hyperedge[:, which, heads]


def to_hyperedges(
    attention: Float[np.ndarray, "*any joints joints"], incidence: Float[np.ndarray, "joints edges"]
) -> Float[np.ndarray, "*any joints edges"]:
    """How much of a joint's attention falls on each hyperedge; a joint of several shares it out by membership."""
    return attention @ incidence


def strongest_links(attention: Float[np.ndarray, "joints joints"], count: int) -> list[tuple[int, int, float]]:
    """The largest entries off the diagonal as (who looks, at whom, weight), largest first."""
    off = attention - np.diag(np.full(len(attention), np.inf))
    order = np.argsort(-off, axis=None, kind="stable")[: min(count, off.size - len(off))]
    return [(int(i), int(j), float(attention[i, j])) for i, j in zip(*np.unravel_index(order, off.shape), strict=True)]


def by_hyperedge(
    incidence: Float[np.ndarray, "joints edges"],
) -> tuple[Int[np.ndarray, " joints"], Int[np.ndarray, " joints"]]:
    """Joints in the order of their main hyperedge, and that hyperedge of each in this order."""
    main = incidence.argmax(1)
    order = np.argsort(main, kind="stable")
    return order, main[order]
