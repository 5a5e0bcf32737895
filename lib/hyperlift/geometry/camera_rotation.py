"""What a camera would have seen if it had been turned on the spot: level, or towards somebody.

A camera that turns about its centre sees the same rays in other places. A keypoint in the new picture follows from the
old one and the intrinsics alone, whatever its depth; a pose in the new camera's axes is turned back by the same
rotation. A roll about the optical axis needs no focal length. (Yu, Salzmann, Fua, Rhodin, 2021, "PCLs", look at people
through such cameras.)
"""

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float

CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""Up of a camera that is held level, in its own axes: x right, y down, z forward."""
_LEAST_DEPTH = 0.05
"""Rays that leave a camera more than 87 degrees off its axis have no place in its picture."""


def look_rotation(
    direction: Float[np.ndarray, "*any 3"], up: Float[np.ndarray, " 3"] = CAMERA_UP
) -> Float[np.ndarray, "*any 3 3"]:
    """The turn of a camera that makes it look along a direction, with up above the middle of its picture.

    Args:
        direction: where to look, camera axes (x right, y down, z forward), of any length.
        up: which way is up, camera axes; the camera's own up by default. Not along the direction.

    Returns:
        Rotations from the camera's axes to the turned camera's: ``turned = turn @ camera``, determinant +1.

    Raises:
        InputError: a direction runs along up, which leaves the roll open.
    """
    forward = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    right = np.cross(forward, up / np.linalg.norm(up))
    length = np.linalg.norm(right, axis=-1, keepdims=True)
    if (length < 1e-3).any() or not np.isfinite(length).all():
        raise InputError("a camera that looks straight up or down cannot be levelled; give another pitch")
    right = right / length
    return np.stack([right, np.cross(forward, right), forward], axis=-2)


def rotate_keypoints(
    keypoints_px: Float[np.ndarray, "frames joints 3"],
    K: Float[np.ndarray, "3 3"],
    turn: Float[np.ndarray, "*frames 3 3"],
) -> Float[np.ndarray, "frames joints 3"]:
    """Where the turned camera, with the same intrinsics, sees keypoints.

    Args:
        keypoints_px: x, y in pixels and a confidence, which stays; NaN passes through.
        K: intrinsics in pixels, no skew.
        turn: one rotation, or one a frame, from ``look_rotation``. What comes to lie beside or behind the turned
            camera is put at the border of what it can see, 87 degrees off its axis.
    """
    focal_px, middle_px = K[[0, 1], [0, 1]], K[:2, 2]
    rays = np.concatenate([(keypoints_px[..., :2] - middle_px) / focal_px, np.ones_like(keypoints_px[..., :1])], -1)
    turned = rotate_pose(rays, turn)
    depth = np.maximum(turned[..., 2:], _LEAST_DEPTH * np.linalg.norm(turned, axis=-1, keepdims=True))
    return np.concatenate([turned[..., :2] / depth * focal_px + middle_px, keypoints_px[..., 2:]], axis=-1)


def rotate_pose(
    pose: Float[np.ndarray, "frames joints 3"], turn: Float[np.ndarray, "*frames 3 3"]
) -> Float[np.ndarray, "frames joints 3"]:
    """Camera axes to the axes of the turned camera; give the transposed turn for the way back."""
    return pose @ np.swapaxes(turn, -1, -2)
