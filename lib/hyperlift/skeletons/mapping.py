"""Detector keypoints to Human3.6M's 17 joints, by joint name.

Joints that a detector does not have are made from those it has: midpoints of hips, shoulders and ears. What
comes out lies a few centimetres off motion capture's joint centres; a lifter learns that offset from its
training noise.

Missing joints are NaN, NaN, 0 on both sides. A joint made from a missing one is missing too.
"""

from collections.abc import Mapping

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17
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

LIMBS = tuple(_LIMBS)
"""The twelve joints that nothing can stand in for: a joint set without one of them cannot be lifted."""

_WAYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    **{name: (parents,) for name, parents in _LIMBS.items()},
    "Pelvis": (("Pelvis",), ("MidHip",), ("Hip",), ("RHip", "LHip")),
    "Spine": (("Spine",),),
    "Thorax": (("Thorax",), ("Neck",), ("RShoulder", "LShoulder")),
    "Nose": (("Nose",), ("UpperNeck",)),
    "Head": (("HeadTop",), ("Head",)),
}
"""Detector joints whose mean is the Human3.6M joint: the first way whose joints the detector has. Where there is
none, the spine is the middle between pelvis and thorax, and the head is found from ears and eyes."""

_ABOVE_NECK = (("REar", "LEar"), ("REar",), ("LEar",), ("REye", "LEye"))
"""What shows where the head is, best first. One ear alone is a face in profile, where both stand at one
place."""


def mark_missing(
    keypoints: Float[np.ndarray, "*any joints 3"], least_confidence: float = LEAST_CONFIDENCE
) -> Float[np.ndarray, "*any joints 3"]:
    """Make missing joints NaN, NaN, 0 and bring the confidence of the others into 0..1.

    Missing is what has a confidence below ``least_confidence`` or no place (see ``has_position``).

    Args:
        keypoints: x, y in pixels and a confidence.
        least_confidence: joints below it count as not seen.
    """
    seen = has_position(keypoints) & (keypoints[..., 2] >= max(least_confidence, LEAST_CONFIDENCE))
    cleaned = np.where(seen[..., None], keypoints, np.array([np.nan, np.nan, 0.0], keypoints.dtype))
    cleaned[..., 2] = np.clip(cleaned[..., 2], 0.0, 1.0)
    return cleaned


def has_position(keypoints: Float[np.ndarray, "*any joints 3"]) -> Bool[np.ndarray, "*any joints"]:
    """Whether a joint stands anywhere: at finite coordinates, and neither at exactly 0, 0 nor at exactly -1, -1, the
    points that detectors write for a joint that they have not found."""
    x, y = keypoints[..., 0], keypoints[..., 1]
    return np.asarray(np.isfinite(x) & np.isfinite(y) & ((x != y) | ((x != 0) & (x != -1))))


def missing_joints(source: Skeleton) -> tuple[str, ...]:
    """What keeps a joint set from being mapped: the limb joints it lacks, and "Nose or Head" if it has neither."""
    face = () if _way(source, "Nose") or _way(source, "Head") else ("Nose or Head",)
    return tuple(joint for joint in LIMBS if joint not in source.joints) + face


def to_h36m(keypoints: Float[np.ndarray, "*any joints 3"], source: Skeleton) -> Float[np.ndarray, "*any h36m_joints 3"]:
    """Map detector keypoints to ``H36M_17``; the confidence of a made-up joint is the lowest of its parents'.

    Joints are found by name, so any joint set serves that has the twelve limb joints and a nose or a head. What it
    has no way to (a nose, or a head without eyes and ears) comes out missing.

    Args:
        keypoints: x, y and confidence 0..1 in the joint order of ``source``, missing joints as
            ``mark_missing`` leaves them.
        source: names of the joints.

    Raises:
        InputError: ``source`` lacks joints, or the joint count is not that of ``source``.
    """
    lacking = missing_joints(source)
    if lacking:
        raise InputError(f"no way from skeleton {source.name} to {H36M_17.name}: it lacks {', '.join(lacking)}")
    if keypoints.shape[-2] != len(source):
        raise InputError(f"{keypoints.shape[-2]} keypoints a person; skeleton {source.name} has {len(source)}")
    made = {}
    for joint in H36M_17.joints:
        way = _way(source, joint)
        if way:
            made[joint] = mean_keypoint(keypoints[..., source.indices(way), :])
    if "Spine" not in made:
        made["Spine"] = mean_keypoint(np.stack([made["Pelvis"], made["Thorax"]], axis=-2))
    if "Head" not in made:
        made["Head"] = _head_top(keypoints, source, made["Thorax"])
    if "Nose" not in made:
        made["Nose"] = np.broadcast_to(np.array([np.nan, np.nan, 0.0], keypoints.dtype), made["Spine"].shape)
    return np.stack([made[joint] for joint in H36M_17.joints], axis=-2)


def _way(source: Skeleton, joint: str) -> tuple[str, ...] | None:
    return next((way for way in _WAYS[joint] if set(way) <= set(source.joints)), None)


def _head_top(
    keypoints: Float[np.ndarray, "*any joints 3"], source: Skeleton, neck: Float[np.ndarray, "*any 3"]
) -> Float[np.ndarray, "*any 3"]:
    best = np.full_like(neck, np.nan)
    for parents in reversed(_ABOVE_NECK):
        if set(parents) <= set(source.joints):
            found = mean_keypoint(keypoints[..., source.indices(parents), :])
            best = np.where(np.isfinite(found[..., :1]), found, best)
    top = best[..., :2] + HEAD_BEYOND_EARS * (best[..., :2] - neck[..., :2])
    confidence = np.where(np.isfinite(top[..., 0]), np.minimum(best[..., 2], neck[..., 2]), 0.0)
    return np.concatenate([top, confidence[..., None]], axis=-1).astype(keypoints.dtype)


def mean_keypoint(parents: Float[np.ndarray, "*any parents 3"]) -> Float[np.ndarray, "*any 3"]:
    """NaN in one parent makes the mean NaN and its lowest confidence 0, which is what a missing joint looks
    like."""
    return np.concatenate([parents[..., :2].mean(-2), parents[..., 2:].min(-2)], axis=-1)
