"""Angles of hips, knees, shoulders, elbows and trunk in the conventions of the International Society of Biomechanics.

Segment axes are those of Wu et al. 2002 and 2005: X forward, Y up along the segment, Z to the person's right. Rotations
between segments use the joint coordinate system of Grood and Suntay 1983 (Z of the upper segment, floating axis, Y of
the lower one); shoulders use the sequence Y-X-Y of Wu et al. 2005. Left angles are right angles of the mirror image.

17 joints give the directions of bones. The axial rotation of a bone is observable only through the next bone: for thigh
and upper arm if knee and elbow are bent; for forearm, shin, hands and feet never. Angles that are not observable are
NaN or have no column.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.rotations import unit
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton

MIN_BEND_DEG = 30.0
"""Smallest bend of knee or elbow that defines a plane: at this bend, an error of 2 cm at the end of a forearm rotates
the plane by 9°."""
_MIN_ELEVATION_DEG = 10.0
"""Smallest angle between an arm and the vertical that defines a plane of elevation. Chosen: at 10°, an error of 1 cm at
the end of an upper arm of 0.3 m rotates the plane by 11°."""
_NEAR_AXIS = 0.1
"""Gimbal lock: cosine of the second angle (84° and more) below which the first and third axis are nearly parallel."""
_MIN_LEVEL = 0.3
"""Smallest horizontal part of the hips' direction that defines forward. Chosen: below it (73° and steeper) the person
lies on the side."""


@dataclass(frozen=True)
class BodyAngle:
    """One angle of ``body_angles_deg``."""

    name: str
    """Ends in ``_right`` or ``_left`` if the angle has a side, never in a unit."""
    joints: tuple[str, ...]
    """Joints that define the angle; it is NaN if one of them is not valid."""


_PELVIS = ("RHip", "LHip", "Pelvis", "Spine")
_THORAX = ("RShoulder", "LShoulder", "Spine", "Thorax")
_OF_A_SIDE = {
    "hip_flexion": (*_PELVIS, "{}Knee"),
    "hip_adduction": (*_PELVIS, "{}Knee"),
    "hip_internal_rotation": (*_PELVIS, "{}Knee", "{}Ankle"),
    "knee_flexion": ("{}Hip", "{}Knee", "{}Ankle"),
    "shoulder_plane": (*_THORAX, "{}Elbow"),
    "shoulder_elevation": (*_THORAX, "{}Elbow"),
    "shoulder_internal_rotation": (*_THORAX, "{}Elbow", "{}Wrist"),
    "elbow_flexion": ("{}Shoulder", "{}Elbow", "{}Wrist"),
}
_TRUNK = ("trunk_flexion", "trunk_bending_right", "trunk_rotation_left")
_LEAN = ("lean_forward", "lean_right")


def _angles() -> tuple[BodyAngle, ...]:
    sided = [
        BodyAngle(f"{name}_{side}", tuple(dict.fromkeys(joint.format(side[0].upper()) for joint in joints)))
        for name, joints in _OF_A_SIDE.items()
        for side in ("right", "left")
    ]
    trunk = [BodyAngle(name, tuple(dict.fromkeys((*_PELVIS, *_THORAX)))) for name in _TRUNK]
    return (*sided, *trunk, *(BodyAngle(name, ("RHip", "LHip", "Pelvis", "Thorax")) for name in _LEAN))


BODY_ANGLES = _angles()
"""All angles in the order of the columns of ``body_angles_deg``."""


def body_angles_deg(
    joints_m: Float[np.ndarray, "frames joints 3"],
    skeleton: Skeleton,
    valid: Bool[np.ndarray, "frames joints"] | None = None,
    up: Float[np.ndarray, "3"] | None = None,
) -> Float[np.ndarray, "frames angles"]:
    """All of ``BODY_ANGLES`` in degrees; NaN where an angle is not known.

    All angles are 0 for a body that stands upright with hanging arms. The name gives the positive direction:

    - hip flexion −180..180, adduction −90..90 and internal rotation −180..180 of the thigh relative to the pelvis;
      internal rotation only if the knee is bent by ``MIN_BEND_DEG`` or more;
    - knee and elbow flexion 0..180, unsigned: hyperextension reads as flexion;
    - shoulder, upper arm relative to thorax: elevation 0..180 (opposite sign in ISB); plane of elevation −180..180, 0
      sideways and 90 forward, if the arm is raised by 10° or more; internal rotation if the elbow is bent as well;
    - trunk, thorax relative to pelvis: flexion −180..180 (opposite sign in ISB), bending to the right −90..90, rotation
      to the left −180..180;
    - lean forward and to the right of the line from pelvis to thorax against the vertical, in the sagittal and the
      frontal plane of the pelvis, −180..180.

    The Y axis of the pelvis is the line to the joint ``Spine``, so pelvic tilt includes flexion of the lower back.

    Args:
        joints_m: any unit and right-handed axes; NaN where a joint is unknown.
        skeleton: with the joints that ``BODY_ANGLES`` names.
        valid: False where a joint was not detected; None uses every joint.
        up: up direction in these axes, for the lean; None makes the lean NaN.

    Raises:
        KeyError: the skeleton lacks one of these joints.

    Example:
        >>> import hyperlift
        >>> motion = hyperlift.load_motion("out/pose3d.npz")
        >>> from hyperlift.body.joint_angles import BODY_ANGLES, body_angles_deg
        >>> import numpy as np
        >>> angles_deg = body_angles_deg(motion.people[0].world_m, motion.skeleton, up=np.array([0.0, 0.0, 1.0]))
        >>> angles_deg.shape, BODY_ANGLES[0].name
        ((169, 21), 'hip_flexion_right')
    """
    joints_m = np.asarray(joints_m, np.float64)
    at = {joint: joints_m[:, skeleton.index(joint)] for joint in sorted({j for a in BODY_ANGLES for j in a.joints})}
    mirrored = {_other_side(joint): points * [-1.0, 1.0, 1.0] for joint, points in at.items()}
    found = dict(_trunk(at))
    for side, points in (("right", at), ("left", mirrored)):
        found |= {f"{name}_{side}": values for name, values in (_right_leg(points) | _right_arm(points)).items()}
    found |= dict.fromkeys(_LEAN, np.full(len(joints_m), np.nan)) if up is None else _lean(at, up)
    values = np.stack([found[angle.name] for angle in BODY_ANGLES], axis=-1)
    if valid is None:
        return values
    known = np.stack([valid[:, list(skeleton.indices(angle.joints))].all(-1) for angle in BODY_ANGLES], axis=-1)
    return np.where(known, values, np.nan)


def bend_deg(first: Float[np.ndarray, "*any 3"], second: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any"]:
    """Angle between two vectors, 0..180, accurate for small angles; NaN if a vector is NaN or has length 0."""
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    sine, cosine = np.linalg.norm(np.cross(first, second), axis=-1), (first * second).sum(-1)
    return np.where(lengths > 0, np.degrees(np.arctan2(sine, cosine)), np.nan)


def hip_flexion_deg(
    right_hip: Float[np.ndarray, "frames 3"],
    left_hip: Float[np.ndarray, "frames 3"],
    pelvis: Float[np.ndarray, "frames 3"],
    spine: Float[np.ndarray, "frames 3"],
    thigh: Float[np.ndarray, "frames 3"],
) -> Float[np.ndarray, " frames"]:
    """Flexion of one hip as in ``body_angles_deg``; ``thigh`` points from the hip to the knee."""
    axes = _pelvis({"RHip": right_hip, "LHip": left_hip, "Pelvis": pelvis, "Spine": spine})
    return _zxy_deg(_between(axes, _along(-thigh, np.full_like(thigh, np.nan))))[0]


def _right_leg(at: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    thigh, shin = at["RHip"] - at["RKnee"], at["RKnee"] - at["RAnkle"]
    bend = bend_deg(thigh, shin)
    side = np.where((bend >= MIN_BEND_DEG)[:, None], np.cross(shin, thigh), np.nan)
    flexion, adduction, rotation = _zxy_deg(_between(_pelvis(at), _along(thigh, side)))
    return {
        "hip_flexion": flexion,
        "hip_adduction": adduction,
        "hip_internal_rotation": rotation,
        "knee_flexion": bend,
    }


def _right_arm(at: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    upper, fore = at["RShoulder"] - at["RElbow"], at["RElbow"] - at["RWrist"]
    bend = bend_deg(upper, fore)
    side = np.where((bend >= MIN_BEND_DEG)[:, None], np.cross(upper, fore), np.nan)
    thorax = _thorax(at)
    between = _between(thorax, _along(upper, side))
    elevation = bend_deg(thorax[..., 1], _unit(upper))
    raised = np.abs(elevation - 90.0) <= 90.0 - _MIN_ELEVATION_DEG
    plane = np.degrees(np.arctan2(-between[:, 0, 1], -between[:, 2, 1]))
    rotation = np.degrees(np.arctan2(-between[:, 1, 0], between[:, 1, 2]))
    return {
        "shoulder_plane": np.where(raised, plane, np.nan),
        "shoulder_elevation": elevation,
        "shoulder_internal_rotation": np.where(raised, rotation, np.nan),
        "elbow_flexion": bend,
    }


def _trunk(at: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    backward, right, left = _zxy_deg(_between(_pelvis(at), _thorax(at)))
    return dict(zip(_TRUNK, (-backward, right, left), strict=True))


def _lean(at: Mapping[str, np.ndarray], up: Float[np.ndarray, "3"]) -> dict[str, np.ndarray]:
    up = up / np.linalg.norm(up)
    hips = _unit(at["RHip"] - at["LHip"])
    level = hips - (hips @ up)[:, None] * up
    level = np.where(np.linalg.norm(level, axis=-1, keepdims=True) >= _MIN_LEVEL, _unit(level), np.nan)
    trunk = _unit(at["Thorax"] - at["Pelvis"])
    towards = (np.cross(up, level), level)
    return {
        name: np.degrees(np.arctan2((trunk * direction).sum(-1), trunk @ up))
        for name, direction in zip(_LEAN, towards, strict=True)
    }


def _pelvis(at: Mapping[str, np.ndarray]) -> Float[np.ndarray, "frames 3 3"]:
    """Axes as columns: Z is the line of the hips, Y the lower spine made orthogonal to Z."""
    right = _unit(at["RHip"] - at["LHip"])
    forward = _unit(np.cross(at["Spine"] - at["Pelvis"], right))
    return np.stack([forward, np.cross(right, forward), right], axis=-1)


def _thorax(at: Mapping[str, np.ndarray]) -> Float[np.ndarray, "frames 3 3"]:
    """Axes as columns: Y is the upper spine, Z the line of the shoulders made orthogonal to Y."""
    return _along(at["Thorax"] - at["Spine"], at["RShoulder"] - at["LShoulder"])


def _along(up: Float[np.ndarray, "frames 3"], right: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "frames 3 3"]:
    """Axes as columns: Y along ``up``, Z is ``right`` made orthogonal to Y; X and Z are NaN where ``right`` is NaN."""
    up = _unit(up)
    forward = _unit(np.cross(up, right))
    return np.stack([forward, up, np.cross(forward, up)], axis=-1)


def _between(upper: Float[np.ndarray, "frames 3 3"], lower: Float[np.ndarray, "frames 3 3"]) -> np.ndarray:
    """Axes of the lower segment in those of the upper one; a column of NaN does not affect the other columns."""
    return np.einsum("fji,fjk->fik", upper, lower)


def _zxy_deg(between: Float[np.ndarray, "frames 3 3"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Euler angles of R = Rz(first) Rx(second) Ry(third); first and third are NaN in gimbal lock. The first two depend
    only on the second column."""
    second = np.arcsin(np.clip(between[:, 2, 1], -1.0, 1.0))
    apart = np.cos(second) >= _NEAR_AXIS
    first = np.where(apart, np.arctan2(-between[:, 0, 1], between[:, 1, 1]), np.nan)
    third = np.where(apart, np.arctan2(-between[:, 2, 0], between[:, 2, 2]), np.nan)
    return np.degrees(first), np.degrees(second), np.degrees(third)


def _unit(vectors: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Unit vectors; NaN for a vector of length 0."""
    unitary = unit(vectors)
    return np.where(np.linalg.norm(unitary, axis=-1, keepdims=True) > 0.5, unitary, np.nan)


def _other_side(joint: str) -> str:
    return {"R": "L", "L": "R"}[joint[0]] + joint[1:] if joint[0] in "RL" else joint
