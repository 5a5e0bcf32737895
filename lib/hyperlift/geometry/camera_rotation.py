"""Virtual rotation of a camera about its centre, for example to make it level.

A rotation about the camera centre permutes viewing rays, so keypoints map to the rotated image by a homography that
does not depend on depth; a pose maps by the rotation itself. A roll about the optical axis does not depend on the focal
length. Related work: perspective crop layers (Yu, Salzmann, Fua and Rhodin 2021).
"""

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float

CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""The up direction of a level camera, in camera axes."""
_MIN_DEPTH = 0.05
"""Minimal z of a unit ray, the cosine of 87°. Rays further from the optical axis are clamped: their pixel coordinates
would grow without bound. Chosen."""
_MIN_SINE = 1e-3
"""Minimal sine of the angle between the viewing direction and up, 0.06°. Below it the roll is undetermined. Chosen."""


def look_rotation(
    direction: Float[np.ndarray, "*any 3"], up: Float[np.ndarray, " 3"] = CAMERA_UP
) -> Float[np.ndarray, "*any 3 3"]:
    """Rotation that makes a camera look along a direction, with ``up`` vertical in its image.

    Args:
        direction: camera axes (x right, y down, z forward), of any length.
        up: camera axes; not parallel to the direction.

    Returns:
        Rotations from the axes of the camera to those of the rotated camera, ``rotated = R @ camera``, determinant +1.

    Raises:
        InputError: a direction is parallel to ``up``, so the roll is undetermined.
    """
    forward = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    right = np.cross(forward, up / np.linalg.norm(up))
    length = np.linalg.norm(right, axis=-1, keepdims=True)
    if (length < _MIN_SINE).any() or not np.isfinite(length).all():
        raise InputError("a camera that looks straight up or down cannot be levelled; give another pitch")
    right = right / length
    return np.stack([right, np.cross(forward, right), forward], axis=-2)


def rotate_keypoints(
    keypoints_px: Float[np.ndarray, "frames joints 3"],
    K: Float[np.ndarray, "3 3"],
    turn: Float[np.ndarray, "*frames 3 3"],
) -> Float[np.ndarray, "frames joints 3"]:
    """Map keypoints to the image of the rotated camera with the same intrinsics.

    Args:
        keypoints_px: x, y in pixels and a confidence, which is unchanged; NaN stays NaN.
        K: intrinsics in pixels, without skew.
        turn: one rotation, or one per frame, from ``look_rotation``. Keypoints more than 87° off the new optical axis
            are clamped to 87°.
    """
    focal_px, centre_px = K[[0, 1], [0, 1]], K[:2, 2]
    rays = np.concatenate([(keypoints_px[..., :2] - centre_px) / focal_px, np.ones_like(keypoints_px[..., :1])], -1)
    rotated = rotate_pose(rays, turn)
    depth = np.maximum(rotated[..., 2:], _MIN_DEPTH * np.linalg.norm(rotated, axis=-1, keepdims=True))
    return np.concatenate([rotated[..., :2] / depth * focal_px + centre_px, keypoints_px[..., 2:]], axis=-1)


def rotate_pose(
    pose: Float[np.ndarray, "frames joints 3"], turn: Float[np.ndarray, "*frames 3 3"]
) -> Float[np.ndarray, "frames joints 3"]:
    """Express a pose in the axes of the rotated camera; the transposed rotation inverts this."""
    return pose @ np.swapaxes(turn, -1, -2)
