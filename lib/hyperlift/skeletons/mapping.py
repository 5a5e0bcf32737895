"""Mapping of detector keypoints to the 17 joints of Human3.6M, by joint name.

Joints that a detector does not have are derived from others, such as the midpoints of hips, shoulders and ears. They
deviate from the joint centres of motion capture by a few centimetres; a lifter learns this offset from the noise model
of its training.

Missing joints are NaN, NaN, 0 in the input and in the output. A joint derived from a missing joint is missing.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton

HEAD_BEYOND_EARS = 0.6
"""Position of the top of the head on the line from the base of the neck through the ears: this fraction of their
distance beyond the ears. Chosen to reach the crown; the midpoint of the eyes, a common alternative, is about 12 cm too
low."""

MIN_CONFIDENCE = 1e-3
"""Keypoints below this confidence are missing. Chosen: detectors write 0, or a value that rounds to 0, for joints that
they did not find."""

_LIMBS = {
    name: (name,) for name in H36M_17.joints if name[1:] in {"Hip", "Knee", "Ankle", "Shoulder", "Elbow", "Wrist"}
}

LIMBS = tuple(_LIMBS)
"""The twelve limb joints, which cannot be derived from others: a joint set without one of them cannot be lifted."""

_SOURCES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    **{name: (parents,) for name, parents in _LIMBS.items()},
    "Pelvis": (("Pelvis",), ("MidHip",), ("Hip",), ("RHip", "LHip")),
    "Spine": (("Spine",),),
    "Thorax": (("Thorax",), ("Neck",), ("RShoulder", "LShoulder")),
    "Nose": (("Nose",), ("UpperNeck",)),
    "Head": (("HeadTop",), ("Head",)),
}
"""Sources of each joint: the mean of the first tuple of names that the joint set has. Without a source, the spine is
the midpoint of pelvis and thorax, and the head is extrapolated from ears and eyes."""

_HEAD_SOURCES = (("REar", "LEar"), ("REar",), ("LEar",), ("REye", "LEye"))
"""Sources of the head position in order of preference. One ear alone means a face in profile, where both ears
coincide."""


def mark_missing(
    keypoints: Float[np.ndarray, "*any joints 3"], min_confidence: float = MIN_CONFIDENCE
) -> Float[np.ndarray, "*any joints 3"]:
    """Set missing joints to NaN, NaN, 0 and clip the confidence of the others to 0..1.

    A joint is missing if its confidence is below ``min_confidence`` or it has no position (see ``has_position``).

    Args:
        keypoints: x, y in pixels and a confidence.
        min_confidence: values below ``MIN_CONFIDENCE`` have no effect.
    """
    seen = has_position(keypoints) & (keypoints[..., 2] >= max(min_confidence, MIN_CONFIDENCE))
    cleaned = np.where(seen[..., None], keypoints, np.array([np.nan, np.nan, 0.0], keypoints.dtype))
    cleaned[..., 2] = np.clip(cleaned[..., 2], 0.0, 1.0)
    return cleaned


def has_position(keypoints: Float[np.ndarray, "*any joints 3"]) -> Bool[np.ndarray, "*any joints"]:
    """False for a joint with coordinates that are not finite or are exactly 0, 0 or -1, -1: the values that detectors
    write for a joint that they did not find."""
    x, y = keypoints[..., 0], keypoints[..., 1]
    return np.asarray(np.isfinite(x) & np.isfinite(y) & ((x != y) | ((x != 0) & (x != -1))))


def missing_joints(source: Skeleton) -> tuple[str, ...]:
    """Joints that prevent the mapping of a joint set: absent limb joints, and "Nose or Head" if both are absent."""
    face = () if _available_source(source, "Nose") or _available_source(source, "Head") else ("Nose or Head",)
    return tuple(joint for joint in LIMBS if joint not in source.joints) + face


def to_h36m(keypoints: Float[np.ndarray, "*any joints 3"], source: Skeleton) -> Float[np.ndarray, "*any h36m_joints 3"]:
    """Map detector keypoints to ``H36M_17``; a derived joint has the lowest confidence of its sources.

    Any joint set with the twelve limb joints and a nose or a head can be mapped. A nose, or a head, that cannot be
    derived is missing in the result.

    Args:
        keypoints: x, y and confidence 0..1, with missing joints as returned by ``mark_missing``.
        source: the joint set of the keypoints.

    Raises:
        InputError: ``source`` lacks joints, or its joint count differs.
    """
    lacking = missing_joints(source)
    if lacking:
        raise InputError(f"skeleton {source.name} cannot be mapped to {H36M_17.name}: it lacks {', '.join(lacking)}")
    if keypoints.shape[-2] != len(source):
        raise InputError(f"{keypoints.shape[-2]} keypoints a person; skeleton {source.name} has {len(source)}")
    mapped = {}
    for joint in H36M_17.joints:
        names = _available_source(source, joint)
        if names:
            mapped[joint] = mean_keypoint(keypoints[..., source.indices(names), :])
    if "Spine" not in mapped:
        mapped["Spine"] = mean_keypoint(np.stack([mapped["Pelvis"], mapped["Thorax"]], axis=-2))
    if "Head" not in mapped:
        mapped["Head"] = _head_top(keypoints, source, mapped["Thorax"])
    if "Nose" not in mapped:
        mapped["Nose"] = first_detected(keypoints, source, ())
    return np.stack([mapped[joint] for joint in H36M_17.joints], axis=-2)


def _available_source(source: Skeleton, joint: str) -> tuple[str, ...] | None:
    return next((names for names in _SOURCES[joint] if set(names) <= set(source.joints)), None)


def _head_top(
    keypoints: Float[np.ndarray, "*any joints 3"], source: Skeleton, neck: Float[np.ndarray, "*any 3"]
) -> Float[np.ndarray, "*any 3"]:
    ears = first_detected(keypoints, source, _HEAD_SOURCES)
    top = ears[..., :2] + HEAD_BEYOND_EARS * (ears[..., :2] - neck[..., :2])
    confidence = np.where(np.isfinite(top[..., 0]), np.minimum(ears[..., 2], neck[..., 2]), 0.0)
    return np.concatenate([top, confidence[..., None]], axis=-1).astype(keypoints.dtype)


def first_detected(
    keypoints: Float[np.ndarray, "*any joints 3"], source: Skeleton, candidates: Sequence[tuple[str, ...]]
) -> Float[np.ndarray, "*any 3"]:
    """The mean of the first tuple of joints, in order of preference, that is detected in the frame; missing if none
    is."""
    shape = (*keypoints.shape[:-2], 3)
    best = np.broadcast_to(np.array([np.nan, np.nan, 0.0], keypoints.dtype), shape)
    for names in reversed(candidates):
        if set(names) <= set(source.joints):
            mean = mean_keypoint(keypoints[..., source.indices(names), :])
            best = np.where(np.isfinite(mean[..., :1]), mean, best)
    return best


def mean_keypoint(keypoints: Float[np.ndarray, "*any parents 3"]) -> Float[np.ndarray, "*any 3"]:
    """Mean position and lowest confidence; if one keypoint is missing (NaN, NaN, 0), so is the result."""
    return np.concatenate([keypoints[..., :2].mean(-2), keypoints[..., 2:].min(-2)], axis=-1)
