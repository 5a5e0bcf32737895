"""Named joints, mirror pairs, hyperedges and the mappings between joint sets."""

from hyperlift.skeletons.hypergraph import Hypergraph, degree_normalised_adjacency
from hyperlift.skeletons.joint_sets import (
    BODY_19,
    BODY_25,
    BODY_25B,
    COCO_17,
    COCO_18,
    COCO_WHOLEBODY_133,
    H36M_17,
    H36M_25,
    HALPE_26,
    HALPE_136,
    MEDIAPIPE_33,
    MPI_INF_3DHP_17,
    MPII_16,
    OPENPOSE_MPI_15,
    SKELETONS,
    skeleton_named,
)
from hyperlift.skeletons.skeleton import Skeleton

__all__ = [
    "BODY_19",
    "BODY_25",
    "BODY_25B",
    "COCO_17",
    "COCO_18",
    "COCO_WHOLEBODY_133",
    "H36M_17",
    "H36M_25",
    "HALPE_26",
    "HALPE_136",
    "MEDIAPIPE_33",
    "MPII_16",
    "MPI_INF_3DHP_17",
    "OPENPOSE_MPI_15",
    "SKELETONS",
    "Hypergraph",
    "Skeleton",
    "degree_normalised_adjacency",
    "skeleton_named",
]
