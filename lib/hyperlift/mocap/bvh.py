"""Converts BVH motions to the 17 Human3.6M joints: joints by name, unit and up axis from the body."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from hyperlift.choices import UpAxis
from hyperlift.errors import InputError, quoted
from hyperlift.mocap.asfamc import NOSE_FORWARD_M
from hyperlift.mocap.bvh_file import END_SUFFIX, BvhMotion, read_bvh_file
from hyperlift.mocap.joint_names import find_joints
from hyperlift.mocap.motion_checks import LEG_M, USUAL_LEG_M
from hyperlift.mocap.recording import Recording, between, centred, h36m_joints, y_up_to_z_up
from hyperlift.readers import reader
from hyperlift.shapes import Float

METRES_PER_UNIT = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "cmu": 0.0254 / 0.45}
"""Unit names; ``cmu`` is the unit of the CMU database and of its BVH conversions."""

_TYPICAL_LEG_M = 0.83
"""Length of thigh plus shank: mean of the CMU and UI-PRMD recordings."""

_SKULL_M = 0.17
"""Distance from the head joint to the top of the head, for files without an end of the head. Chosen: an adult head."""
_SPINE_FRACTION, _NOSE_FRACTION, _NOSE_FORWARD_M = 0.48, 0.45, 0.035
"""Position of the spine on the line pelvis–thorax and of the nose on thorax–head, and distance of the nose in front of
that line: means of the CMU skeletons."""

_REST_SHARE = 0.7
"""Minimum share of joints without rotation in a rest pose. Chosen: converters leave some joints rotated."""

_log = logging.getLogger(__name__)


@reader("BVH motion", remedy="export it again")
def read_bvh(
    path: Path,
    unit: str = "auto",
    up: UpAxis = "auto",
    group: str = "unknown",
    joint_map: Mapping[str, str] | None = None,
) -> Recording:
    """Read one motion of one person.

    Args:
        path: the file. The subject is taken from names such as 35_17 or walk1_subject5 (35, subject5), else it is the
            name of the folder.
        unit: unit of length, a name of ``METRES_PER_UNIT`` or metres as a number ("0.01"); "auto" selects (and logs)
            the unit in which the legs are 0.45 to 1.05 m long and closest to those of an adult.
        up: up axis; "auto" selects y or z, the axis along which the head is farther above the ankles.
        group: kind of motion.
        joint_map: names in the file by our names (``LHip``, ``Neck``, ``Skull``), for joints that ``find_joints`` does
            not find.

    Returns:
        The 17 joints in metres, z up, with the mean pelvis position at x = y = 0.

    Raises:
        InputError: the file is missing or damaged (the message names the line), a required joint is missing, or the
            legs fit no unit.
    """
    motion = _without_rest_pose(read_bvh_file(path))
    joints = find_joints(motion, joint_map)
    if _is_cmu_conversion(motion):
        motion = _with_cmu_segments(motion)
    positions, orientations = motion.forward()
    metres = _metres_per_unit(path, positions, joints, unit)
    if _up_axis(positions, joints, up) == "y":
        positions, orientations = y_up_to_z_up(positions), _turned_columns(orientations)
    positions_m = positions * metres
    landmarks = {name: positions_m[:, joint] for name, joint in joints.items()}
    if "Neck" not in landmarks:
        landmarks["Neck"] = between(landmarks["LShoulder"], landmarks["RShoulder"], 0.5)
    if joints["Crown"] == joints["Skull"]:
        landmarks["Crown"] = _crown_m(landmarks, orientations[:, joints["Skull"]])
    landmarks |= (
        _cmu_trunk(motion, positions_m, orientations)
        if _is_cmu_conversion(motion)
        else _any_trunk(landmarks, orientations[:, joints["Skull"]])
    )
    return Recording(
        name=path.stem,
        subject=_subject(path),
        group=group,
        fps=motion.fps,
        joints_m=centred(h36m_joints(landmarks)),
    )


def _is_cmu_conversion(motion: BvhMotion) -> bool:
    names = motion.tree.names
    return {
        "LHipJoint",
        "RHipJoint",
        "LowerBack",
        "Spine",
        "Spine1",
        "Neck",
        "Neck1",
        "Head",
        f"Head{END_SUFFIX}",
    } <= set(names)


def _subject(path: Path) -> str:
    trial = re.fullmatch(r"(\d+)_\d+.*", path.stem) or re.search(r"(subject\d+)", path.stem.lower())
    return trial[1] if trial else path.resolve().parent.name


def _without_rest_pose(motion: BvhMotion) -> BvhMotion:
    """Drop a first frame in rest pose, which conversions for animation programs contain."""
    still = np.isclose(motion.rotations[:2], np.eye(3)).all((-1, -2)).mean(axis=-1)
    if len(motion.rotations) < 2 or still[0] < _REST_SHARE or still[1] >= _REST_SHARE:
        return motion
    _log.info("%s: left out the first frame, a rest pose", motion.path)
    return motion.from_frame(1)


def _with_cmu_segments(motion: BvhMotion) -> BvhMotion:
    """Restore the two segments that the BVH conversions of the CMU database lack.

    The third trunk segment repeats the second. The forearm is lengthened by half, as in the CMU skeletons.
    """
    names, parents = motion.tree.names, motion.tree.parents
    offsets = motion.tree.offsets.copy()
    chest = names.index("Spine1")
    for joint, parent in enumerate(parents):
        if parent == chest and not offsets[joint].any():
            offsets[joint] = offsets[chest]
        if names[joint] in ("LeftHand", "RightHand"):
            offsets[joint] *= 1.5
    return motion.with_offsets(offsets)


def _cmu_trunk(
    motion: BvhMotion,
    positions_m: Float[np.ndarray, "frames joints 3"],
    orientations: Float[np.ndarray, "frames joints 3 3"],
) -> dict[str, Float[np.ndarray, "frames 3"]]:
    """Trunk joints as in ``asfamc.asf_joints``, for BVH conversions of CMU skeletons."""
    at = {name: positions_m[:, joint] for joint, name in enumerate(motion.tree.names)}
    forward = orientations[:, motion.tree.names.index("Head"), :, 2]  # CMU skeletons at rest face +z
    return {
        "Spine": between(at["Spine"], at["Spine1"], 0.15),
        "Thorax": between(at["Neck"], at["Neck1"], 0.40),
        "Nose": between(at["Neck1"], at["Head"], 0.70) + NOSE_FORWARD_M * forward,
        "Head": at["Head" + END_SUFFIX],
    }


def _any_trunk(
    landmarks: dict[str, Float[np.ndarray, "frames 3"]], skull: Float[np.ndarray, "frames 3 3"]
) -> dict[str, Float[np.ndarray, "frames 3"]]:
    """Trunk joints of an unknown skeleton, from its landmarks.

    The nose is placed in front of the line from thorax to head. Rest poses differ between programs, so the forward axis
    of the head is the direction, fixed to the head, that matches the forward direction of the chest on average.
    """
    neck, crown = landmarks["Neck"], landmarks["Crown"]
    pelvis = between(landmarks["LHip"], landmarks["RHip"], 0.5)
    chest_forward = np.cross(landmarks["LShoulder"] - landmarks["RShoulder"], neck - pelvis)
    own_forward = np.einsum("fab,fa->b", skull, chest_forward / np.linalg.norm(chest_forward, axis=-1, keepdims=True))
    forward = skull @ (own_forward / np.linalg.norm(own_forward))
    return {
        "Spine": between(pelvis, neck, _SPINE_FRACTION),
        "Thorax": neck,
        "Nose": between(neck, crown, _NOSE_FRACTION) + _NOSE_FORWARD_M * forward,
        "Head": crown,
    }


def _crown_m(
    landmarks: dict[str, Float[np.ndarray, "frames 3"]], skull: Float[np.ndarray, "frames 3 3"]
) -> Float[np.ndarray, "frames 3"]:
    """Top of a head without end joint: fixed to the head, along the mean direction of the neck."""
    along_neck = np.einsum("fab,fa->b", skull, landmarks["Skull"] - landmarks["Neck"])
    return landmarks["Skull"] + skull @ (_SKULL_M * along_neck / max(np.linalg.norm(along_neck), 1e-9))


def _metres_per_unit(
    path: Path, positions: Float[np.ndarray, "frames joints 3"], joints: dict[str, int], unit: str
) -> float:
    chains = [[joints[side + joint] for joint in ("Hip", "Knee", "Ankle")] for side in "LR"]
    leg = float(np.mean([np.linalg.norm(np.diff(positions[0, chain], axis=0), axis=-1).sum() for chain in chains]))
    metres = _guessed_unit(leg) if unit == "auto" else _stated_unit(unit)
    name = next((known for known, value in METRES_PER_UNIT.items() if value == metres), f"{metres:g} m")
    if not LEG_M[0] < leg * metres < LEG_M[1]:
        raise InputError(
            f"{path}: a leg is {leg:.4g} long, {leg * metres:.3g} m in unit {name}; give the unit of the file"
        )
    _log.info("%s: lengths are in %s%s (a leg of %.2f m)", path, name, ", guessed" * (unit == "auto"), leg * metres)
    return metres


def _guessed_unit(leg: float) -> float:
    """The unit in which the leg has a usual length; of several units, that closest to an adult."""

    def misfit(metres: float) -> tuple[bool, float]:
        leg_m = max(leg, 1e-9) * metres
        return not USUAL_LEG_M[0] <= leg_m <= USUAL_LEG_M[1], abs(np.log(leg_m / _TYPICAL_LEG_M))

    return min(METRES_PER_UNIT.values(), key=misfit)


def _stated_unit(unit: str) -> float:
    if unit in METRES_PER_UNIT:
        return METRES_PER_UNIT[unit]
    try:
        metres = float(unit)
    except ValueError:
        metres = np.nan
    if not 1e-6 < metres < 1e6:
        raise InputError(f"unit {quoted(unit)}; expected auto, {', '.join(METRES_PER_UNIT)}, or a number of metres")
    return metres


def _up_axis(positions: Float[np.ndarray, "frames joints 3"], joints: dict[str, int], up: UpAxis) -> Literal["y", "z"]:
    if up != "auto":
        return up
    ankles = between(positions[:, joints["LAnkle"]], positions[:, joints["RAnkle"]], 0.5)
    _, y, z = (positions[:, joints["Crown"]] - ankles).mean(axis=0)
    return "z" if z > y else "y"


def _turned_columns(
    orientations: Float[np.ndarray, "frames joints 3 3"],
) -> Float[np.ndarray, "frames joints 3 3"]:
    return np.swapaxes(y_up_to_z_up(np.swapaxes(orientations, -1, -2)), -1, -2)
