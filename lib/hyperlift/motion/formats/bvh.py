"""Writer of Biovision hierarchies (``.bvh``)."""

from collections.abc import Sequence
from itertools import repeat
from pathlib import Path

import numpy as np

from hyperlift.body.rigid_fit import FittedMotion
from hyperlift.errors import InputError, quoted
from hyperlift.files.atomic import atomic_file
from hyperlift.geometry.rotations import continuous_euler, matrix_to_euler
from hyperlift.motion.formats.node_tree import NodeTree, node_tree
from hyperlift.shapes import Float

_PER_M = {"cm": 100.0, "m": 1.0}
"""Units per metre."""
_ORDERS = ("ZXY", "ZYX", "XYZ", "XZY", "YXZ", "YZX")
PER_JOINT = "per-joint"
"""Each joint has the order whose middle axis it rotates about least."""
_ARMS = ("Clavicle", "Shoulder", "Elbow", "Wrist")


def write_bvh(
    path: Path | str,
    fitted: FittedMotion,
    *,
    naming: str = "plain",
    unit: str = "cm",
    order: str = "ZXY",
    start_s: float | None = None,
) -> None:
    """Write one person atomically.

    Offsets are constant. The root has a position and three angles, each other joint three intrinsic Euler angles in
    degrees, unwrapped over time. The rest pose is a T-pose, y up, facing +z. The format states neither unit nor up
    axis; programs expect centimetres and y up.

    If the middle angle is 90° (gimbal lock), the other two can jump between frames: each frame is correct, but
    interpolation between them is not. For the order ``ZXY`` this occurs at a knee flexion of 90°. ``per-joint`` avoids
    it, for readers that support one order per joint.

    Args:
        path: the file.
        fitted: the motion.
        naming: of the joints, one of ``node_tree.NAMINGS``.
        unit: of lengths, cm or m.
        order: of the angles of all joints, or ``per-joint``.
        start_s: time of the first frame of the file, equal for people who must stay in sync; the first pose is held
            until the motion starts. None starts with the motion.

    Raises:
        InputError: the naming, unit or order is unknown, or the folder cannot be written.
    """
    if unit not in _PER_M:
        raise InputError(f"unit is {quoted(unit)}; choose from {', '.join(_PER_M)}")
    if order not in (*_ORDERS, PER_JOINT):
        raise InputError(f"order of angles is {quoted(order)}; choose from {', '.join(_ORDERS)}, {PER_JOINT}")
    tree = node_tree(fitted, naming)
    orders = [_lock_free(name) if order == PER_JOINT else order for name in node_tree(fitted).names]
    lines = ["HIERARCHY", *_node(tree, 0, 0, orders, _PER_M[unit]), "MOTION"]
    frame_time_s = _frame_time_s(fitted)
    held = 0 if start_s is None else max(0, round((float(fitted.time_s[0]) - start_s) / frame_time_s))
    lines += [f"Frames: {held + len(fitted.time_s)}", f"Frame Time: {frame_time_s:.8f}"]
    angles = [matrix_to_euler(tree.rotations[:, node], own) for node, own in enumerate(orders)]
    degrees = np.degrees(continuous_euler(np.stack(angles, axis=1)))
    rows = np.concatenate([tree.root_m * _PER_M[unit], degrees.reshape(len(degrees), -1)], axis=1)
    with atomic_file(path) as partial, partial.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.writelines(repeat(_row(rows[0]), held))
        file.writelines(map(_row, rows))


def _row(numbers: Float[np.ndarray, " channels"]) -> str:
    return " ".join(f"{number:.6f}" for number in numbers.tolist()) + "\n"


def _lock_free(name: str) -> str:
    if name == "Pelvis":
        return "YZX"  # yaw about y and pitch about x are large, roll about z is small
    return "ZXY" if name.endswith(_ARMS) else "XZY"


def _node(tree: NodeTree, node: int, depth: int, orders: Sequence[str], per_m: float) -> list[str]:
    indent, inner = "\t" * depth, "\t" * (depth + 1)
    kind = "JOINT" if depth else "ROOT"
    positions = "" if depth else "Xposition Yposition Zposition "
    rotations = " ".join(f"{axis}rotation" for axis in orders[node])
    lines = [
        f"{indent}{kind} {tree.names[node]}",
        f"{indent}{{",
        f"{inner}OFFSET {_numbers(tree.offsets_m[node] * per_m)}",
        f"{inner}CHANNELS {3 if depth else 6} {positions}{rotations}",
    ]
    for child, parent in enumerate(tree.parents):
        if parent == node:
            lines += _node(tree, child, depth + 1, orders, per_m)
    if node in tree.stubs_m:
        end = [f"OFFSET {_numbers(tree.stubs_m[node] * per_m)}"]
        lines += [f"{inner}End Site", f"{inner}{{", *(f"{inner}\t{line}" for line in end), f"{inner}}}"]
    return [*lines, f"{indent}}}"]


def _frame_time_s(fitted: FittedMotion) -> float:
    """The mean frame time, which keeps the duration: the format has one constant rate."""
    times_s = fitted.time_s
    return float(times_s[-1] - times_s[0]) / (len(times_s) - 1) if len(times_s) > 1 else 1.0 / fitted.fps


def _numbers(vector: np.ndarray) -> str:
    return " ".join(f"{number:.6f}" for number in vector.tolist())
