"""Best fits of one pose onto another: what an error metric forgives.

Poses are ``(..., joints, 3)`` in any unit and frame. Mirror images are never forgiven: rotations have
determinant +1. All values must be finite.
"""

from typing import Any

import numpy as np

from hyperlift.shapes import Float, namespace


def best_rotation(
    centred: Float[Any, "*any joints 3"], target: Float[Any, "*any joints 3"]
) -> tuple[Float[Any, "*any 3 3"], Float[Any, "*any 1 1"]]:
    """Rotation R that minimises |centred @ R - target|, and the trace that it reaches (Kabsch 1976, Umeyama 1991).

    Args:
        centred: points about their mean; arrays or tensors.
        target: where they belong, about their mean.
    """
    xp = namespace(centred)
    left, singular, right = xp.linalg.svd(xp.swapaxes(centred, -1, -2) @ target)
    handedness = xp.sign(xp.linalg.det(left @ right))
    # Turning the weakest axis around makes a reflection the nearest rotation.
    signs = xp.stack([xp.ones_like(handedness), xp.ones_like(handedness), handedness], -1)
    return (left * signs[..., None, :]) @ right, (singular * signs).sum(-1)[..., None, None]


def align_similarity(
    pose: Float[np.ndarray, "*any joints 3"], target: Float[np.ndarray, "*any joints 3"]
) -> Float[np.ndarray, "*any joints 3"]:
    """Move, turn and scale each pose onto its target, least squares (Procrustes; PA-MPJPE, protocol 2)."""
    (centred, _), (onto, centre) = _about_mean(pose), _about_mean(target)
    rotation, trace = best_rotation(centred, onto)
    return _divide(trace, (centred**2).sum((-1, -2), keepdims=True)) * (centred @ rotation) + centre


def align_rigid(
    pose: Float[np.ndarray, "*any joints 3"], target: Float[np.ndarray, "*any joints 3"]
) -> Float[np.ndarray, "*any joints 3"]:
    """Move and turn each pose onto its target in the least-squares sense, keeping its size (R-MPJPE)."""
    (centred, _), (onto, centre) = _about_mean(pose), _about_mean(target)
    return centred @ best_rotation(centred, onto)[0] + centre


def align_scale(
    pose: Float[np.ndarray, "*any frames joints 3"], target: Float[np.ndarray, "*any frames joints 3"]
) -> Float[np.ndarray, "*any frames joints 3"]:
    """Scale each sequence about the origin by one factor onto its target (N-MPJPE, poses root-relative)."""
    pose, target = pose.astype(np.float64), target.astype(np.float64)
    whole = (-1, -2, -3)
    return _divide((pose * target).sum(whole, keepdims=True), (pose**2).sum(whole, keepdims=True)) * pose


def _about_mean(
    pose: Float[np.ndarray, "*any joints 3"],
) -> tuple[Float[np.ndarray, "*any joints 3"], Float[np.ndarray, "*any 1 3"]]:
    """The pose about the mean of its joints, and that mean."""
    pose = pose.astype(np.float64)
    centre = pose.mean(-2, keepdims=True)
    return pose - centre, centre


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    # A pose whose joints coincide has no size; every scale fits equally well, and 0 keeps it finite.
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
