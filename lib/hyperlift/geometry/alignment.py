"""Least-squares alignment of a pose to its target: similarity, rigid and scale only.

Poses are ``(..., joints, 3)`` in any unit and frame, and finite. Rotations have determinant +1: reflections are
excluded.
"""

from typing import Any

import numpy as np

from hyperlift.shapes import Float, namespace


def best_rotation(
    centred: Float[Any, "*any joints 3"], target: Float[Any, "*any joints 3"]
) -> tuple[Float[Any, "*any 3 3"], Float[Any, "*any 1 1"]]:
    """Rotation R that minimises |centred @ R - target|, and the maximal trace(Rᵀ centredᵀ target) (Kabsch 1976,
    Umeyama 1991).

    Both inputs have zero mean over the joints; they are arrays or tensors.
    """
    xp = namespace(centred)
    left, singular, right = xp.linalg.svd(xp.swapaxes(centred, -1, -2) @ target)
    handedness = xp.sign(xp.linalg.det(left @ right))
    # If the optimum is a reflection, negating the axis of the smallest singular value gives the nearest rotation.
    signs = xp.stack([xp.ones_like(handedness), xp.ones_like(handedness), handedness], -1)
    return (left * signs[..., None, :]) @ right, (singular * signs).sum(-1)[..., None, None]


def align_similarity(
    pose: Float[np.ndarray, "*any joints 3"], target: Float[np.ndarray, "*any joints 3"]
) -> Float[np.ndarray, "*any joints 3"]:
    """Translate, rotate and scale each pose to its target (Procrustes; PA-MPJPE, protocol 2)."""
    (centred, _), (centred_target, centre) = _centred(pose), _centred(target)
    rotation, trace = best_rotation(centred, centred_target)
    return _divide(trace, (centred**2).sum((-1, -2), keepdims=True)) * (centred @ rotation) + centre


def align_rigid(
    pose: Float[np.ndarray, "*any joints 3"], target: Float[np.ndarray, "*any joints 3"]
) -> Float[np.ndarray, "*any joints 3"]:
    """Translate and rotate each pose to its target; the scale is kept (R-MPJPE)."""
    (centred, _), (centred_target, centre) = _centred(pose), _centred(target)
    return centred @ best_rotation(centred, centred_target)[0] + centre


def align_scale(
    pose: Float[np.ndarray, "*any frames joints 3"], target: Float[np.ndarray, "*any frames joints 3"]
) -> Float[np.ndarray, "*any frames joints 3"]:
    """Scale each root-relative sequence to its target by one factor (N-MPJPE)."""
    pose, target = pose.astype(np.float64), target.astype(np.float64)
    axes = (-1, -2, -3)
    return _divide((pose * target).sum(axes, keepdims=True), (pose**2).sum(axes, keepdims=True)) * pose


def _centred(
    pose: Float[np.ndarray, "*any joints 3"],
) -> tuple[Float[np.ndarray, "*any joints 3"], Float[np.ndarray, "*any 1 3"]]:
    """The pose minus the mean of its joints, and that mean."""
    pose = pose.astype(np.float64)
    centre = pose.mean(-2, keepdims=True)
    return pose - centre, centre


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    # If all joints of a pose coincide, every scale fits equally well; 0 keeps the result finite.
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
