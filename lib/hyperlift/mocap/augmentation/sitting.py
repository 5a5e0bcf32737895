"""Seated legs below a recorded trunk and arms, because recordings contain few chairs.

Thighs point forward and shanks down, both with respect to gravity and to where the pelvis faces. How far hips and knees
bend, and how wide the knees stand, is drawn once a motion and changes slowly by a few degrees.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from hyperlift.geometry.rotations import unit
from hyperlift.mocap.augmentation.body_frames import MovingBody, above, axes_of
from hyperlift.mocap.augmentation.smooth_noise import smooth_noise
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

_HIP_DEG, _SHANK_DEG = (65.0, 100.0), (-25.0, 30.0)
"""Flexion of the hips, from a bar stool to a low sofa; the shanks' angle to straight down, feet under the seat or
stretched out."""
_WIDE_DEG = (10.0, 9.0)
"""Mean and standard deviation of the outward angle of a knee. Chosen."""
_FIDGET_DEG, _FIDGET_S = 3.0, 1.0
"""Amplitude and time scale of small motions of seated legs. Chosen: visible, but less than a change of posture."""
_HEADING_S = 0.4
"""Time over which the heading of the pelvis is smoothed. Chosen: legs follow turns of the trunk slowly."""
_LEVEL = 0.3
"""Maximum vertical component of the hip line of a seated pelvis (17°). Chosen."""
_SWAY = 0.1
"""Share of the recorded trajectory that a seated pelvis keeps. Chosen: a seat allows small shifts."""


def sit_down(body: MovingBody, fps: float, rng: np.random.Generator) -> bool:
    """Give a body seated legs.

    Args:
        body: changed in place; bones keep their lengths. The height of the root is left to the caller: the lower
            ankle should stand still.
        fps: frame rate.
        rng: random generator.

    Returns:
        False, with nothing changed, where the pelvis lies on its side at some moment.
    """
    frames = len(body.root_m)
    left = body.pelvis_axes()[..., 0] * [1.0, 1.0, 0.0]
    if np.linalg.norm(left, axis=-1).min() < _LEVEL:
        return False
    left = gaussian_filter1d(unit(left), _HEADING_S * fps, axis=0, mode="nearest")
    if np.linalg.norm(left, axis=-1).min() < _LEVEL:
        return False
    left = unit(left)
    up = np.array([0.0, 0.0, 1.0])
    forward = np.cross(left, up)
    hip_deg, shank_deg = rng.uniform(*_HIP_DEG), rng.uniform(*_SHANK_DEG)
    for side, outward in (("L", 1.0), ("R", -1.0)):
        fidget = smooth_noise(frames, _FIDGET_S * fps, 3, rng) * _FIDGET_DEG
        hip = np.radians(hip_deg + rng.normal(0.0, 5.0) + fidget[:, 0])
        shank = np.radians(shank_deg + rng.normal(0.0, 8.0) + fidget[:, 1])
        wide = np.radians(rng.normal(*_WIDE_DEG) + fidget[:, 2])
        ahead = np.cos(wide)[:, None] * forward + (np.sin(wide) * outward)[:, None] * left
        for joint, angle in (("Knee", hip), ("Ankle", shank)):
            index = H36M_17.index(side + joint)
            body.bones_m[:, index] = body.lengths_m[index] * _from_below(angle, ahead, up)
        _stand_flat(body, side, ahead, up)
    middle_m = body.root_m.mean(0)
    body.root_m[:] = middle_m + _SWAY * (body.root_m - middle_m)
    return True


def _stand_flat(body: MovingBody, side: str, ahead: Float[np.ndarray, "frames 3"], up: Float[np.ndarray, " 3"]) -> None:
    """Turn a foot, where the body has any, so that its sole is level and its toes point ahead."""
    foot = above(side + "Ankle", len(body.lengths_m))[1:]
    if not len(foot):
        return
    big_toe, small_toe, heel = np.moveaxis(body.bones_m[:, foot], 1, 0)
    to_left = (small_toe - big_toe) * (1.0 if side == "L" else -1.0)
    now = axes_of(to_left, np.cross(to_left, heel - big_toe))
    flat = np.stack([np.cross(up, ahead), -ahead, np.broadcast_to(up, ahead.shape)], axis=-1)
    body.bones_m[:, foot] = body.bones_m[:, foot] @ now @ flat.transpose(0, 2, 1)


def _from_below(
    angle: Float[np.ndarray, " frames"], ahead: Float[np.ndarray, "frames 3"], up: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, "frames 3"]:
    """The direction that is turned by an angle from straight down towards ``ahead``."""
    return np.sin(angle)[:, None] * ahead - np.cos(angle)[:, None] * up
