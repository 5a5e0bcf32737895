"""Best fits of one pose onto another: what an error metric forgives.
 Poses are ``(..., joints, 3)`` in any unit and frame. Mirror images are never forgiven: rotations have
determinant +1. All values must be finite.
"""

import numpy as np

from hyperlift.shapes import Float


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    # A pose whose joints coincide has no size; every scale fits equally well, and 0 keeps it finite.
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)


def _best_rotation(
    centred: Float[np.ndarray, "*any joints 3"], target: Float[np.ndarray, "*any joints 3"]
) -> tuple[Float[np.ndarray, "*any 3 3"], Float[np.ndarray, "*any 1 1"]]:
    """Rotation R that minimises |centred @ R - target|, and the trace that it reaches (Umeyama 1991)."""
    left, singular, right = np.linalg.svd(np.swapaxes(centred, -1, -2) @ target)
    handedness = np.sign(np.linalg.det(left @ right))
    # Turning the weakest axis around makes a reflection the nearest rotation.
    signs = np.stack([np.ones_like(handedness), np.ones_like(handedness), handedness], axis=-1)
    return (left * signs[..., None, :]) @ right, (singular * signs).sum(-1)[..., None, None]


def align_similarity(
    pose: Float[np.ndarray, "*any joints 3"], target: Float[np.ndarray, "*any joints 3"]
) -> Float[np.ndarray, "*any joints 3"]:
    """Move, turn and scale each pose onto its target, least squares (Procrustes; PA-MPJPE, protocol 2)."""
    pose, target = pose.astype(np.float64), target.astype(np.float64)
    centre = target.mean(-2, keepdims=True)
    centred = pose - pose.mean(-2, keepdims=True)
    rotation, trace = _best_rotation(centred, target - centre)
    scale = _divide(trace, (centred**2).sum((-1, -2), keepdims=True))
    return scale * (centred @ rotation) + centre


def align_rigid(
    pose: Float[np.ndarray, "*any joints 3"], target: Float[np.ndarray, "*any joints 3"]
) -> Float[np.ndarray, "*any joints 3"]:
    """Move and turn each pose onto its target in the least-squares sense, keeping its size (R-MPJPE)."""
    pose, target = pose.astype(np.float64), target.astype(np.float64)
    centre = target.mean(-2, keepdims=True)
    centred = pose - pose.mean(-2, keepdims=True)
    rotation, _ = _best_rotation(centred, target - centre)
    return centred @ rotation + centre


def align_scale(
    pose: Float[np.ndarray, "*any frames joints 3"], target: Float[np.ndarray, "*any frames joints 3"]
) -> Float[np.ndarray, "*any frames joints 3"]:
    """Scale each sequence about the origin by one factor onto its target (N-MPJPE, poses root-relative)."""
    pose, target = pose.astype(np.float64), target.astype(np.float64)
    whole = (-1, -2, -3)
    return _divide((pose * target).sum(whole, keepdims=True), (pose**2).sum(whole, keepdims=True)) * pose
