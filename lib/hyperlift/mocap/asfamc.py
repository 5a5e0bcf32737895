"""Reader of Acclaim motions (``.amc``) with their skeletons (``.asf``), as in the CMU database."""

from pathlib import Path

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.geometry.rotations import matrix_from_euler
from hyperlift.mocap.asf_skeleton import AsfSkeleton, read_asf
from hyperlift.mocap.kinematic_tree import MAX_POSITIONS
from hyperlift.mocap.recording import Recording, between, centred, h36m_joints, y_up_to_z_up
from hyperlift.mocap.text_lines import TextLines
from hyperlift.readers import reader
from hyperlift.shapes import Float

_TRUNK_BONES = ("upperback", "lowerneck", "upperneck", "head")
_LIMB_BONES = ("femur", "tibia", "humerus", "wrist")
NOSE_FORWARD_M = 0.06
"""Distance of the nose in front of the upper neck. Chosen: proportions then resemble those of Human3.6M."""


@reader("Acclaim motion", remedy="copy the .asf and the .amc again")
def read_asfamc(path: Path, asf: Path | None = None, fps: float = 120.0, group: str = "unknown") -> Recording:
    """Read one trial.

    Args:
        path: the motion, such as ``35_01.amc``.
        asf: its skeleton; None: ``35.asf``, or else the only ``.asf``, in the folder of the motion.
        fps: frame rate, which the files do not state; nearly all trials of the CMU database have 120.
        group: kind of motion.

    Returns:
        The 17 joints in metres, z up, with the mean pelvis position at x = y = 0.

    Raises:
        InputError: a file is missing or damaged (the message names the line), or the skeleton lacks a bone.
    """
    skeleton = read_asf(asf or _skeleton_beside(path))
    joints_m = asf_joints(skeleton, *read_amc(path, skeleton))
    return Recording(
        name=path.stem,
        subject=skeleton.path.stem,
        group=group,
        fps=fps,
        joints_m=centred(y_up_to_z_up(joints_m)),
    )


def read_amc(
    path: Path, skeleton: AsfSkeleton
) -> tuple[Float[np.ndarray, "frames joints 3 3"], Float[np.ndarray, "frames 3"]]:
    """Read the rotations of all bones relative to their parents, and the position of the root in metres.

    Raises:
        InputError: the file is missing or damaged; the message names the line.
    """
    lines = TextLines.of_file(path)
    names = skeleton.tree.names
    bone_of = {name: bone for bone, name in enumerate(names)}
    starts = np.cumsum([0, *(len(channels) for channels in skeleton.channels)])
    radians = skeleton.radians_per_unit
    frames: list[Float[np.ndarray, " channels"]] = []
    while (words := lines.next_words()) is not None:
        if words[0].startswith(":"):
            if words[0].lower() in (":degrees", ":radians"):
                radians = np.pi / 180 if words[0].lower() == ":degrees" else 1.0
        elif len(words) == 1 and words[0].isdigit():
            _check_complete(lines, frames, skeleton, starts)
            if (len(frames) + 1) * len(names) > MAX_POSITIONS:
                raise lines.error(f"more than {MAX_POSITIONS:,} places of bones; cut the motion")
            frames.append(np.full(starts[-1], np.nan))
        elif not frames:
            raise lines.error(f"{quoted(words[0])} before the first frame number; expected an .amc motion")
        elif words[0] not in bone_of:
            raise lines.error(
                f"bone {quoted(words[0])} is not in {skeleton.path.name}; give the skeleton of this subject"
            )
        else:
            bone = bone_of[words[0]]
            frames[-1][starts[bone] : starts[bone + 1]] = lines.numbers(words[1:], len(skeleton.channels[bone]))
    _check_complete(lines, frames, skeleton, starts)
    if not frames:
        raise InputError(f"{path}: holds no frames; expected an .amc motion")
    values = np.array(frames)

    rotations = np.empty((len(values), len(names), 3, 3))
    root_m = np.broadcast_to(skeleton.tree.offsets[0], (len(values), 3)).copy()
    for bone, channels in enumerate(skeleton.channels):
        columns = dict(zip(channels, values[:, starts[bone] : starts[bone + 1]].T, strict=True))
        turns = [channel for channel in channels if channel[0] == "r"]
        angles = np.stack([columns[c] for c in turns[::-1]], -1) if turns else np.zeros((len(values), 0))
        # Rotations are about fixed axes in the order of channels, so the product starts with the last one.
        motion = matrix_from_euler(angles * radians, "".join(channel[1] for channel in turns[::-1]).upper())
        rotations[:, bone] = skeleton.axes[bone] @ motion @ skeleton.axes[bone].T
        for axis, channel in enumerate(("tx", "ty", "tz")):
            if channel in columns:
                root_m[:, axis] += columns[channel] * skeleton.metres_per_unit
    # The rest orientation of the root is applied before its angles.
    rotations[:, 0] = rotations[:, 0] @ skeleton.axes[0]
    return rotations, root_m


def asf_joints(
    skeleton: AsfSkeleton,
    rotations: Float[np.ndarray, "frames joints 3 3"],
    root_m: Float[np.ndarray, "frames 3"],
) -> Float[np.ndarray, "frames h36m 3"]:
    """The 17 joints of a CMU skeleton, metres, y up.

    Hips, knees, ankles, shoulders and elbows are joints of the skeleton; the wrist is the end of its bone "wrist".
    The trunk is placed so that its proportions resemble Human3.6M: spine at 15 % of the second trunk bone, thorax at
    40 % of the lower neck, nose at 70 % of the upper neck and 6 cm in front, head at the end of the head bone.

    Raises:
        InputError: the skeleton lacks a bone.
    """
    names = skeleton.tree.names
    needed = [*_TRUNK_BONES, *(side + bone for side in "lr" for bone in _LIMB_BONES)]
    missing = [bone for bone in needed if bone not in names]
    if missing:
        raise InputError(f"{skeleton.path}: lacks the bones {', '.join(missing)}; it has {one_line(', '.join(names))}")
    starts, orientations = skeleton.tree.forward(rotations, root_m)
    tips = starts + np.einsum("fjab,jb->fja", orientations, skeleton.tips_m)
    start = {name: starts[:, bone] for bone, name in enumerate(names)}
    tip = {name: tips[:, bone] for bone, name in enumerate(names)}
    forward = orientations[:, names.index("head")] @ np.array([0.0, 0.0, 1.0])  # CMU skeletons at rest face +z
    landmarks = {
        "Spine": between(start["upperback"], tip["upperback"], 0.15),
        "Thorax": between(start["lowerneck"], tip["lowerneck"], 0.40),
        "Nose": between(start["upperneck"], tip["upperneck"], 0.70) + NOSE_FORWARD_M * forward,
        "Head": tip["head"],
    }
    for side in "LR":
        bone = side.lower()
        landmarks |= {
            side + "Hip": start[bone + "femur"],
            side + "Knee": tip[bone + "femur"],
            side + "Ankle": tip[bone + "tibia"],
            side + "Shoulder": start[bone + "humerus"],
            side + "Elbow": tip[bone + "humerus"],
            side + "Wrist": tip[bone + "wrist"],
        }
    return h36m_joints(landmarks)


def _skeleton_beside(path: Path) -> Path:
    named = path.with_name(path.stem.partition("_")[0] + ".asf")
    if named.is_file():
        return named
    found = sorted(path.parent.glob("*.asf"))
    if len(found) != 1:
        raise InputError(f"{path}: needs its skeleton {named.name} beside it; {len(found)} .asf files are there")
    return found[0]


def _check_complete(
    lines: TextLines, frames: list[Float[np.ndarray, " channels"]], skeleton: AsfSkeleton, starts: np.ndarray
) -> None:
    if frames and np.isnan(frames[-1]).any():
        bone = int(np.searchsorted(starts, np.flatnonzero(np.isnan(frames[-1]))[0], side="right")) - 1
        raise lines.error(f"frame {len(frames)} of the file ends without bone {quoted(skeleton.tree.names[bone])}")
