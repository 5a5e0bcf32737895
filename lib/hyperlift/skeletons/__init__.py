"""Named joints, mirror pairs, hyperedges and the mappings between joint sets."""

from hyperlift.skeletons.hypergraph import Hypergraph, RelationBias, degree_normalised_adjacency
from hyperlift.skeletons.joint_sets import (
    BODY_25,
    COCO_17,
    COCO_18,
    COCO_WHOLEBODY_133,
    H36M_17,
    HALPE_26,
    HALPE_136,
    MEDIAPIPE_33,
    MPI_INF_3DHP_17,
    MPII_16,
    SKELETONS,
    skeleton_named,
)
from hyperlift.skeletons.skeleton import Skeleton

__all__ = [
    "BODY_25",
    "COCO_17",
    "COCO_18",
    "COCO_WHOLEBODY_133",
    "H36M_17",
    "HALPE_26",
    "HALPE_136",
    "MEDIAPIPE_33",
    "MPII_16",
    "MPI_INF_3DHP_17",
    "SKELETONS",
    "Hypergraph",
    "RelationBias",
    "Skeleton",
    "degree_normalised_adjacency",
    "skeleton_named",
]
