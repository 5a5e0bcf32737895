"""From the landmarks of any skeleton to the 17 joints of Human3.6M."""

from collections.abc import Mapping

import numpy as np

from hyperlift.shapes import Float
from hyperlift.skeletons import H36M_17


def h36m_joints(
    landmarks: Mapping[str, Float[np.ndarray, "frames 3"]],
) -> Float[np.ndarray, "frames joints 3"]:
    """Put landmarks into joint order; the pelvis is the midpoint of the hips.

    Args:
        landmarks: all joints of ``H36M_17`` by name but the pelvis.
    """
    pelvis = between(landmarks["LHip"], landmarks["RHip"], 0.5)
    return np.stack([{**landmarks, "Pelvis": pelvis}[joint] for joint in H36M_17.joints], axis=1)


def between(
    start: Float[np.ndarray, "frames 3"], end: Float[np.ndarray, "frames 3"], part: float
) -> Float[np.ndarray, "frames 3"]:
    """The point a part of the way from start to end; 0 is the start."""
    return start + part * (end - start)


def y_up_to_z_up(points: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """The turn that takes (x, y, z) with y up to (-x, z, y) with z up: who faced +z faces +y."""
    return np.stack([-points[..., 0], points[..., 2], points[..., 1]], axis=-1)
