"""Joints of ``H36M_17`` to one rotation a bone: what positions show, and nothing else.

A bone shows where it points (its swing), not how it is turned about itself (its twist). Twist comes from a second bone:

- pelvis: the line of the hips, with the lower spine for its pitch;
- thorax: the upper spine, with the line of the shoulders;
- lower spine: half of the pelvis, half of the thorax;
- upper arms and thighs: the plane in which elbow and knee bend. A straight limb shows none; there the planes before and
  after are blended, so that it never spins. Forearm and shin only bend: what they turn about themselves is not visible;
- neck, head and collar bones: none; they are swung from the thorax by the smallest rotation.
"""

from dataclasses import dataclass

import numpy as np

from hyperlift.body.rest_pose import LEFT, REST_DIRECTIONS, UP
from hyperlift.body.smooth_curves import smooth_curves
from hyperlift.geometry.rotations import rotation_between, shortest_rotation, unit
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

_PLANE_TIME_S = 0.12
"""Over which the plane of a limb is averaged."""
_PLANE_PULL = 1e-4
"""Towards the plane that the trunk suggests; it decides where a limb is straight throughout."""
_STRAIGHT = 0.1
"""Sine of the bend below which a limb shows no plane."""
_MOST_TWIST_DEG = 20.0
"""From one frame to the next; a real arm hardly turns faster at 25 frames a second, an uncertain plane does."""


@dataclass(frozen=True)
class _Limb:
    upper: str
    """Joint in which its upper bone ends."""
    lower: str
    frame: str
    """Bone that carries it."""
    hinge: Float[np.ndarray, "3"]
    """Axis about which it bends, in the rest pose."""
    centre: Float[np.ndarray, "3"]
    """Middle of its reach: twist is counted from the smallest rotation from here, whose one blind spot, the opposite
    direction, no limb can reach. From the T-pose it could: an arm across the chest comes close."""
    one_way: bool
    """Whether a bend to the other side is an over-stretched joint rather than a limb turned round."""


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
    """Absolute rotations of all bones, each at the joint in which it ends (see ``geometry.forward_kinematics``).

    Forward kinematics with them and the bones' own lengths gives the joints back, hips apart: those share the
    pelvis's rotation, and come back where the pelvis is the point between them.

    Args:
        joints_m: any unit and right-handed frame. A bone that is NaN or has no length keeps
            the place that it has in the rest pose, carried by the bone before it.
        fps: frames a second, for the time over which planes of limbs are blended.
    """
    at = H36M_17.index
    bones = np.nan_to_num(joints_m - joints_m[:, np.maximum(H36M_17.parents, 0)])
    rotations = np.empty((*joints_m.shape, 3))

    def vector(joint: str, carrier: Float[np.ndarray, "frames 3 3"]) -> Float[np.ndarray, "frames 3"]:
        """Direction of the bone that ends in the joint."""
        seen = unit(bones[:, at(joint)])
        there = np.linalg.norm(seen, axis=-1, keepdims=True) > 0.5
        return np.where(there, seen, carrier @ REST_DIRECTIONS[at(joint)])

    hips = _line(joints_m, "LHip", "RHip")
    shoulders = _line(joints_m, "LShoulder", "RShoulder")
    hips = np.where(np.linalg.norm(hips, axis=-1, keepdims=True) > 0.5, hips, shoulders)
    up = bones[:, at("Spine")] + 1e-3 * unit(bones[:, at("Thorax")])
    pelvis = rotation_between(LEFT, UP, hips, up)
    thorax_up = vector("Thorax", pelvis)
    thorax_left = shoulders + 1e-3 * pelvis[..., 0]
    thorax = rotation_between(UP, LEFT, thorax_up, thorax_left)
    # A little more of the pelvis: opposite lines would cancel out.
    spine = rotation_between(UP, LEFT, vector("Spine", pelvis), 1.01 * pelvis[..., 0] + thorax[..., 0])
    for joint, rotation in (("Pelvis", pelvis), ("RHip", pelvis), ("LHip", pelvis), ("Spine", spine)):
        rotations[:, at(joint)] = rotation
    rotations[:, at("Thorax")] = thorax
    for joint in ("Nose", "Head", "LShoulder", "RShoulder"):
        carrier = rotations[:, H36M_17.parents[at(joint)]]
        rotations[:, at(joint)] = _swung(carrier, REST_DIRECTIONS[at(joint)], vector(joint, carrier))
    for limb in _LIMBS:
        carrier = rotations[:, at(limb.frame)]
        upper = _upper(limb, carrier, vector(limb.upper, carrier), bones[:, at(limb.lower)], fps)
        rotations[:, at(limb.upper)] = upper
        rest = REST_DIRECTIONS[at(limb.lower)]
        rotations[:, at(limb.lower)] = _swung(upper, rest, vector(limb.lower, upper))
    return rotations


def _upper(
    limb: _Limb,
    carrier: Float[np.ndarray, "frames 3 3"],
    direction: Float[np.ndarray, "frames 3"],
    lower: Float[np.ndarray, "frames 3"],
    fps: float,
) -> Float[np.ndarray, "frames 3 3"]:
    """Rotation of the upper bone of a limb: its direction, and the plane in which the limb bends."""
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
        # Between the two ways the plane is at right angles to all that a knee does: believe it least there.
        weight = weight * np.abs(shown[:, 0])
        shown = np.where(shown[:, :1] < 0, -shown, shown)
    angle = _steady(shown, weight, fps)
    hinge = np.cos(angle)[:, None] * zero + np.sin(angle)[:, None] * quarter
    return rotation_between(rest, limb.hinge, direction, hinge)


def _steady(
    shown: Float[np.ndarray, "frames 2"], weight: Float[np.ndarray, " frames"], fps: float
) -> Float[np.ndarray, " frames"]:
    """Angles through directions of a plane that are believed by weight; never more than a bit a frame apart."""
    smooth = smooth_curves(shown, weight, 0.05 * (_PLANE_TIME_S * fps) ** 2, 1, _PLANE_PULL, np.array([1.0, 0.0]))
    angle = np.unwrap(np.arctan2(smooth[:, 1], smooth[:, 0]))
    most = np.radians(_MOST_TWIST_DEG)
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
