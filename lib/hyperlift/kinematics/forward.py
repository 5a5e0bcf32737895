"""Forward kinematics of a named skeleton: rotations and rest offsets to joints.

A rotation belongs to a bone and is kept at the joint in which the bone ends; the root's is that of the pelvis. Absolute
rotations turn the rest pose's axes into those of the motion: joint = parent + rotation of the bone · rest offset.
"""

import numpy as np

from hyperlift.shapes import Float
from hyperlift.skeletons import Skeleton


def forward_kinematics(
    rotations: Float[np.ndarray, "*any joints 3 3"],
    offsets_m: Float[np.ndarray, "joints 3"],
    root_m: Float[np.ndarray, "*any 3"],
    skeleton: Skeleton,
) -> Float[np.ndarray, "*any joints 3"]:
    """Joints from absolute rotations.

    Args:
        rotations: of the bone that ends in each joint, absolute; the root's is not used.
        offsets_m: from its parent to each joint in the rest pose; the root's is not used.
        root_m: place of the root.
        skeleton: tree and joint order; parents may stand in any order.
    """
    bones = (rotations @ offsets_m[:, :, None])[..., 0]
    joints = np.empty(bones.shape)
    joints[..., skeleton.root, :] = root_m
    for joint in top_down(skeleton)[1:]:
        joints[..., joint, :] = joints[..., skeleton.parents[joint], :] + bones[..., joint, :]
    return joints


def relative_rotations(
    rotations: Float[np.ndarray, "*any joints 3 3"], skeleton: Skeleton
) -> Float[np.ndarray, "*any joints 3 3"]:
    """Absolute rotations to those relative to the bone before; the root keeps its own."""
    relative = rotations.copy()
    for joint in top_down(skeleton)[1:]:
        before = rotations[..., skeleton.parents[joint], :, :]
        relative[..., joint, :, :] = np.swapaxes(before, -1, -2) @ rotations[..., joint, :, :]
    return relative


def absolute_rotations(
    relative: Float[np.ndarray, "*any joints 3 3"], skeleton: Skeleton
) -> Float[np.ndarray, "*any joints 3 3"]:
    """Rotations relative to the bone before to absolute ones: products along the chain."""
    rotations = relative.copy()
    for joint in top_down(skeleton)[1:]:
        rotations[..., joint, :, :] = rotations[..., skeleton.parents[joint], :, :] @ relative[..., joint, :, :]
    return rotations


def top_down(skeleton: Skeleton) -> list[int]:
    """Joint indices, every parent before its children, the root first."""
    order = [skeleton.root]
    for joint in order:
        order.extend(child for child, parent in enumerate(skeleton.parents) if parent == joint)
    return order
