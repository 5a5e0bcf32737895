"""Pinhole cameras without lens distortion. Camera axes: x right, y down, z forward. World axes: right-handed, z up.
Units: metres and pixels."""

from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.camera_rotation import look_rotation
from hyperlift.shapes import Float

_WORLD_UP = np.array([0.0, 0.0, 1.0])
"""By the convention above: z points up."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera: x_cam = R (x_world - centre). A moving camera has one rotation and one centre per frame."""

    R: Float[np.ndarray, "*frames 3 3"]
    """World to camera rotation, determinant +1."""
    centre_m: Float[np.ndarray, "*frames 3"]
    focal_px: float
    width: int
    height: int

    @property
    def moves(self) -> bool:
        """True if the camera has one pose per frame."""
        return self.R.ndim > 2

    @property
    def K(self) -> Float[np.ndarray, "3 3"]:
        """Intrinsics in pixels, with square pixels and the principal point at the image centre."""
        return np.array([[self.focal_px, 0.0, self.width / 2], [0.0, self.focal_px, self.height / 2], [0.0, 0.0, 1.0]])

    def to_camera(self, points_m: Float[np.ndarray, "*frames points 3"]) -> Float[np.ndarray, "*frames points 3"]:
        """Transform world coordinates to the camera coordinates of each frame, both in metres."""
        return (points_m - self.centre_m[..., None, :]) @ np.swapaxes(self.R, -1, -2)


def look_at(
    centre_m: Float[np.ndarray, "*any 3"],
    target_m: Float[np.ndarray, "*any 3"],
    roll: Float[np.ndarray, "*any"] | float,
) -> Float[np.ndarray, "*any 3 3"]:
    """World-to-camera rotation that puts a target at the image centre.

    Args:
        centre_m: camera centre, world.
        target_m: world; not vertically above or below the camera.
        roll: radians; positive rotates the camera clockwise, seen from behind it.

    Raises:
        InputError: the target is vertically above or below the camera.
    """
    right, down, forward = np.moveaxis(look_rotation(target_m - centre_m, up=_WORLD_UP), -2, 0)
    cos, sin = np.cos(roll)[..., None], np.sin(roll)[..., None]
    return np.stack([cos * right + sin * down, cos * down - sin * right, forward], axis=-2)


def project(points_m: Float[np.ndarray, "*any 3"], K: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "*any 2"]:
    """Project camera coordinates (metres) to pixels. Results are meaningless where z ≤ 0: check the depth first."""
    return points_m[..., :2] / points_m[..., 2:] * K[[0, 1], [0, 1]] + K[:2, 2]


def reprojection_error(
    joints_m: Float[np.ndarray, "frames joints 3"],
    keypoints_px: Float[np.ndarray, "frames joints 3"],
    K: Float[np.ndarray, "3 3"],
) -> Float[np.ndarray, " frames"]:
    """RMS distance in pixels of projected joints (camera coordinates, metres) from the detected keypoints of a frame;
    NaN for a frame without a detected keypoint."""
    seen = np.isfinite(keypoints_px).all(-1) & (keypoints_px[..., 2] > 0)
    residual_px = project(joints_m, K) - np.where(seen[..., None], keypoints_px[..., :2], 0.0)
    square = np.where(seen, (residual_px**2).sum(-1), 0.0)
    count = seen.sum(-1)
    return np.where(count > 0, np.sqrt(square.sum(-1) / np.maximum(count, 1)), np.nan)


def scaled_orthographic_label(
    joints_m: Float[np.ndarray, "frames joints 3"], K: Float[np.ndarray, "3 3"], root: int
) -> tuple[Float[np.ndarray, "frames joints 3"], Float[np.ndarray, " frames"]]:
    """The 2.5D label of Human3.6M: projected x, y in pixels; depth relative to the root, in pixels at the root's depth.

    Returns:
        The label in pixels and the scale of each frame in mm per pixel; their product is the 2.5D ground truth.
    """
    root_depth_m = joints_m[:, root, 2]
    mm_per_px = 1000.0 * root_depth_m / K[0, 0]
    depth_px = (joints_m[..., 2] - root_depth_m[:, None]) * 1000.0 / mm_per_px[:, None]
    return np.concatenate([project(joints_m, K), depth_px[..., None]], axis=-1), mm_per_px
