"""Normalised image coordinates, shared by training, evaluation and inference.

x is -1 at the left border and 1 at the right border; y is 0 at the image centre and scaled by the WIDTH as well, which
preserves angles. Axes: x right, y down, z forward; the depth has the same unit. NaN stays NaN.
"""

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float


def check_picture_size(width: float, height: float) -> None:
    """Check that width and height are positive and finite.

    Raises:
        InputError: they are not.
    """
    if not (0 < width < np.inf and 0 < height < np.inf):
        raise InputError(f"the picture size is {width:g}x{height:g}; width and height must be positive")


def normalise_points(
    points_px: Float[np.ndarray, "*any 2"], width: float, height: float
) -> Float[np.ndarray, "*any 2"]:
    """Pixels to normalised image coordinates: 2 x / w - 1, 2 y / w - h / w."""
    check_picture_size(width, height)
    return points_px * (2.0 / width) - np.array([1.0, height / width], points_px.dtype)


def denormalise_points(
    points_norm: Float[np.ndarray, "*any 2"], width: float, height: float
) -> Float[np.ndarray, "*any 2"]:
    """Inverse of ``normalise_points``."""
    check_picture_size(width, height)
    return (points_norm + np.array([1.0, height / width], points_norm.dtype)) * (width / 2.0)


def normalise_pose(pose_px: Float[np.ndarray, "*any 3"], width: float, height: float) -> Float[np.ndarray, "*any 3"]:
    """``normalise_points`` for poses whose depth is in pixels too; the depth becomes 2 z / w."""
    return np.concatenate(
        [normalise_points(pose_px[..., :2], width, height), pose_px[..., 2:] * (2.0 / width)], axis=-1
    )


def denormalise_pose(
    pose_norm: Float[np.ndarray, "*any 3"], width: float, height: float
) -> Float[np.ndarray, "*any 3"]:
    """Inverse of ``normalise_pose``."""
    return np.concatenate(
        [denormalise_points(pose_norm[..., :2], width, height), pose_norm[..., 2:] * (width / 2.0)], axis=-1
    )
