"""Forward kinematics of a tree of joints.

The rotation of a bone is stored at the joint where the bone ends; the root stores the rotation of the pelvis. An
absolute rotation maps the rest pose to the posed body: joint = parent + rotation @ rest offset. ``parents`` holds the
parent index of every joint, -1 at the root; the joints may be in any order.
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
    """Joint positions from absolute rotations.

    Args:
        rotations: absolute; the value at the root is ignored.
        offsets_m: from the parent to the joint in the rest pose; the value at the root is ignored.
        root_m: position of the root.
        parents: see above.
    """
    return joints_from_bones((rotations @ offsets_m[:, :, None])[..., 0], root_m, parents)


def joints_from_bones(
    bones: Float[np.ndarray, "*any joints 3"], root: Float[np.ndarray, "*any 3"], parents: Sequence[int]
) -> Float[np.ndarray, "*any joints 3"]:
    """Joint positions from bone vectors: cumulative sums along the tree.

    Args:
        bones: vector from the parent to the joint; the value at the root is ignored.
        root: position of the root, in the unit of the bones.
        parents: see above.
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
    """Convert absolute rotations to rotations relative to the parent bone; the root's is unchanged."""
    relative = rotations.copy()
    for joint in top_down(parents)[1:]:
        parent = rotations[..., parents[joint], :, :]
        relative[..., joint, :, :] = np.swapaxes(parent, -1, -2) @ rotations[..., joint, :, :]
    return relative


def absolute_rotations(
    relative: Float[np.ndarray, "*any joints 3 3"], parents: Sequence[int]
) -> Float[np.ndarray, "*any joints 3 3"]:
    """Convert rotations relative to the parent bone to absolute rotations."""
    rotations = relative.copy()
    for joint in top_down(parents)[1:]:
        rotations[..., joint, :, :] = rotations[..., parents[joint], :, :] @ relative[..., joint, :, :]
    return rotations


def top_down(parents: Sequence[int]) -> list[int]:
    """Joint indices in topological order: the root first, every parent before its children."""
    children: list[list[int]] = [[] for _ in parents]
    order = []
    for joint, parent in enumerate(parents):
        (order if parent < 0 else children[parent]).append(joint)
    for joint in order:
        order.extend(children[joint])
    return order
