"""Where the root is in camera space: the place from which the pose projects onto its keypoints.

Given a pose in metres relative to its root and the keypoints that it should project to, the translation t of every
frame follows from linear least squares, because ``u (Z + t_z) = X + t_x`` is linear in t (u = (x - c_x) / f). Weighting
each equation by 1 / (Z + t_z) and linearising at the projection rather than at the keypoint turns the algebraic error
into the reprojection error within a few steps; weights after Cauchy silence joints that do not fit.
"""

from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float
from hyperlift.trajectory.smoothing import PathSystem

ACCELERATION_DENSITY = 10.0
"""Spectral density of a root's acceleration in m²/s³: 10 m/s² (a fall; a walk has 2) that last for a tenth of a
second."""
ERROR_TIME_S = 0.6
"""How long an error of lifter or detector stays the same sign: so many frames count as one."""
_LEAST_SPREAD_M = 1e-3
"""Joints are never trusted to less than a millimetre; keeps exact input solvable."""
_CAUCHY = 2.4
"""Joints beyond this many spreads lose most of their weight (95 % efficient on normal errors; Holland, Welsch 1977)."""
_NEAREST_M = 0.2
"""No joint is closer to the camera than this."""
_FRAME_STEPS, _PATH_STEPS = 4, 4


@dataclass(frozen=True, eq=False)
class RootPath:
    """The path of one root."""

    root_m: Float[np.ndarray, "frames 3"]
    """Camera axes: x right, y down, z forward from the camera."""
    covariance_m2: Float[np.ndarray, "frames 3 3"]
    """What the keypoints and the smoothing leave open; a wrong body size or focal length comes on top."""
    reprojection_px: Float[np.ndarray, " frames"]
    """Root mean square distance between projected joints and keypoints, over the joints that were seen; NaN where
    none was."""

    @property
    def std_m(self) -> Float[np.ndarray, "frames 3"]:
        """Standard deviation along x, y, z."""
        return np.sqrt(np.diagonal(self.covariance_m2, axis1=-2, axis2=-1))


def root_path(
    pose_m: Float[np.ndarray, "frames joints 3"],
    keypoints_px: Float[np.ndarray, "frames joints 3"],
    K: Float[np.ndarray, "3 3"],
    time_s: Float[np.ndarray, " frames"],
    acceleration_density: float = ACCELERATION_DENSITY,
) -> RootPath:
    """Find the path of the root.

    Args:
        pose_m: relative to the root, metres, camera axes.
        keypoints_px: x, y in pixels and confidence 0..1; not finite or confidence 0 where a joint was not seen.
        K: intrinsics in pixels, no skew.
        time_s: seconds of each frame, strictly increasing.
        acceleration_density: how freely the root moves, m²/s³; infinity takes every frame by itself.
    """
    pose_m = pose_m.astype(np.float64)
    seen = np.isfinite(keypoints_px).all(-1) & (keypoints_px[..., 2] > 0)
    trust = np.where(seen, np.clip(keypoints_px[..., 2], 0, 1), 0.0).astype(np.float64)
    rays = np.where(seen[..., None], (keypoints_px[..., :2] - K[:2, 2]) / K[[0, 1], [0, 1]], 0.0)

    root_m = _algebraic_root(pose_m, rays, trust)
    for _ in range(_FRAME_STEPS):  # each frame by itself
        normal, gradient = _normal_equations(pose_m, rays, trust, root_m)
        # A frame with too few joints stays where it is.
        damping = 1e-9 * np.trace(normal, axis1=-2, axis2=-1)[:, None, None] + 1e-9
        root_m = _in_front(pose_m, root_m + np.linalg.solve(normal + damping * np.eye(3), gradient[..., None])[..., 0])
    if not np.isfinite(acceleration_density):
        normal, _ = _normal_equations(pose_m, rays, trust, root_m)
        covariance_m2 = np.linalg.inv(normal + 1e-6 * np.eye(3))
    else:
        frame_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else ERROR_TIME_S
        repeats = max(1.0, 2 * ERROR_TIME_S / frame_s)
        covariance_m2 = np.empty((0, 3, 3))
        for step in range(1, _PATH_STEPS + 1):  # all frames together
            normal, gradient = _normal_equations(pose_m, rays, trust, root_m)
            place = (normal @ root_m[..., None])[..., 0] + gradient
            system = PathSystem.of(normal / repeats, time_s, acceleration_density)
            root_m = _in_front(pose_m, system.path(place / repeats))
            if step == _PATH_STEPS:
                covariance_m2 = system.covariance()
    return RootPath(
        root_m=root_m,
        covariance_m2=covariance_m2,
        reprojection_px=reprojection_error(pose_m + root_m[:, None], keypoints_px, K),
    )


def reprojection_error(
    joints_m: Float[np.ndarray, "frames joints 3"],
    keypoints_px: Float[np.ndarray, "frames joints 3"],
    K: Float[np.ndarray, "3 3"],
) -> Float[np.ndarray, " frames"]:
    """Root mean square pixels between projected joints (camera metres) and the keypoints seen; NaN where none is."""
    seen = np.isfinite(keypoints_px).all(-1) & (keypoints_px[..., 2] > 0)
    projected_px = joints_m[..., :2] / joints_m[..., 2:] * K[[0, 1], [0, 1]] + K[:2, 2]
    square = np.where(seen, ((projected_px - np.where(seen[..., None], keypoints_px[..., :2], 0.0)) ** 2).sum(-1), 0.0)
    count = seen.sum(-1)
    return np.where(count > 0, np.sqrt(square.sum(-1) / np.maximum(count, 1)), np.nan)


def _algebraic_root(
    pose_m: Float[np.ndarray, "frames joints 3"],
    rays: Float[np.ndarray, "frames joints 2"],
    trust: Float[np.ndarray, "frames joints"],
) -> Float[np.ndarray, "frames 3"]:
    """Closed form of ``Σ trust |X + t_x - u (Z + t_z)|²``, both picture axes."""
    towards = np.concatenate([np.ones_like(rays[..., :1]), -rays], axis=-1)
    offset = rays * pose_m[..., 2:] - pose_m[..., :2]
    normal, right = _assemble(towards[..., 0], towards[..., 1:], offset, trust)
    scale = np.trace(normal, axis1=-2, axis2=-1)[:, None, None]
    solvable = trust.sum(-1) > 0
    root_m = np.linalg.solve(normal + (1e-12 * scale + 1e-12) * np.eye(3), right[..., None])[..., 0]
    # Frames in which nothing was seen start at a typical place; the smoother moves them.
    root_m[~solvable] = np.median(root_m[solvable], axis=0) if solvable.any() else [0.0, 0.0, 3.0]
    return _in_front(pose_m, root_m)


def _normal_equations(
    pose_m: Float[np.ndarray, "frames joints 3"],
    rays: Float[np.ndarray, "frames joints 2"],
    trust: Float[np.ndarray, "frames joints"],
    root_m: Float[np.ndarray, "frames 3"],
) -> tuple[Float[np.ndarray, "frames 3 3"], Float[np.ndarray, "frames 3"]]:
    """Gauss-Newton step of the reprojection error around ``root_m``: information (1/m²) and gradient (1/m).

    Errors are measured in metres across the line of sight at the root's depth, so that near and far frames count
    alike.
    """
    joints_m = pose_m + root_m[:, None]
    projected = joints_m[..., :2] / joints_m[..., 2:]
    error_m = (rays - projected) * root_m[:, None, 2:]
    square = error_m[..., 0] ** 2 + error_m[..., 1] ** 2
    seen = trust > 0
    # 1.18 = the median length of a 2D normal error of unit spread.
    spread = max(float(np.sqrt(np.median(square[seen]))) / 1.1774, _LEAST_SPREAD_M) if seen.any() else 1.0
    weight = trust / (1 + square / (_CAUCHY * spread) ** 2) / spread**2
    share = root_m[:, None, 2] / joints_m[..., 2]
    return _assemble(share, -projected * share[..., None], error_m, weight)


def _assemble(
    across: Float[np.ndarray, "frames joints"],
    deep: Float[np.ndarray, "frames joints 2"],
    error: Float[np.ndarray, "frames joints 2"],
    weight: Float[np.ndarray, "frames joints"],
) -> tuple[Float[np.ndarray, "frames 3 3"], Float[np.ndarray, "frames 3"]]:
    """JᵀWJ and JᵀWe where each joint has the rows [across, 0, deep_x] and [0, across, deep_y]."""
    normal = np.zeros((len(weight), 3, 3))
    weighted = weight * across
    weighted_deep = weight[..., None] * deep
    normal[:, 0, 0] = normal[:, 1, 1] = np.einsum("tj,tj->t", weighted, across)
    normal[:, :2, 2] = normal[:, 2, :2] = np.einsum("tj,tja->ta", weighted, deep)
    normal[:, 2, 2] = np.einsum("tja,tja->t", weighted_deep, deep)
    right = np.empty((len(weight), 3))
    right[:, :2] = np.einsum("tj,tja->ta", weighted, error)
    right[:, 2] = np.einsum("tja,tja->t", weighted_deep, error)
    return normal, right


def _in_front(
    pose_m: Float[np.ndarray, "frames joints 3"], root_m: Float[np.ndarray, "frames 3"]
) -> Float[np.ndarray, "frames 3"]:
    """Push roots away so far that no joint lies behind the camera."""
    nearest = _NEAREST_M - pose_m[..., 2].min(1)
    return np.concatenate([root_m[:, :2], np.maximum(root_m[:, 2:], nearest[:, None])], axis=-1)
