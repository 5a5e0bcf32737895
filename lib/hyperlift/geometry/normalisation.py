"""The one normalisation of picture coordinates, used by training, evaluation and wild video alike.

Normalised picture space: x = 0 at the picture's centre, -1 and 1 at its left and right border; y = 0 at the centre and
scaled by the WIDTH too, so that circles stay circles. Axes as in the picture: x right, y down; depth z forward, in the
same unit. NaN passes through.
"""

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float


def check_picture_size(width: float, height: float) -> None:
    """Refuse a picture without area.

    Raises:
        InputError: width or height is not positive and finite.
    """
    if not (0 < width < np.inf and 0 < height < np.inf):
        raise InputError(f"the picture size is {width:g}x{height:g}; width and height must be positive")


def normalise_points(
    points_px: Float[np.ndarray, "*any 2"], width: float, height: float
) -> Float[np.ndarray, "*any 2"]:
    """Pixels to normalised picture space: x / w * 2 - 1, y / w * 2 - h / w."""
    check_picture_size(width, height)
    return points_px * (2.0 / width) - np.array([1.0, height / width], points_px.dtype)


def denormalise_points(
    points_norm: Float[np.ndarray, "*any 2"], width: float, height: float
) -> Float[np.ndarray, "*any 2"]:
    """Normalised picture space to pixels; the inverse of ``normalise_points``."""
    check_picture_size(width, height)
    return (points_norm + np.array([1.0, height / width], points_norm.dtype)) * (width / 2.0)


def normalise_pose(pose_px: Float[np.ndarray, "*any 3"], width: float, height: float) -> Float[np.ndarray, "*any 3"]:
    """Pixels with depth in pixels to normalised picture space; the depth becomes z / w * 2."""
    return np.concatenate(
        [normalise_points(pose_px[..., :2], width, height), pose_px[..., 2:] * (2.0 / width)], axis=-1
    )


def denormalise_pose(
    pose_norm: Float[np.ndarray, "*any 3"], width: float, height: float
) -> Float[np.ndarray, "*any 3"]:
    """The inverse of ``normalise_pose``."""
    return np.concatenate(
        [denormalise_points(pose_norm[..., :2], width, height), pose_norm[..., 2:] * (width / 2.0)], axis=-1
    )
