"""Varies poses: rotates each joint by a smooth random rotation.

Ball joints (hips, shoulders, spine, neck) turn about all axes. Elbows and knees bend about the hinge that the recorded
pose shows and turn about the bone above it; their bend stays between ``_STRAIGHT`` and ``_BENT``, so that none goes
backwards.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from hyperlift.geometry.rotations import unit
from hyperlift.mocap.augmentation.body_frames import MovingBody, above
from hyperlift.mocap.augmentation.smooth_noise import smooth_noise
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

# Joint, rotation relative to the configuration, and axes.
_BALLS = (
    ("Spine", 0.5, "pelvis"),
    ("Thorax", 0.6, "pelvis"),
    ("Nose", 0.9, "thorax"),
    ("Head", 0.6, "thorax"),
    ("LElbow", 1.5, "thorax"),
    ("RElbow", 1.5, "thorax"),
    ("LKnee", 1.0, "pelvis"),
    ("RKnee", 1.0, "pelvis"),
)
"""The bone that ends in the joint turns, and all that hangs on it."""

_HINGES = (("LElbow", "LWrist", 1.4), ("RElbow", "RWrist", 1.4), ("LKnee", "LAnkle", 1.0), ("RKnee", "RAnkle", 1.0))
"""Hinge, the end of the bone below it, how far it bends relative to the configuration."""

_TWIST = {"LWrist": 1.0, "RWrist": 1.0, "LAnkle": 0.25, "RAnkle": 0.25}
"""Twist about the bone above the hinge, relative to the configuration. Chosen: forearms rotate more than shanks."""
_STRAIGHT, _BENT = np.radians(3.0), np.radians(150.0)
_STEADY = 0.6
"""Share of the variance that is constant over the motion. Chosen: poses vary more than their dynamics."""
_TIME_S = 1.2
"""Time scale of the varying part. Chosen: slow against gestures, so that the motion keeps its timing."""


def rotate_limbs(body: MovingBody, spread_deg: float, fps: float, rng: np.random.Generator) -> None:
    """Turn every joint at random.

    Args:
        body: changed in place; bones keep their lengths.
        spread_deg: standard deviation of a rotation about each axis; joints differ around it.
        fps: frame rate.
        rng: random generator.
    """
    frames = len(body.root_m)
    spread = np.radians(spread_deg)
    noise = _curves(frames, 3 * len(_BALLS) + 2 * len(_HINGES), fps, rng) * spread
    axes = {"pelvis": body.pelvis_axes(), "thorax": body.thorax_axes()}
    turns = {
        joint: axes[frame] @ (noise[:, 3 * number : 3 * number + 3, None] * share)
        for number, (joint, share, frame) in enumerate(_BALLS)
    }
    bends = noise[:, 3 * len(_BALLS) :]
    for number, (hinge, end, share) in enumerate(_HINGES):
        _bend(body, hinge, end, bends[:, 2 * number] * share, bends[:, 2 * number + 1] * _TWIST[end], fps)
    # From the ends to the root: rotations in recorded axes are then rotated by those of their ancestors.
    for joint, _, _ in reversed(_BALLS):
        part = above(joint, len(body.lengths_m))
        matrix = Rotation.from_rotvec(turns[joint][..., 0]).as_matrix()
        body.bones_m[:, part] = body.bones_m[:, part] @ matrix.transpose(0, 2, 1)


def _bend(body: MovingBody, hinge: str, end: str, bend: np.ndarray, twist: np.ndarray, fps: float) -> None:
    upper = unit(body.bones_m[:, H36M_17.index(hinge)])
    lower = unit(body.bones_m[:, H36M_17.index(end)])
    normal = np.cross(upper, lower)
    angle = np.arctan2(np.linalg.norm(normal, axis=-1), (upper * lower).sum(-1))
    # A straight limb does not define its hinge axis; neighbouring frames do.
    steady = gaussian_filter1d(normal, 0.2 * fps, axis=0, mode="nearest") + 1e-3 * normal.mean(0)
    axis = normal + 0.2 * steady
    axis = unit(axis - (axis * lower).sum(-1, keepdims=True) * lower)
    wanted = np.clip(angle + bend, np.minimum(angle, _STRAIGHT), np.maximum(angle, _BENT))
    bent, twisted = Rotation.from_rotvec(axis * (wanted - angle)[:, None]), Rotation.from_rotvec(upper * twist[:, None])
    index, *carried = above(end, len(body.lengths_m))
    body.bones_m[:, index] = twisted.apply(bent.apply(lower)) * body.lengths_m[index]
    for joint in carried:  # the foot or the hand
        body.bones_m[:, joint] = twisted.apply(bent.apply(body.bones_m[:, joint]))


def _curves(frames: int, columns: int, fps: float, rng: np.random.Generator) -> Float[np.ndarray, "frames columns"]:
    steady = rng.normal(size=columns) * np.sqrt(_STEADY)
    return steady + smooth_noise(frames, _TIME_S * fps, columns, rng) * np.sqrt(1.0 - _STEADY)
