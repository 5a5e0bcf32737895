"""Pinhole cameras. Camera axes: x right, y down, z forward; world axes: right-handed, z up; metres and pixels."""

from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float


@dataclass(frozen=True, eq=False)
class Camera:
    """A static pinhole camera: x_cam = R (x_world - centre)."""

    R: Float[np.ndarray, "3 3"]
    """World to camera rotation, determinant +1."""
    centre_m: Float[np.ndarray, " 3"]
    focal_px: float
    width: int
    height: int

    @property
    def K(self) -> Float[np.ndarray, "3 3"]:
        """Intrinsics in pixels: square pixels, principal point in the middle."""
        return np.array([[self.focal_px, 0.0, self.width / 2], [0.0, self.focal_px, self.height / 2], [0.0, 0.0, 1.0]])

    def to_camera(self, points_m: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
        """World metres to camera metres."""
        return (points_m - self.centre_m) @ self.R.T


@dataclass(frozen=True, eq=False)
class MovingCamera:
    """A pinhole camera that moves while it films; its intrinsics stay."""

    R: Float[np.ndarray, "frames 3 3"]
    """World to camera rotations, determinant +1."""
    centre_m: Float[np.ndarray, "frames 3"]
    focal_px: float
    width: int
    height: int

    @property
    def K(self) -> Float[np.ndarray, "3 3"]:
        """Intrinsics in pixels: square pixels, principal point in the middle."""
        return Camera(self.R[0], self.centre_m[0], self.focal_px, self.width, self.height).K

    def to_camera(self, points_m: Float[np.ndarray, "frames points 3"]) -> Float[np.ndarray, "frames points 3"]:
        """World metres to the camera metres of each frame."""
        return (points_m - self.centre_m[:, None]) @ self.R.transpose(0, 2, 1)


def look_at(
    centre_m: Float[np.ndarray, " 3"], target_m: Float[np.ndarray, " 3"], roll: float
) -> Float[np.ndarray, "3 3"]:
    """World-to-camera rotation of a camera that looks at a target.

    Args:
        centre_m: camera centre, world.
        target_m: the point in the middle of the picture, world; not straight above or below the camera.
        roll: radians; positive turns the camera clockwise as seen from behind it.
    """
    forward = (target_m - centre_m) / np.linalg.norm(target_m - centre_m)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    cos, sin = np.cos(roll), np.sin(roll)
    return np.stack([cos * right + sin * down, cos * down - sin * right, forward])


def look_at_each(
    centre_m: Float[np.ndarray, "frames 3"],
    target_m: Float[np.ndarray, "frames 3"],
    roll: Float[np.ndarray, " frames"],
) -> Float[np.ndarray, "frames 3 3"]:
    """``look_at`` for every frame of a moving camera."""
    forward = target_m - centre_m
    forward = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    down = np.cross(forward, right)
    cos, sin = np.cos(roll)[:, None], np.sin(roll)[:, None]
    return np.stack([cos * right + sin * down, cos * down - sin * right, forward], axis=1)


def project(points_m: Float[np.ndarray, "*any 3"], K: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "*any 2"]:
    """Camera metres to pixels. Points behind the camera give meaningless pixels: check depth first."""
    return points_m[..., :2] / points_m[..., 2:] * K[[0, 1], [0, 1]] + K[:2, 2]


def scaled_orthographic_label(
    joints_m: Float[np.ndarray, "frames joints 3"], K: Float[np.ndarray, "3 3"], root: int
) -> tuple[Float[np.ndarray, "frames joints 3"], Float[np.ndarray, " frames"]]:
    """The 2.5D label of Human3.6M: perspective x, y in pixels, depth from the root in pixels at the root's depth.

    Returns:
        The label in pixels [T,V,3] and the millimetres a pixel [T]; their product is the 2.5D ground truth.
    """
    root_depth_m = joints_m[:, root, 2]
    mm_per_px = 1000.0 * root_depth_m / K[0, 0]
    depth_px = (joints_m[..., 2] - root_depth_m[:, None]) * 1000.0 / mm_per_px[:, None]
    return np.concatenate([project(joints_m, K), depth_px[..., None]], axis=-1), mm_per_px
