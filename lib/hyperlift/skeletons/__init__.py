"""Named joints, mirror pairs, hyperedges and the mappings between joint sets."""

from hyperlift.skeletons.hypergraph import Hypergraph, degree_normalised_adjacency
from hyperlift.skeletons.joint_sets import (
    BODY_25,
    COCO_17,
    H36M_17,
    HALPE_26,
    MPI_INF_3DHP_17,
    SKELETONS,
    skeleton_named,
)
from hyperlift.skeletons.skeleton import Skeleton

__all__ = [
    "BODY_25",
    "COCO_17",
    "H36M_17",
    "HALPE_26",
    "MPI_INF_3DHP_17",
    "SKELETONS",
    "Hypergraph",
    "Skeleton",
    "degree_normalised_adjacency",
    "skeleton_named",
]
