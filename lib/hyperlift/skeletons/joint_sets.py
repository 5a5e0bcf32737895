"""The joint sets that the library knows, each order written once.

``R`` and ``L`` are the person's own right and left.
"""

from hyperlift.errors import InputError
from hyperlift.skeletons.skeleton import Skeleton

H36M_17 = Skeleton(
    name="h36m17",
    joints=(
        *("Pelvis", "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "Spine", "Thorax", "Nose", "Head"),
        *("LShoulder", "LElbow", "LWrist", "RShoulder", "RElbow", "RWrist"),
    ),
    parent_of={
        **{"RHip": "Pelvis", "RKnee": "RHip", "RAnkle": "RKnee"},
        **{"LHip": "Pelvis", "LKnee": "LHip", "LAnkle": "LKnee"},
        **{"Spine": "Pelvis", "Thorax": "Spine", "Nose": "Thorax", "Head": "Nose"},
        **{"LShoulder": "Thorax", "LElbow": "LShoulder", "LWrist": "LElbow"},
        **{"RShoulder": "Thorax", "RElbow": "RShoulder", "RWrist": "RElbow"},
    },
)
"""Human3.6M's 17 joints. "Nose" is the joint also called Neck/Nose, "Head" the top of the head."""

COCO_17 = Skeleton(
    name="coco17",
    joints=(
        *("Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow"),
        *("LWrist", "RWrist", "LHip", "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle"),
    ),
    parent_of={
        **{"LEye": "Nose", "LEar": "LEye", "LShoulder": "Nose", "LElbow": "LShoulder", "LWrist": "LElbow"},
        **{"REye": "Nose", "REar": "REye", "RShoulder": "Nose", "RElbow": "RShoulder", "RWrist": "RElbow"},
        **{"LHip": "LShoulder", "LKnee": "LHip", "LAnkle": "LKnee"},
        **{"RHip": "RShoulder", "RKnee": "RHip", "RAnkle": "RKnee"},
    },
)
"""COCO's 17 keypoints. They have no pelvis; the nose is the one point that mirroring leaves where it is, so a pose
relative to it stays one when left and right are exchanged: it is the root."""

BODY_25 = Skeleton(
    name="body25",
    joints=(
        *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip"),
        *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
        *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
    ),
    parent_of={},
)
"""OpenPose's BODY_25."""

HALPE_26 = Skeleton(
    name="halpe26",
    joints=(
        *COCO_17.joints,
        *("Head", "Neck", "Hip", "LBigToe", "RBigToe", "LSmallToe", "RSmallToe", "LHeel", "RHeel"),
    ),
    parent_of={},
)
"""Halpe's body and feet. "Head" is the top of the head, "Hip" the middle of both hips."""

MPI_INF_3DHP_17 = Skeleton(
    name="mpi_inf_3dhp17",
    joints=(
        *("HeadTop", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist"),
        *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "Pelvis", "Spine", "Head"),
    ),
    parent_of={
        **{"RHip": "Pelvis", "RKnee": "RHip", "RAnkle": "RKnee"},
        **{"LHip": "Pelvis", "LKnee": "LHip", "LAnkle": "LKnee"},
        **{"Spine": "Pelvis", "Neck": "Spine", "Head": "Neck", "HeadTop": "Neck"},
        **{"RShoulder": "Neck", "RElbow": "RShoulder", "RWrist": "RElbow"},
        **{"LShoulder": "Neck", "LElbow": "LShoulder", "LWrist": "LElbow"},
    },
)
"""The 17 joints of MPI-INF-3DHP's test set (Mehta et al. 2017), with the tree of its own evaluation."""

SKELETONS = {skeleton.name: skeleton for skeleton in (H36M_17, COCO_17, BODY_25, HALPE_26, MPI_INF_3DHP_17)}


def skeleton_named(name: str) -> Skeleton:
    """Look a joint set up by its name.

    Raises:
        InputError: no joint set has that name.
    """
    if name not in SKELETONS:
        raise InputError(f"unknown skeleton {name!r}; known: {', '.join(SKELETONS)}")
    return SKELETONS[name]
