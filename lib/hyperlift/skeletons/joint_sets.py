"""All joint sets of the library. ``R`` and ``L`` are right and left from the person's point of view."""

from hyperlift.errors import InputError, quoted
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
"""The 17 joints of Human3.6M. "Nose" is also known as Neck/Nose; "Head" is the top of the head."""

H36M_25 = Skeleton(
    name="h36m25",
    joints=(
        *H36M_17.joints,
        *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel", "LHand", "RHand"),
    ),
    parent_of={
        **H36M_17.parent_of,
        **{side + point: side + "Ankle" for side in "LR" for point in ("BigToe", "SmallToe", "Heel")},
        **{"LHand": "LWrist", "RHand": "RWrist"},
    },
)
"""The 17 joints of Human3.6M, then feet and hands. Toe tips and heels lie on the sole; the hand is the knuckle of the
middle finger. ``BODY_25`` is a different set, the keypoints of OpenPose."""

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
"""The 17 keypoints of COCO. The root is the nose, because COCO has no pelvis and the nose is the only keypoint without
a left-right counterpart: a root-relative pose stays root-relative when flipped."""

BODY_25 = Skeleton(
    name="body25",
    joints=(
        *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip"),
        *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
        *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
    ),
    parent_of={},
)
"""The BODY_25 keypoints of OpenPose. Lifters use ``H36M_25`` instead."""

BODY_19 = Skeleton(name="body19", joints=BODY_25.joints[:19], parent_of={})
"""OpenPose's BODY_19: BODY_25 without feet."""

BODY_25B = Skeleton(
    name="body25b",
    joints=(
        *COCO_17.joints,
        *("UpperNeck", "HeadTop", "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
    ),
    parent_of={},
)
"""The BODY_25B keypoints of OpenPose (experimental models): COCO's 17 first; the joint count equals that of BODY_25."""

OPENPOSE_MPI_15 = Skeleton(
    name="openpose_mpi15",
    joints=(
        *("Head", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist"),
        *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "Chest"),
    ),
    parent_of={},
)
"""OpenPose's MPI model. "Head" is the top of the head."""

COCO_18 = Skeleton(
    name="coco18",
    joints=(
        *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist"),
        *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
    ),
    parent_of={},
)
"""The COCO model of OpenPose: COCO's keypoints in another order, with a neck. ControlNet and rtmlib use it as well."""

HALPE_26 = Skeleton(
    name="halpe26",
    joints=(
        *COCO_17.joints,
        *("Head", "Neck", "Hip", "LBigToe", "RBigToe", "LSmallToe", "RSmallToe", "LHeel", "RHeel"),
    ),
    parent_of={},
)
"""Body and feet of Halpe. "Head" is the top of the head, "Hip" the midpoint of both hips."""

HALPE_136 = Skeleton(
    name="halpe136",
    joints=(
        *HALPE_26.joints,
        *(f"Face{i}" for i in range(68)),
        *(f"LHand{i}" for i in range(21)),
        *(f"RHand{i}" for i in range(21)),
    ),
    parent_of={},
)
"""Whole body of Halpe. Face points have numbers, no names: ``mirror`` does not exchange them."""

COCO_WHOLEBODY_133 = Skeleton(
    name="coco_wholebody133",
    joints=(
        *COCO_17.joints,
        *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
        *(f"Face{i}" for i in range(68)),
        *(f"LHand{i}" for i in range(21)),
        *(f"RHand{i}" for i in range(21)),
    ),
    parent_of={},
)
"""COCO-WholeBody (Jin et al. 2020). Face points have numbers, as in ``HALPE_136``."""

MEDIAPIPE_33 = Skeleton(
    name="mediapipe33",
    joints=(
        *("Nose", "LEyeInner", "LEye", "LEyeOuter", "REyeInner", "REye", "REyeOuter", "LEar", "REar"),
        *("LMouth", "RMouth", "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist"),
        *("LPinky", "RPinky", "LIndex", "RIndex", "LThumb", "RThumb", "LHip", "RHip", "LKnee", "RKnee"),
        *("LAnkle", "RAnkle", "LHeel", "RHeel", "LFootIndex", "RFootIndex"),
    ),
    parent_of={},
)
"""The pose landmarks of MediaPipe (BlazePose)."""

MPII_16 = Skeleton(
    name="mpii16",
    joints=(
        *("RAnkle", "RKnee", "RHip", "LHip", "LKnee", "LAnkle", "Pelvis", "Thorax", "UpperNeck", "HeadTop"),
        *("RWrist", "RElbow", "RShoulder", "LShoulder", "LElbow", "LWrist"),
    ),
    parent_of={},
)
"""MPII Human Pose (Andriluka et al. 2014)."""

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
"""The 17 joints of the MPI-INF-3DHP test set (Mehta et al. 2017), with the tree of its evaluation code."""

SKELETONS = {
    skeleton.name: skeleton
    for skeleton in (
        *(H36M_17, H36M_25, COCO_17, COCO_18, BODY_19, BODY_25, BODY_25B, OPENPOSE_MPI_15),
        *(HALPE_26, HALPE_136, COCO_WHOLEBODY_133),
        *(MEDIAPIPE_33, MPII_16, MPI_INF_3DHP_17),
    )
}


def skeleton_named(name: str) -> Skeleton:
    """Look up a joint set by its name.

    Raises:
        InputError: no joint set has that name.
    """
    if name not in SKELETONS:
        raise InputError(f"unknown skeleton {quoted(name)}; known: {', '.join(SKELETONS)}")
    return SKELETONS[name]
