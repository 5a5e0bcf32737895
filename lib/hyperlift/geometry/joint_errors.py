"""Errors between two poses, without reduction: the caller averages.

All functions keep the unit of their input. Functions typed ``Any`` take NumPy arrays and torch tensors, so a metric and
the corresponding loss share one formula.
"""

from typing import Any

import numpy as np

from hyperlift.geometry.body_size import bone_lengths
from hyperlift.shapes import Float, namespace
from hyperlift.skeletons.skeleton import Skeleton


def root_relative(pose: Float[Any, "*any joints 3"], root: int) -> Float[Any, "*any joints 3"]:
    """Subtract the root joint of every frame."""
    return pose - pose[..., root : root + 1, :]


def joint_distance(pose: Float[Any, "*any joints 3"], truth: Float[Any, "*any joints 3"]) -> Float[Any, "*any joints"]:
    """Euclidean distance of every joint. Its mean is the MPJPE if both poses are root-relative, or the pose is
    aligned."""
    return _length(pose - truth)


def acceleration_error(
    pose: Float[Any, "*any frames joints 3"], truth: Float[Any, "*any frames joints 3"]
) -> Float[Any, "*any frames-2 joints"]:
    """Norm of the difference of accelerations (second differences in time), in the unit of the input per frame².

    A sequence of fewer than three frames gives an empty result.
    """
    difference = pose - truth
    return _length(difference[..., 2:, :, :] - 2 * difference[..., 1:-1, :, :] + difference[..., :-2, :, :])


def velocity_error(
    pose: Float[Any, "*any frames joints 3"], truth: Float[Any, "*any frames joints 3"]
) -> Float[Any, "*any frames-1 joints"]:
    """Norm of the difference of velocities (first differences in time), in the unit of the input per frame. Its mean is
    the MPJVE."""
    difference = pose - truth
    return _length(difference[..., 1:, :, :] - difference[..., :-1, :, :])


def share_within(
    distance: Float[np.ndarray, "*any"], thresholds: Float[np.ndarray, " thresholds"]
) -> Float[np.ndarray, "*any"]:
    """Fraction of the thresholds that exceed each distance, 0..1.

    Its mean over joints and frames is the PCK for one threshold, and the area under the PCK curve (AUC) for equally
    spaced thresholds.
    """
    return (distance[..., None] < thresholds).mean(-1)


def bone_length_variation(
    pose: Float[np.ndarray, "frames joints 3"], skeleton: Skeleton
) -> Float[np.ndarray, " bones"]:
    """Coefficient of variation of each bone length over time (standard deviation / mean); 0 for a rigid body."""
    lengths = bone_lengths(pose, skeleton)
    mean = lengths.mean(0)
    # A bone whose length is always 0 has no variation.
    return np.divide(lengths.std(0), mean, out=np.zeros_like(mean), where=mean > 0)


def bone_length_deviation(
    pose: Float[np.ndarray, "frames joints 3"], skeleton: Skeleton
) -> Float[np.ndarray, " bones"]:
    """Standard deviation of each bone length over time, in the unit of the input; 0 for a rigid body."""
    return bone_lengths(pose, skeleton).std(0)


def _length(vectors: Float[Any, "*any 3"]) -> Float[Any, "*any"]:
    return namespace(vectors).linalg.vector_norm(vectors, axis=-1)
