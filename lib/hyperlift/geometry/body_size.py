"""The size of a body, measured by the one length that every pose keeps: the sum of its bones."""

from typing import Any

import numpy as np

from hyperlift.shapes import Float, namespace
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton

REFERENCE_BONE_SUM_M = 4.13
"""Summed length of all 16 bones of an average adult (CMU subjects), the unit of label space "camera"."""

REFERENCE_HEIGHT_M = 1.70
"""Standing height of such a body. Its legs (hip to ankle 0.835 m) and shoulders (1.40 m above the ground) are those of
1.70 m by the proportions of Drillis and Contini (1966): 0.491 and 0.818 of the height. Its joint "Head" reaches 1.61 m
(median of 20 recorded subjects, standard deviation 0.07 m): that joint lies below the crown."""


def reference_bones(skeleton: Skeleton) -> list[int]:
    """Numbers, in ``skeleton.bones``, of the bones whose sum is the size of a body: those between the joints of
    ``H36M_17``, where a skeleton has all of these, else all."""
    core = set(H36M_17.joints)
    if not core <= set(skeleton.joints):
        return list(range(len(skeleton.bones)))
    return [
        number for number, bone in enumerate(skeleton.bones) if core.issuperset(skeleton.joints[end] for end in bone)
    ]


def bone_lengths(joints: Float[Any, "*any joints 3"], skeleton: Skeleton) -> Float[Any, "*any bones"]:
    """Length of every bone, in the unit of the input and the order of ``skeleton.bones``; of arrays or tensors."""
    parent, child = (list(ends) for ends in zip(*skeleton.bones, strict=True))
    return namespace(joints).linalg.vector_norm(joints[..., child, :] - joints[..., parent, :], axis=-1)


def bone_sum_of(height_m: float) -> float:
    """Summed length of the bones of a body of this standing height, metres."""
    return REFERENCE_BONE_SUM_M * height_m / REFERENCE_HEIGHT_M


def body_scale(joints_m: Float[np.ndarray, "frames joints 3"], skeleton: Skeleton) -> float:
    """Factor that makes this person's bones sum to the reference: ``REFERENCE_BONE_SUM_M / median bone sum``."""
    return float(body_scales(joints_m[None], skeleton)[0])


def body_scales(
    joints_m: Float[np.ndarray, "people frames joints 3"], skeleton: Skeleton
) -> Float[np.ndarray, " people"]:
    """``body_scale`` of several people."""
    lengths = bone_lengths(joints_m, skeleton)
    if len(sizing := reference_bones(skeleton)) < len(skeleton.bones):
        lengths = lengths[..., sizing]
    return REFERENCE_BONE_SUM_M / np.median(lengths.sum(-1), axis=-1)
