"""Detector keypoints to Human3.6M's 17 joints, by joint name.

Joints that a detector does not have are made from those it has: midpoints of hips, shoulders and ears. What
comes out lies a few centimetres off motion capture's joint centres; a lifter learns that offset from its
training noise.

Missing joints are NaN, NaN, 0 on both sides. A joint made from a missing one is missing too.
"""

from collections.abc import Mapping

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import BODY_25, COCO_17, H36M_17
from hyperlift.skeletons.skeleton import Skeleton

HEAD_BEYOND_EARS = 0.6
"""The top of the head lies beyond the ears, on the line from the base of the neck, by this part of that line.

The other habit, the midpoint of the eyes, ends some 12 cm too low for bodies whose Head joint is the
crown."""

LEAST_CONFIDENCE = 1e-3
"""A detector that is less sure than this says that it has not seen the joint."""

_LIMBS = {
    name: (name,) for name in H36M_17.joints if name[1:] in {"Hip", "Knee", "Ankle", "Shoulder", "Elbow", "Wrist"}
}

_PARENTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    COCO_17.name: {
        **_LIMBS,
        "Pelvis": ("RHip", "LHip"),
        "Thorax": ("RShoulder", "LShoulder"),
        "Nose": ("Nose",),
    },
    BODY_25.name: {**_LIMBS, "Pelvis": ("MidHip",), "Thorax": ("Neck",), "Nose": ("Nose",)},
}
"""Detector joints whose mean is the Human3.6M joint. Spine and Head are made from the results."""

_ABOVE_NECK = (("REar", "LEar"), ("REar",), ("LEar",), ("REye", "LEye"))
"""What shows where the head is, best first. One ear alone is a face in profile, where both stand at one
place."""


def mark_missing(
    keypoints: Float[np.ndarray, "*any joints 3"], least_confidence: float = LEAST_CONFIDENCE
) -> Float[np.ndarray, "*any joints 3"]:
    """Make missing joints NaN, NaN, 0 and bring the confidence of the others into 0..1.

    Missing is what has a confidence below ``least_confidence``, no finite coordinates, or stands at exactly
    0, 0: the point that detectors write for a joint that they have not found.

    Args:
        keypoints: x, y in pixels and a confidence.
        least_confidence: joints below it count as not seen.
    """
    x, y, confidence = np.moveaxis(keypoints, -1, 0)
    seen = np.isfinite(keypoints).all(-1) & (confidence >= max(least_confidence, LEAST_CONFIDENCE))
    seen &= (x != 0) | (y != 0)
    cleaned = np.where(seen[..., None], keypoints, np.array([np.nan, np.nan, 0.0], keypoints.dtype))
    cleaned[..., 2] = np.clip(cleaned[..., 2], 0.0, 1.0)
    return cleaned


def to_h36m(keypoints: Float[np.ndarray, "*any joints 3"], source: Skeleton) -> Float[np.ndarray, "*any h36m_joints 3"]:
    """Map detector keypoints to ``H36M_17``; the confidence of a made-up joint is the lowest of its parents'.

    Args:
        keypoints: x, y and confidence 0..1 in the joint order of ``source``, missing joints as
            ``mark_missing`` leaves them.
        source: ``COCO_17`` or ``BODY_25``.

    Raises:
        InputError: there is no mapping from ``source``, or the joint count is not that of ``source``.
    """
    if source.name not in _PARENTS:
        raise InputError(f"no way from skeleton {source.name} to {H36M_17.name}; known: {', '.join(_PARENTS)}")
    if keypoints.shape[-2] != len(source):
        raise InputError(f"{keypoints.shape[-2]} keypoints a person; skeleton {source.name} has {len(source)}")
    made = {
        joint: _mean_of(keypoints[..., source.indices(parents), :]) for joint, parents in _PARENTS[source.name].items()
    }
    made["Spine"] = _mean_of(np.stack([made["Pelvis"], made["Thorax"]], axis=-2))
    made["Head"] = _head_top(keypoints, source, made["Thorax"])
    return np.stack([made[joint] for joint in H36M_17.joints], axis=-2)


def _head_top(
    keypoints: Float[np.ndarray, "*any joints 3"], source: Skeleton, neck: Float[np.ndarray, "*any 3"]
) -> Float[np.ndarray, "*any 3"]:
    best = np.full_like(neck, np.nan)
    for parents in reversed(_ABOVE_NECK):
        found = _mean_of(keypoints[..., source.indices(parents), :])
        best = np.where(np.isfinite(found[..., :1]), found, best)
    top = best[..., :2] + HEAD_BEYOND_EARS * (best[..., :2] - neck[..., :2])
    confidence = np.where(np.isfinite(top[..., 0]), np.minimum(best[..., 2], neck[..., 2]), 0.0)
    return np.concatenate([top, confidence[..., None]], axis=-1).astype(keypoints.dtype)


def _mean_of(parents: Float[np.ndarray, "*any parents 3"]) -> Float[np.ndarray, "*any 3"]:
    """NaN in one parent makes the mean NaN and its lowest confidence 0, which is what a missing joint looks
    like."""
    return np.concatenate([parents[..., :2].mean(-2), parents[..., 2:].min(-2)], axis=-1)
