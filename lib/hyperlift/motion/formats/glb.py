"""Writer of binary glTF 2.0 (``.glb``): nodes, their animation, and a skinned mesh of sticks.

Source: specification of the Khronos Group, chapters 3 (JSON) and 4 (GLB).
"""

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import hyperlift
from hyperlift.body.rigid_fit import FittedMotion
from hyperlift.files.atomic import atomic_file
from hyperlift.geometry.rotations import (
    continuous_quaternions,
    matrix_to_quaternion,
    orthonormal_frame,
    perpendicular,
    unit,
)
from hyperlift.motion.formats.node_tree import NodeTree, node_tree
from hyperlift.shapes import Float, Int

_FLOAT, _USHORT, _UBYTE = 5126, 5123, 5121
_VERTICES = 34962
"""Target of a buffer view of vertices (ARRAY_BUFFER)."""
_COLOURS = {"L": (0.16, 0.45, 0.80, 1.0), "R": (0.84, 0.33, 0.20, 1.0), "": (0.45, 0.47, 0.50, 1.0)}
"""Colours of left, right and middle, RGBA: similar to those of the videos."""


def write_glb(path: Path | str, fitted: FittedMotion, *, naming: str = "plain", start_s: float | None = None) -> None:
    """Write one person atomically; in metres, y up, with a T-pose that faces +z as rest pose.

    Every node has a rotation in every frame, the root also a position. ``asset.extras`` states unit, axes, rest pose
    and naming.

    Args:
        path: the file.
        fitted: the motion, whose times are kept.
        naming: of the nodes, one of ``node_tree.NAMINGS``.
        start_s: time 0 of the file, equal for people who must stay in sync; players hold the first pose until the
            motion starts. None is the time of the first frame.

    Raises:
        InputError: the naming is unknown, or the folder cannot be written.
    """
    tree = node_tree(fitted, naming)
    buffer = _Buffer()
    times = buffer.add(fitted.time_s - (fitted.time_s[0] if start_s is None else start_s), "SCALAR", bounds=True)
    animation = _animation(tree, times, buffer)
    mesh, materials = _sticks(tree, buffer)
    places = tree.rest_m()
    inverse = np.broadcast_to(np.eye(4), (len(places), 4, 4)).copy()
    inverse[:, 3, :3] = -places  # column-major: the translation is the last row in memory
    skin = {"joints": list(range(len(places))), "inverseBindMatrices": buffer.add(inverse.reshape(-1, 16), "MAT4")}
    root = tree.root_m[0].tolist()
    nodes: list[dict] = []
    for node, name in enumerate(tree.names):
        children = [child for child, parent in enumerate(tree.parents) if parent == node]
        offset = root if node == 0 else tree.offsets_m[node].tolist()
        nodes.append({"name": name, "translation": offset, **({"children": children} if children else {})})
    # The transform of a skinned mesh is that of its joints; its node is a second root.
    nodes.append({"name": "Sticks", "mesh": 0, "skin": 0})
    document = {
        "asset": {
            "version": "2.0",
            "generator": f"hyperlift {hyperlift.__version__}",
            "extras": {
                "unit": "metre",
                "up": "+Y",
                "rest_pose": "T-pose: left is +X, up +Y, forward +Z",
                "naming": naming,
                "skeleton": fitted.skeleton.name,
                "axes": f"from the {fitted.axes}'s, turned so that Y is up",
            },
        },
        "scene": 0,
        "scenes": [{"name": "Motion", "nodes": [0, len(tree.names)]}],
        "nodes": nodes,
        "skins": [{**skin, "skeleton": 0}],
        "meshes": [mesh],
        "materials": materials,
        "animations": [animation],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    length = 12 + 8 + len(text) + 8 + len(buffer.data)
    with atomic_file(path) as partial, partial.open("wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, length))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", len(buffer.data), b"BIN\0") + bytes(buffer.data))


@dataclass(eq=False)
class _Buffer:
    """The binary chunk with its views and accessors."""

    data: bytearray = field(default_factory=bytearray)
    views: list[dict] = field(default_factory=list)
    accessors: list[dict] = field(default_factory=list)

    def add(self, values: np.ndarray, kind: str, *, bounds: bool = False, vertices: bool = False) -> int:
        """Append an array with one element per row; floats are stored as float32, unsigned integers unchanged."""
        values = values.astype("<f4") if values.dtype.kind == "f" else values
        component = {"f": _FLOAT, "u": _USHORT if values.itemsize == 2 else _UBYTE}[values.dtype.kind]
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": values.nbytes}
        self.views.append({**view, **({"target": _VERTICES} if vertices else {})})
        self.data += values.tobytes()
        self.data += b"\0" * (-len(self.data) % 4)
        accessor = {"bufferView": len(self.views) - 1, "componentType": component, "count": len(values), "type": kind}
        if bounds:
            rows = values.reshape(len(values), -1)
            accessor |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _animation(tree: NodeTree, times: int, buffer: _Buffer) -> dict:
    quaternions = continuous_quaternions(matrix_to_quaternion(tree.rotations))
    samplers = [{"input": times, "output": buffer.add(tree.root_m, "VEC3"), "interpolation": "LINEAR"}]
    channels = [{"sampler": 0, "target": {"node": 0, "path": "translation"}}]
    for node in range(len(tree.names)):
        output = buffer.add(quaternions[:, node], "VEC4")
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": "rotation"}})
    return {"name": "Motion", "samplers": samplers, "channels": channels}


def _sticks(tree: NodeTree, buffer: _Buffer) -> tuple[dict, list[dict]]:
    """A mesh with one octahedron per bone in the rest pose, and one material per side."""
    places = tree.rest_m()
    bones = [(parent, places[node]) for node, parent in enumerate(tree.parents) if parent >= 0]
    bones += [(node, places[node] + stub) for node, stub in tree.stubs_m.items()]
    primitives, materials = [], []
    for side, colour in _COLOURS.items():
        triangles, carriers = [np.zeros((0, 3, 3))], []
        for node, end in bones:
            name = tree.names[node].removeprefix("mixamorig:")
            of_node = {"Left": "L", "Righ": "R"}.get(name[:4], "") if tree.naming == "mixamo" else name[0]
            if (of_node if of_node in ("L", "R") and name != "LowerSpine" else "") != side:
                continue
            octahedron = _octahedron(places[node], end)
            triangles.append(octahedron)
            carriers += [node] * (3 * len(octahedron))
        corners = np.concatenate(triangles)
        if not len(corners):
            continue
        primitives.append(_primitive(corners, np.array(carriers), len(materials), buffer))
        materials.append(
            {
                "name": {"L": "Left", "R": "Right", "": "Middle"}[side],
                "pbrMetallicRoughness": {"baseColorFactor": colour, "metallicFactor": 0.0, "roughnessFactor": 0.8},
            }
        )
    return {"name": "Sticks", "primitives": primitives}, materials


def _octahedron(start: Float[np.ndarray, "3"], end: Float[np.ndarray, "3"]) -> Float[np.ndarray, "faces 3 3"]:
    """Faces of a stick from start to end, counter-clockwise from outside; none for a stick of length 0."""
    length = float(np.linalg.norm(end - start))
    if length < 1e-4:
        return np.zeros((0, 3, 3))
    axes = orthonormal_frame(unit(end - start), perpendicular(end - start))
    width = min(0.12 * length, 0.03)
    waist = start + 0.2 * (end - start)
    ring = [waist + width * (np.cos(a) * axes[:, 1] + np.sin(a) * axes[:, 2]) for a in np.arange(4) * np.pi / 2]
    faces = []
    for k in range(4):
        here, following = ring[k], ring[(k + 1) % 4]
        faces += [[end, here, following], [start, following, here]]
    return np.array(faces)


def _primitive(
    corners: Float[np.ndarray, "faces 3 3"], carriers: Int[np.ndarray, " corners"], material: int, buffer: _Buffer
) -> dict:
    normals = unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    joints = np.zeros((len(carriers), 4), np.uint8)
    joints[:, 0] = carriers
    weights = np.zeros((len(carriers), 4))
    weights[:, 0] = 1.0
    return {
        "attributes": {
            "POSITION": buffer.add(corners.reshape(-1, 3), "VEC3", bounds=True, vertices=True),
            "NORMAL": buffer.add(np.repeat(normals, 3, axis=0), "VEC3", vertices=True),
            "JOINTS_0": buffer.add(joints, "VEC4", vertices=True),
            "WEIGHTS_0": buffer.add(weights, "VEC4", vertices=True),
        },
        "material": material,
        "mode": 4,
    }
