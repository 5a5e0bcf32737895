"""Node tree of animation formats: named nodes with rest offsets and local rotations, y up.

Each bone has a node at the joint where it starts. Pelvis and thorax have several bones; their nodes of length 0 (lower
spine, neck, clavicles) have the position of the joint. The rest pose is a T-pose: left is +x, up +y, forward +z.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from hyperlift.body.rigid_fit import FittedMotion
from hyperlift.choices import NodeNaming
from hyperlift.errors import InputError, quoted
from hyperlift.geometry.forward_kinematics import joints_from_bones, relative_rotations
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

NAMINGS = get_args(NodeNaming)

_Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Rotation from z up, y backward to y up, z forward."""
_CAMERA = np.diag([1.0, -1.0, -1.0])
"""Rotation from camera axes (y down, z forward) to y up, z towards the camera."""


@dataclass(frozen=True)
class _Node:
    name: str
    mixamo: str
    parent: str
    joint: str
    """Joint at the position of the node."""
    bone: str
    """End joint of the bone that the node rotates."""


_NODES = (
    _Node("Pelvis", "Hips", "", "Pelvis", "Pelvis"),
    _Node("LowerSpine", "Spine", "Pelvis", "Pelvis", "Spine"),
    _Node("Spine", "Spine1", "LowerSpine", "Spine", "Thorax"),
    _Node("Thorax", "Spine2", "Spine", "Thorax", "Thorax"),
    _Node("Neck", "Neck", "Thorax", "Thorax", "Nose"),
    _Node("Nose", "Head", "Neck", "Nose", "Head"),
    _Node("Head", "HeadTop_End", "Nose", "Head", "Head"),
    _Node("LClavicle", "LeftShoulder", "Thorax", "Thorax", "LShoulder"),
    _Node("LShoulder", "LeftArm", "LClavicle", "LShoulder", "LElbow"),
    _Node("LElbow", "LeftForeArm", "LShoulder", "LElbow", "LWrist"),
    _Node("LWrist", "LeftHand", "LElbow", "LWrist", "LWrist"),
    _Node("RClavicle", "RightShoulder", "Thorax", "Thorax", "RShoulder"),
    _Node("RShoulder", "RightArm", "RClavicle", "RShoulder", "RElbow"),
    _Node("RElbow", "RightForeArm", "RShoulder", "RElbow", "RWrist"),
    _Node("RWrist", "RightHand", "RElbow", "RWrist", "RWrist"),
    _Node("LHip", "LeftUpLeg", "Pelvis", "LHip", "LKnee"),
    _Node("LKnee", "LeftLeg", "LHip", "LKnee", "LAnkle"),
    _Node("LAnkle", "LeftFoot", "LKnee", "LAnkle", "LAnkle"),
    _Node("RHip", "RightUpLeg", "Pelvis", "RHip", "RKnee"),
    _Node("RKnee", "RightLeg", "RHip", "RKnee", "RAnkle"),
    _Node("RAnkle", "RightFoot", "RKnee", "RAnkle", "RAnkle"),
)
"""Nodes in the depth-first order of files, parents first."""

_STUBS = {
    "LWrist": (0.08, 0.0, 0.0),
    "RWrist": (-0.08, 0.0, 0.0),
    "LAnkle": (0.0, -0.04, 0.12),
    "RAnkle": (0.0, -0.04, 0.12),
    "Head": (0.0, 0.05, 0.0),
}
"""Ends beyond the last joints in the rest pose, metres, because programs draw a bone only to a child. Chosen: plausible
sizes of hands, feet and head; they are not measured and do not move relative to their parents."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeTree:
    """Nodes with offsets and rotations relative to their parents; metres, y up."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """-1 for the root, which is first; depth-first order."""
    joints: tuple[int, ...]
    """Joint at the position of each node."""
    offsets_m: Float[np.ndarray, "nodes 3"]
    """Offset from the parent in the rest pose; 0 for the root."""
    stubs_m: dict[int, Float[np.ndarray, "3"]]
    """Ends beyond the last nodes."""
    rotations: Float[np.ndarray, "frames nodes 3 3"]
    """Relative to the parent; identity in the rest pose."""
    root_m: Float[np.ndarray, "frames 3"]
    naming: str

    def rest_m(self) -> Float[np.ndarray, "nodes 3"]:
        """Positions in the rest pose, the root at 0."""
        return joints_from_bones(self.offsets_m, np.zeros(3), self.parents)


def y_up(axes: str) -> Float[np.ndarray, "3 3"]:
    """Rotation from the axes of a motion to those of animation files: x unchanged, y up, z towards the camera.

    For camera axes, up is that of the camera.
    """
    return _CAMERA if axes == "camera" else _Z_UP


def joints_y_up_m(fitted: FittedMotion) -> Float[np.ndarray, "frames joints 3"]:
    """Joints in the axes of animation files."""
    return fitted.joints_m @ y_up(fitted.axes).T


def node_tree(fitted: FittedMotion, naming: str = "plain") -> NodeTree:
    """Node tree of a fitted motion.

    Raises:
        InputError: the naming is unknown.
    """
    if naming not in NAMINGS:
        raise InputError(f"naming is {quoted(naming)}; choose from {', '.join(NAMINGS)}")
    at = H36M_17.index
    numbers = {node.name: number for number, node in enumerate(_NODES)}
    parents = tuple(numbers[node.parent] if node.parent else -1 for node in _NODES)
    offsets_m = np.zeros((len(_NODES), 3))
    absolute = np.empty((len(fitted.time_s), len(_NODES), 3, 3))
    for number, (node, parent) in enumerate(zip(_NODES, parents, strict=True)):
        # A node at the joint of its parent has offset 0; others have that of one bone.
        if parent >= 0 and _NODES[parent].joint != node.joint:
            offsets_m[number] = _Z_UP @ fitted.offsets_m[at(node.joint)]
        absolute[:, number] = y_up(fitted.axes) @ fitted.rotations[:, at(node.bone)] @ _Z_UP.T
    return NodeTree(
        names=tuple(f"mixamorig:{node.mixamo}" if naming == "mixamo" else node.name for node in _NODES),
        parents=parents,
        joints=tuple(at(node.joint) for node in _NODES),
        offsets_m=offsets_m,
        stubs_m={numbers[name]: np.array(stub) for name, stub in _STUBS.items()},
        rotations=relative_rotations(absolute, parents),
        root_m=joints_y_up_m(fitted)[:, fitted.skeleton.root],
        naming=naming,
    )
