"""Angles of hips, knees, shoulders, elbows and trunk in the conventions of the International Society of Biomechanics.

Segment axes are those of Wu et al. 2002 and 2005: X forward, Y up along the segment, Z to the person's right. Rotations
between segments are the joint coordinate system of Grood and Suntay 1983 (Z of the upper segment, floating axis, Y of
the lower one), shoulders those of Wu et al. 2005 (Y-X-Y). Left angles are right angles of the mirror image.

17 joints show where bones point. How a bone is turned about itself shows only through the next one: thigh and upper arm
have side axes where knee and elbow are bent; forearm, shin, hands and feet never. What does not show is NaN, or no
column.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.rotations import unit
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton

PLANE_SHOWS_DEG = 30.0
"""Bend of knee or elbow from which their plane is believed: there 2 cm at the end of a forearm turn it by 9°."""
_LEAST_ELEVATION_DEG = 10.0
"""An arm that hangs, or points straight up, is in no plane."""
_NEAR_AXIS = 0.1
"""Cosine of the second angle below which first and third turn about nearly the same axis (84° and more)."""
_LEAST_LEVEL = 0.3
"""Level part of the hips' line below which somebody lies on the side, and forward is not known."""


@dataclass(frozen=True)
class BodyAngle:
    """One angle of ``body_angles_deg``."""

    name: str
    """Ends in ``_right`` or ``_left`` where the angle has a side, never in a unit."""
    joints: tuple[str, ...]
    """Those it is made of; where one is not valid, the angle is NaN."""


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
"""In the order of the columns of ``body_angles_deg``."""


def body_angles_deg(
    joints_m: Float[np.ndarray, "frames joints 3"],
    skeleton: Skeleton,
    valid: Bool[np.ndarray, "frames joints"] | None = None,
    up: Float[np.ndarray, "3"] | None = None,
) -> Float[np.ndarray, "frames angles"]:
    """All of ``BODY_ANGLES`` in degrees; NaN where an angle is not known.

    0 is a body that stands upright with arms hanging. Positive is what the name says:

    - hip flexion −180..180, adduction −90..90 and internal rotation −180..180 of the thigh against the pelvis; the
      rotation only where the knee is bent by ``PLANE_SHOWS_DEG`` or more;
    - knee and elbow flexion 0..180, without a sign: over-stretching reads as a bend;
    - shoulder, upper arm against thorax: elevation 0..180 (ISB's has the other sign); its plane −180..180, 0 sideways
      and 90 forward, where the arm is raised by 10° or more; internal rotation where the elbow is bent as well;
    - trunk, thorax against pelvis: flexion forward −180..180 (ISB's has the other sign), bending to the right
      −90..90, rotation to the left −180..180;
    - lean forward and to the right of the line from pelvis to thorax against the vertical, seen from the side and from
      the front of the pelvis, −180..180.

    The pelvis's Y is the line to the joint ``Spine``: its tilt cannot be told from a bend of the lower back.

    Args:
        joints_m: any unit and right-handed axes; NaN where a joint is not known.
        skeleton: with the joints that ``BODY_ANGLES`` names.
        valid: False where a joint was not seen; None believes every joint.
        up: of the axes, for the lean; None leaves it NaN.

    Raises:
        KeyError: the skeleton has no such joint.

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
    """Between two vectors, 0..180; exact at small angles too. NaN where one is, or has no length."""
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
    """Flexion of one hip as in ``body_angles_deg``, from joints alone; ``thigh`` leads from the hip to the knee."""
    axes = _pelvis({"RHip": right_hip, "LHip": left_hip, "Pelvis": pelvis, "Spine": spine})
    return _zxy_deg(_between(axes, _along(-thigh, np.full_like(thigh, np.nan))))[0]


def _right_leg(at: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    thigh, shin = at["RHip"] - at["RKnee"], at["RKnee"] - at["RAnkle"]
    bend = bend_deg(thigh, shin)
    side = np.where((bend >= PLANE_SHOWS_DEG)[:, None], np.cross(shin, thigh), np.nan)
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
    side = np.where((bend >= PLANE_SHOWS_DEG)[:, None], np.cross(upper, fore), np.nan)
    thorax = _thorax(at)
    between = _between(thorax, _along(upper, side))
    elevation = bend_deg(thorax[..., 1], _unit(upper))
    raised = np.abs(elevation - 90.0) <= 90.0 - _LEAST_ELEVATION_DEG
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
    level = np.where(np.linalg.norm(level, axis=-1, keepdims=True) >= _LEAST_LEVEL, _unit(level), np.nan)
    trunk = _unit(at["Thorax"] - at["Pelvis"])
    towards = (np.cross(up, level), level)
    return {
        name: np.degrees(np.arctan2((trunk * direction).sum(-1), trunk @ up))
        for name, direction in zip(_LEAN, towards, strict=True)
    }


def _pelvis(at: Mapping[str, np.ndarray]) -> Float[np.ndarray, "frames 3 3"]:
    """Axes as columns: Z is the line of the hips, Y as near to the lower spine as it can be."""
    right = _unit(at["RHip"] - at["LHip"])
    forward = _unit(np.cross(at["Spine"] - at["Pelvis"], right))
    return np.stack([forward, np.cross(right, forward), right], axis=-1)


def _thorax(at: Mapping[str, np.ndarray]) -> Float[np.ndarray, "frames 3 3"]:
    """Axes as columns: Y is the upper spine, Z as near to the line of the shoulders as it can be."""
    return _along(at["Thorax"] - at["Spine"], at["RShoulder"] - at["LShoulder"])


def _along(up: Float[np.ndarray, "frames 3"], right: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "frames 3 3"]:
    """Axes as columns: Y along ``up``, Z as near to ``right`` as it can be; X and Z are NaN where that is."""
    up = _unit(up)
    forward = _unit(np.cross(up, right))
    return np.stack([forward, up, np.cross(forward, up)], axis=-1)


def _between(upper: Float[np.ndarray, "frames 3 3"], lower: Float[np.ndarray, "frames 3 3"]) -> np.ndarray:
    """The lower segment's axes, seen from the upper one; a column that is NaN makes no other one NaN."""
    return np.einsum("fji,fjk->fik", upper, lower)


def _zxy_deg(between: Float[np.ndarray, "frames 3 3"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R = Rz(first) Rx(second) Ry(third); first and third are NaN where they cannot be told apart. The first two need
    the second column alone."""
    second = np.arcsin(np.clip(between[:, 2, 1], -1.0, 1.0))
    apart = np.cos(second) >= _NEAR_AXIS
    first = np.where(apart, np.arctan2(-between[:, 0, 1], between[:, 1, 1]), np.nan)
    third = np.where(apart, np.arctan2(-between[:, 2, 0], between[:, 2, 2]), np.nan)
    return np.degrees(first), np.degrees(second), np.degrees(third)


def _unit(vectors: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Of length 1; NaN for a vector without length."""
    unitary = unit(vectors)
    return np.where(np.linalg.norm(unitary, axis=-1, keepdims=True) > 0.5, unitary, np.nan)


def _other_side(joint: str) -> str:
    return {"R": "L", "L": "R"}[joint[0]] + joint[1:] if joint[0] in "RL" else joint
