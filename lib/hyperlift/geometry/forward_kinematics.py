"""Forward kinematics of a named skeleton: rotations and rest offsets to joints.

A rotation belongs to a bone and is kept at the joint in which the bone ends; the root's is that of the pelvis. Absolute
rotations turn the rest pose's axes into those of the motion: joint = parent + rotation of the bone · rest offset.
"""

from collections.abc import Sequence

import numpy as np

from hyperlift.shapes import Float


def forward_kinematics(
    rotations: Float[np.ndarray, "*any joints 3 3"],
    offsets_m: Float[np.ndarray, "joints 3"],
    root_m: Float[np.ndarray, "*any 3"],
    parents: Sequence[int],
) -> Float[np.ndarray, "*any joints 3"]:
    """Joints from absolute rotations.

    Args:
        rotations: of the bone that ends in each joint, absolute; the root's is not used.
        offsets_m: from its parent to each joint in the rest pose; the root's is not used.
        root_m: place of the root.
        parents: of every joint, -1 at the root; in any order.
    """
    return joints_from_bones((rotations @ offsets_m[:, :, None])[..., 0], root_m, parents)


def joints_from_bones(
    bones: Float[np.ndarray, "*any joints 3"], root: Float[np.ndarray, "*any 3"], parents: Sequence[int]
) -> Float[np.ndarray, "*any joints 3"]:
    """Joints from bones: each is its parent and the vector of the bone that ends in it.

    Args:
        bones: from the parent to each joint; the root's is not used.
        root: place of the root, in the unit of the bones.
        parents: of every joint, -1 at the root; in any order.
    """
    first, *others = top_down(parents)
    joints = np.empty_like(bones)
    joints[..., first, :] = root
    for joint in others:
        joints[..., joint, :] = joints[..., parents[joint], :] + bones[..., joint, :]
    return joints


def relative_rotations(
    rotations: Float[np.ndarray, "*any joints 3 3"], parents: Sequence[int]
) -> Float[np.ndarray, "*any joints 3 3"]:
    """Absolute rotations to those relative to the bone before; the root keeps its own."""
    relative = rotations.copy()
    for joint in top_down(parents)[1:]:
        before = rotations[..., parents[joint], :, :]
        relative[..., joint, :, :] = np.swapaxes(before, -1, -2) @ rotations[..., joint, :, :]
    return relative


def absolute_rotations(
    relative: Float[np.ndarray, "*any joints 3 3"], parents: Sequence[int]
) -> Float[np.ndarray, "*any joints 3 3"]:
    """Rotations relative to the bone before to absolute ones: products along the chain."""
    rotations = relative.copy()
    for joint in top_down(parents)[1:]:
        rotations[..., joint, :, :] = rotations[..., parents[joint], :, :] @ relative[..., joint, :, :]
    return rotations


def top_down(parents: Sequence[int]) -> list[int]:
    """Joint indices, every parent before its children, the root first."""
    children: list[list[int]] = [[] for _ in parents]
    order = []
    for joint, parent in enumerate(parents):
        (order if parent < 0 else children[parent]).append(joint)
    for joint in order:
        order.extend(children[joint])
    return order
