"""A fitted motion as animation programs keep it: a tree of named nodes with rest offsets and local rotations, y up.

Every bone of the skeleton turns a node of its own, at the joint where the bone starts. Pelvis and thorax carry several
bones; there nodes without length (lower spine, neck, collar bones) share the joint's place. The rest pose is a T-pose,
arms along x, looking along z: left is +x, up +y, forward +z.
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
"""Turns z up, y backward into y up, z forward."""
_CAMERA = np.diag([1.0, -1.0, -1.0])
"""Turns camera axes (y down, z forward) into y up, z towards the camera."""


@dataclass(frozen=True)
class _Node:
    name: str
    mixamo: str
    parent: str
    joint: str
    """Where it is."""
    bone: str
    """Joint in which the bone ends that it turns."""


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
"""Parents first, depth first, as files want them."""

_STUBS = {
    "LWrist": (0.08, 0.0, 0.0),
    "RWrist": (-0.08, 0.0, 0.0),
    "LAnkle": (0.0, -0.04, 0.12),
    "RAnkle": (0.0, -0.04, 0.12),
    "Head": (0.0, 0.05, 0.0),
}
"""Metres beyond the last joints, in the rest pose: programs draw a bone only where something follows. Nothing was
measured there; hands, feet and the crown stand still on the bone before."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeTree:
    """Nodes with offsets and rotations against their parents; metres, y up."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """-1 at the root, which is the first; children follow their parents, depth first."""
    joints: tuple[int, ...]
    """Joint of the skeleton at whose place each node is."""
    offsets_m: Float[np.ndarray, "nodes 3"]
    """From the parent in the rest pose; 0 for the root."""
    stubs_m: dict[int, Float[np.ndarray, "3"]]
    """Ends beyond the last nodes, for drawing."""
    rotations: Float[np.ndarray, "frames nodes 3 3"]
    """Against the parent; identity in the rest pose."""
    root_m: Float[np.ndarray, "frames 3"]
    naming: str

    def rest_m(self) -> Float[np.ndarray, "nodes 3"]:
        """Places in the rest pose, the root at 0."""
        return joints_from_bones(self.offsets_m, np.zeros(3), self.parents)


def y_up(axes: str) -> Float[np.ndarray, "3 3"]:
    """Turns a motion's axes into those of animation files, y up.

    From the world (z up, y forward from the camera) x stays and z comes towards the camera; from the camera likewise,
    so that "up" is the camera's.
    """
    return _CAMERA if axes == "camera" else _Z_UP


def joints_y_up_m(fitted: FittedMotion) -> Float[np.ndarray, "frames joints 3"]:
    """The joints in the axes of animation files."""
    return fitted.joints_m @ y_up(fitted.axes).T


def node_tree(fitted: FittedMotion, naming: str = "plain") -> NodeTree:
    """Nodes of a fitted motion.

    Raises:
        InputError: an unknown naming.
    """
    if naming not in NAMINGS:
        raise InputError(f"naming is {quoted(naming)}; choose from {', '.join(NAMINGS)}")
    at = H36M_17.index
    numbers = {node.name: number for number, node in enumerate(_NODES)}
    parents = tuple(numbers[node.parent] if node.parent else -1 for node in _NODES)
    offsets_m = np.zeros((len(_NODES), 3))
    absolute = np.empty((len(fitted.time_s), len(_NODES), 3, 3))
    for number, (node, parent) in enumerate(zip(_NODES, parents, strict=True)):
        # A node without length stands where its parent stands; all others one bone further.
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
