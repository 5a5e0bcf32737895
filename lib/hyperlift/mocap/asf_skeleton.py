"""Reader of Acclaim skeletons (``.asf``) of the CMU motion capture database.

The format is described by Jeff Lander, "Working with motion capture file formats" (1998). A bone has a
direction and a length in the axes of the whole skeleton at rest, and an ``axis``: the orientation of the
frame in which its angles are measured.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.geometry.rotations import matrix_from_euler
from hyperlift.mocap.kinematic_tree import MAX_JOINTS, KinematicTree
from hyperlift.mocap.text_lines import TextLines
from hyperlift.shapes import Float

_MIN_LENGTH = 1e-6
"""Range of ``length`` in ``:units``: this to its inverse. Chosen: values outside are damage."""
ROOT = "root"
_CHANNELS = ("tx", "ty", "tz", "rx", "ry", "rz")
_BONE_CHANNELS = ("rx", "ry", "rz")


@dataclass(frozen=True, kw_only=True, eq=False)
class AsfSkeleton:
    """A skeleton of bones; the first bone is the root, which has length 0.

    ``tree`` has one node per bone, at the start of the bone; its offsets are in metres. ``tips_m`` [joints, 3] is the
    vector from start to end of the bone, in the axes of the skeleton at rest.
    """

    path: Path
    tree: KinematicTree
    tips_m: Float[np.ndarray, "joints 3"]
    axes: Float[np.ndarray, "joints 3 3"]
    """Orientation of the frame of the angles of a bone (matrix C of the format)."""
    channels: tuple[tuple[str, ...], ...]
    """Channels of each bone in an ``.amc``, in order: tx ty tz rx ry rz."""
    metres_per_unit: float
    radians_per_unit: float


@dataclass
class _Bone:
    direction: Float[np.ndarray, "3"]
    length: float
    axis: Float[np.ndarray, "3 3"]
    channels: tuple[str, ...]


def read_asf(path: Path) -> AsfSkeleton:
    """Read a skeleton.

    Lengths are converted by the rule of the CMU database: inches divided by ``length`` of section ``:units``.

    Raises:
        InputError: the file is missing or damaged; the message names the line.
    """
    lines = TextLines.of_file(path)
    units = {"length": 1.0}
    radians = np.pi / 180
    root = _Bone(np.zeros(3), 0.0, np.eye(3), _CHANNELS)
    root_place, root_angles, root_order = np.zeros(3), np.zeros(3), "xyz"
    bones: dict[str, _Bone] = {}
    parent_of: dict[str, str] = {}
    section = ""
    while (words := lines.next_words()) is not None:
        if words[0].startswith(":"):
            section = words[0].lower()
        elif section == ":units":
            if words[0] == "angle":
                radians = 1.0 if words[-1].lower().startswith("rad") else np.pi / 180
            elif words[0] in ("length", "mass"):
                units[words[0]] = lines.numbers(words[1:], 1)[0]
        elif section == ":root":
            if words[0] == "order":
                root.channels = _channels(lines, words[1:], _CHANNELS)
            elif words[0] == "axis":
                root_order = _order(lines, words[-1])
            elif words[0] == "position":
                root_place = lines.numbers(words[1:], 3)
            elif words[0] == "orientation":
                root_angles = lines.numbers(words[1:], 3)
        elif section == ":bonedata" and words[0] == "begin":
            name, bone = _read_bone(lines, radians)
            if name in bones:
                raise lines.error(f"bone {quoted(name)} occurs twice")
            if len(bones) >= MAX_JOINTS:
                raise lines.error(f"more than {MAX_JOINTS:,} bones; leave out those that are not of the body")
            bones[name] = bone
        elif section == ":hierarchy" and words[0] not in ("begin", "end"):
            for child in words[1:]:
                if child not in bones or (words[0] not in bones and words[0] != ROOT) or child in parent_of:
                    raise lines.error(
                        f"the hierarchy hangs {quoted(child)} on {quoted(words[0])}; both must be bones, once"
                    )
                parent_of[child] = words[0]
    if not _MIN_LENGTH <= units["length"] <= 1 / _MIN_LENGTH:
        raise InputError(
            f"{path}: length {units['length']:g} in section :units; expected a positive number such as 0.45"
        )
    if not parent_of:
        raise InputError(f"{path}: has no bones in sections :bonedata and :hierarchy; expected an .asf skeleton")
    root.axis = _fixed_axis_rotation(root_order, root_angles * radians)
    return _assemble(path, {ROOT: root, **bones}, parent_of, root_place, 0.0254 / units["length"], radians)


def _read_bone(lines: TextLines, radians: float) -> tuple[str, _Bone]:
    name = ""
    bone = _Bone(np.zeros(3), 0.0, np.eye(3), ())
    while True:
        words = lines.next_words()
        if words is None or words[0].startswith(":"):
            raise lines.error(f"bone {quoted(name)} has no 'end'")
        if words[0] == "end":
            break
        if words[0] == "name" and len(words) == 2:
            name = words[1]
        elif words[0] == "direction":
            bone.direction = lines.numbers(words[1:], 3)
        elif words[0] == "length":
            bone.length = float(lines.numbers(words[1:], 1)[0])
        elif words[0] == "axis":
            angles = lines.numbers(words[1:4], 3) * radians
            bone.axis = _fixed_axis_rotation(_order(lines, words[-1] if len(words) == 5 else "XYZ"), angles)
        elif words[0] == "dof":
            bone.channels = _channels(lines, words[1:], _BONE_CHANNELS)
    norm = np.linalg.norm(bone.direction)
    if not name or (bone.length > 0 and norm == 0) or bone.length < 0:
        raise lines.error(f"bone {quoted(name)} needs a name, a direction and a length of 0 or more")
    bone.direction = bone.direction / (norm or 1.0)
    return name, bone


def _assemble(
    path: Path,
    bones: dict[str, _Bone],
    parent_of: dict[str, str],
    root_place: Float[np.ndarray, "3"],
    metres: float,
    radians: float,
) -> AsfSkeleton:
    loose = [name for name in bones if name != ROOT and name not in parent_of]
    if loose:
        raise InputError(f"{path}: section :hierarchy leaves out {one_line(', '.join(loose))}")
    children: dict[str, list[str]] = {}
    for child, parent in parent_of.items():
        children.setdefault(parent, []).append(child)
    order = [ROOT]
    for name in order:  # grows while it is walked: parents before children
        order += children.get(name, [])
    if len(order) != len(bones):
        raise InputError(f"{path}: section :hierarchy has a loop among {quoted(sorted(set(bones) - set(order)))}")
    at = {name: place for place, name in enumerate(order)}
    parents = tuple(at[parent_of[name]] if name != ROOT else -1 for name in order)
    tips_m = np.array([bones[name].direction * bones[name].length * metres for name in order])
    offsets = np.array([root_place * metres, *(tips_m[parent] for parent in parents[1:])])
    return AsfSkeleton(
        path=path,
        tree=KinematicTree(names=tuple(order), parents=parents, offsets=offsets),
        tips_m=tips_m,
        axes=np.array([bones[name].axis for name in order]),
        channels=tuple(bones[name].channels for name in order),
        metres_per_unit=metres,
        radians_per_unit=float(radians),
    )


def _fixed_axis_rotation(order: str, angles_rad: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """Rotation about fixed axes of the skeleton, applied in the order of the letters."""
    return matrix_from_euler(angles_rad[::-1], order[::-1].upper())


def _order(lines: TextLines, word: str) -> str:
    if sorted(word.lower()) != ["x", "y", "z"]:
        raise lines.error(f"axis order {quoted(word)}; expected the letters XYZ in some order")
    return word.lower()


def _channels(lines: TextLines, words: list[str], allowed: tuple[str, ...]) -> tuple[str, ...]:
    channels = tuple(word.lower() for word in words if word.lower() != "l")
    if len(set(channels)) != len(channels) or not set(channels) <= set(allowed):
        raise lines.error(f"degrees of freedom {quoted(' '.join(words))}; expected some of {' '.join(allowed)}")
    return channels
