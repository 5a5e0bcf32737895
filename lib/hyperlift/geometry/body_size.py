"""Bone lengths, and the size of a body as the sum of its bone lengths, which does not depend on the pose."""

from typing import Any

import numpy as np

from hyperlift.shapes import Float, namespace
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton

REFERENCE_BONE_SUM_M = 4.13
"""Sum of the lengths of the 16 bones of ``H36M_17`` for an average adult (CMU motion capture subjects). Poses of label
space "camera" are scaled to this sum."""

REFERENCE_HEIGHT_M = 1.70
"""Standing height of the reference body. Source: its hip-to-ankle length (0.835 m) and its shoulder height (1.40 m) are
0.491 and 0.818 of the height (Drillis and Contini 1966), which gives 1.70 m. The joint "Head" lies below the crown, at
1.61 m (median of 20 recorded subjects, standard deviation 0.07 m)."""


def reference_bones(skeleton: Skeleton) -> list[int]:
    """Indices into ``skeleton.bones`` of the bones whose lengths sum to the size of a body: the bones of ``H36M_17`` if
    the skeleton has all its joints, else all bones."""
    core = set(H36M_17.joints)
    if not core <= set(skeleton.joints):
        return list(range(len(skeleton.bones)))
    return [
        number for number, bone in enumerate(skeleton.bones) if core.issuperset(skeleton.joints[end] for end in bone)
    ]


def bone_lengths(joints: Float[Any, "*any joints 3"], skeleton: Skeleton) -> Float[Any, "*any bones"]:
    """Bone lengths in the unit of the input, in the order of ``skeleton.bones``; the input is an array or a tensor."""
    parent, child = (list(ends) for ends in zip(*skeleton.bones, strict=True))
    return namespace(joints).linalg.vector_norm(joints[..., child, :] - joints[..., parent, :], axis=-1)


def bone_sum_of(height_m: float) -> float:
    """Sum of the bone lengths, metres, of a body of this standing height."""
    return REFERENCE_BONE_SUM_M * height_m / REFERENCE_HEIGHT_M


def body_scale(joints_m: Float[np.ndarray, "frames joints 3"], skeleton: Skeleton) -> float:
    """Scale factor from this person to the reference body: ``REFERENCE_BONE_SUM_M`` / median over time of the bone
    sum."""
    return float(body_scales(joints_m[None], skeleton)[0])


def body_scales(
    joints_m: Float[np.ndarray, "people frames joints 3"], skeleton: Skeleton
) -> Float[np.ndarray, " people"]:
    """``body_scale`` of several people."""
    lengths = bone_lengths(joints_m, skeleton)
    if len(bones := reference_bones(skeleton)) < len(skeleton.bones):
        lengths = lengths[..., bones]
    return REFERENCE_BONE_SUM_M / np.median(lengths.sum(-1), axis=-1)
