"""Errors between two poses, each defined once and unreduced: who calls decides over what to average.

All functions keep the unit of their input. Those typed ``Any`` take NumPy arrays and tensors alike, so that a metric
and a loss are the same formula.
"""

from typing import Any

import numpy as np

from hyperlift.geometry.body_size import bone_lengths
from hyperlift.shapes import Float, namespace
from hyperlift.skeletons.skeleton import Skeleton


def root_relative(pose: Float[Any, "*any joints 3"], root: int) -> Float[Any, "*any joints 3"]:
    """Subtract the root joint of every frame, which comes to lie at 0."""
    return pose - pose[..., root : root + 1, :]


def joint_distance(pose: Float[Any, "*any joints 3"], truth: Float[Any, "*any joints 3"]) -> Float[Any, "*any joints"]:
    """Euclidean distance of every joint; its mean is the MPJPE of poses that are root-relative or aligned."""
    return _length(pose - truth)


def acceleration_error(
    pose: Float[Any, "*any frames joints 3"], truth: Float[Any, "*any frames joints 3"]
) -> Float[Any, "*any frames-2 joints"]:
    """Length of the difference of accelerations (second differences in time), unit of the input a frame²; the
    jitter.

    The mean over time of a sequence of fewer than three frames is undefined.
    """
    off = pose - truth
    return _length(off[..., 2:, :, :] - 2 * off[..., 1:-1, :, :] + off[..., :-2, :, :])


def velocity_error(
    pose: Float[Any, "*any frames joints 3"], truth: Float[Any, "*any frames joints 3"]
) -> Float[Any, "*any frames-1 joints"]:
    """Length of the difference of velocities (first differences in time), unit of the input a frame; its mean is the
    MPJVE.
    """
    off = pose - truth
    return _length(off[..., 1:, :, :] - off[..., :-1, :, :])


def share_within(
    distance: Float[np.ndarray, "*any"], thresholds: Float[np.ndarray, " thresholds"]
) -> Float[np.ndarray, "*any"]:
    """Share of the thresholds that a distance stays strictly below, 0..1.

    Its mean over joints and frames is the PCK for a single threshold, and the area under the PCK curve (AUC) for
    evenly spaced ones.
    """
    return (distance[..., None] < thresholds).mean(-1)


def bone_length_variation(
    pose: Float[np.ndarray, "frames joints 3"], skeleton: Skeleton
) -> Float[np.ndarray, " bones"]:
    """Standard deviation over time of each bone's length, divided by its mean; 0 for a rigid body."""
    lengths = bone_lengths(pose, skeleton)
    mean = lengths.mean(0)
    # A bone that is always of length 0 does not vary.
    return np.divide(lengths.std(0), mean, out=np.zeros_like(mean), where=mean > 0)


def bone_length_deviation(
    pose: Float[np.ndarray, "frames joints 3"], skeleton: Skeleton
) -> Float[np.ndarray, " bones"]:
    """Standard deviation over time of each bone's length, in the unit of the input; 0 for a rigid body."""
    return bone_lengths(pose, skeleton).std(0)


def _length(vectors: Float[Any, "*any 3"]) -> Float[Any, "*any"]:
    return namespace(vectors).linalg.vector_norm(vectors, axis=-1)
