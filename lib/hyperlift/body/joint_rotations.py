"""Bone rotations from the joint positions of ``H36M_17``.

The direction of a bone gives its swing, not its twist (rotation about its own axis). The twist comes from a second
bone:

- pelvis: the line of the hips, with the lower spine for the pitch;
- thorax: the upper spine, with the line of the shoulders;
- lower spine: the mean of pelvis and thorax;
- upper arms and thighs: the plane in which elbow and knee bend. A straight limb has no such plane; there, the planes
  before and after are interpolated. Forearm and shin follow the plane: their own twist is not observable;
- neck, head and clavicles: no twist; they have the smallest rotation from the thorax.
"""

from dataclasses import dataclass

import numpy as np

from hyperlift.body.rest_pose import LEFT, REST_DIRECTIONS, UP
from hyperlift.body.smooth_curves import smooth_curves
from hyperlift.geometry.rotations import rotation_between, shortest_rotation, unit
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

_PLANE_TIME_S = 0.12
"""Time over which the plane of a limb is smoothed. Chosen: 3 frames at 25 frames a second."""
_PLANE_PULL = 1e-4
"""Weight of the plane given by the trunk. Chosen small: it matters only for a limb that is straight in all frames."""
_STRAIGHT = 0.1
"""Sine of the bend (6°) below which a limb has no plane. Chosen: the noise of a bend."""
_MAX_TWIST_DEG = 20.0
"""Bound on the change of twist per frame. Chosen: 500°/s at 25 frames a second, which only an uncertain plane
exceeds."""


@dataclass(frozen=True)
class _Limb:
    upper: str
    """End joint of the upper bone."""
    lower: str
    """End joint of the lower bone."""
    frame: str
    """Parent bone."""
    hinge: Float[np.ndarray, "3"]
    """Axis of flexion in the rest pose."""
    centre: Float[np.ndarray, "3"]
    """Centre of the range of directions. Twist is relative to the smallest rotation from here, which is singular in the
    opposite direction; no limb can reach that. From the T-pose, an arm across the chest comes close to it."""
    one_way: bool
    """Whether a bend in the opposite direction means hyperextension rather than a limb that is rotated by 180°."""


def _limbs() -> tuple[_Limb, ...]:
    limbs = []
    for side, sign in (("L", 1.0), ("R", -1.0)):
        arm_centre = unit(np.array([sign, -1.0, -1.0]))
        leg_centre = unit(np.array([0.2 * sign, -0.5, -1.0]))
        limbs.append(_Limb(side + "Elbow", side + "Wrist", "Thorax", -sign * UP, arm_centre, False))
        limbs.append(_Limb(side + "Knee", side + "Ankle", "Pelvis", LEFT, leg_centre, True))
    return tuple(limbs)


_LIMBS = _limbs()


def rotations_from_joints(
    joints_m: Float[np.ndarray, "frames joints 3"], fps: float
) -> Float[np.ndarray, "frames joints 3 3"]:
    """Absolute rotations of all bones, each at its end joint (see ``geometry.forward_kinematics``).

    Forward kinematics with these rotations and the lengths of the bones reproduces the joints. The hips share the
    rotation of the pelvis, so they are reproduced only if the pelvis is their midpoint.

    Args:
        joints_m: any unit and right-handed axes. A bone that is NaN or has length 0 keeps its rest direction relative
            to its parent.
        fps: frame rate, for smoothing of the planes of limbs.
    """
    at = H36M_17.index
    bones = np.nan_to_num(joints_m - joints_m[:, np.maximum(H36M_17.parents, 0)])
    rotations = np.empty((*joints_m.shape, 3))

    def vector(joint: str, carrier: Float[np.ndarray, "frames 3 3"]) -> Float[np.ndarray, "frames 3"]:
        """Direction of the bone that ends in the joint."""
        seen = unit(bones[:, at(joint)])
        has_length = np.linalg.norm(seen, axis=-1, keepdims=True) > 0.5
        return np.where(has_length, seen, carrier @ REST_DIRECTIONS[at(joint)])

    hips = _line(joints_m, "LHip", "RHip")
    shoulders = _line(joints_m, "LShoulder", "RShoulder")
    hips = np.where(np.linalg.norm(hips, axis=-1, keepdims=True) > 0.5, hips, shoulders)
    up = bones[:, at("Spine")] + 1e-3 * unit(bones[:, at("Thorax")])
    pelvis = rotation_between(LEFT, UP, hips, up)
    thorax_up = vector("Thorax", pelvis)
    thorax_left = shoulders + 1e-3 * pelvis[..., 0]
    thorax = rotation_between(UP, LEFT, thorax_up, thorax_left)
    # Slightly more weight for the pelvis: opposite lines would cancel.
    spine = rotation_between(UP, LEFT, vector("Spine", pelvis), 1.01 * pelvis[..., 0] + thorax[..., 0])
    for joint, rotation in (("Pelvis", pelvis), ("RHip", pelvis), ("LHip", pelvis), ("Spine", spine)):
        rotations[:, at(joint)] = rotation
    rotations[:, at("Thorax")] = thorax
    for joint in ("Nose", "Head", "LShoulder", "RShoulder"):
        carrier = rotations[:, H36M_17.parents[at(joint)]]
        rotations[:, at(joint)] = _swung(carrier, REST_DIRECTIONS[at(joint)], vector(joint, carrier))
    for limb in _LIMBS:
        carrier = rotations[:, at(limb.frame)]
        upper = _upper_rotation(limb, carrier, vector(limb.upper, carrier), bones[:, at(limb.lower)], fps)
        rotations[:, at(limb.upper)] = upper
        rest = REST_DIRECTIONS[at(limb.lower)]
        rotations[:, at(limb.lower)] = _swung(upper, rest, vector(limb.lower, upper))
    return rotations


def _upper_rotation(
    limb: _Limb,
    carrier: Float[np.ndarray, "frames 3 3"],
    direction: Float[np.ndarray, "frames 3"],
    lower: Float[np.ndarray, "frames 3"],
    fps: float,
) -> Float[np.ndarray, "frames 3 3"]:
    """Rotation of the upper bone of a limb, from its direction and the plane in which the limb bends."""
    rest = REST_DIRECTIONS[H36M_17.index(limb.upper)]
    without_twist = shortest_rotation(carrier @ limb.centre, direction) @ carrier @ shortest_rotation(rest, limb.centre)
    zero = without_twist @ limb.hinge
    quarter = np.cross(direction, zero)
    normal = np.cross(direction, unit(lower))
    shown = np.stack([(normal * zero).sum(-1), (normal * quarter).sum(-1)], axis=-1)
    bend = np.linalg.norm(shown, axis=-1)
    shown /= np.maximum(bend, 1e-9)[:, None]
    weight = np.clip(bend - _STRAIGHT, 0.0, None) ** 2
    if limb.one_way:
        # A plane perpendicular to the hinge is anatomically impossible: it gets the lowest weight.
        weight = weight * np.abs(shown[:, 0])
        shown = np.where(shown[:, :1] < 0, -shown, shown)
    angle = _smooth_plane(shown, weight, fps)
    hinge = np.cos(angle)[:, None] * zero + np.sin(angle)[:, None] * quarter
    return rotation_between(rest, limb.hinge, direction, hinge)


def _smooth_plane(
    shown: Float[np.ndarray, "frames 2"], weight: Float[np.ndarray, " frames"], fps: float
) -> Float[np.ndarray, " frames"]:
    """Smooth the angle of a plane over weighted directions; its change per frame is bounded by ``_MAX_TWIST_DEG``."""
    smooth = smooth_curves(shown, weight, 0.05 * (_PLANE_TIME_S * fps) ** 2, 1, _PLANE_PULL, np.array([1.0, 0.0]))
    angle = np.unwrap(np.arctan2(smooth[:, 1], smooth[:, 0]))
    most = np.radians(_MAX_TWIST_DEG)
    if len(angle) > 1 and np.abs(np.diff(angle)).max() > most:
        for frame in range(1, len(angle)):
            step = np.remainder(angle[frame] - angle[frame - 1] + np.pi, 2 * np.pi) - np.pi
            angle[frame] = angle[frame - 1] + np.clip(step, -most, most)
    return angle


def _swung(
    carrier: Float[np.ndarray, "frames 3 3"], rest: Float[np.ndarray, "3"], direction: Float[np.ndarray, "frames 3"]
) -> Float[np.ndarray, "frames 3 3"]:
    return shortest_rotation(carrier @ rest, direction) @ carrier


def _line(joints_m: Float[np.ndarray, "frames joints 3"], end: str, start: str) -> Float[np.ndarray, "frames 3"]:
    return unit(np.nan_to_num(joints_m[:, H36M_17.index(end)] - joints_m[:, H36M_17.index(start)]))
