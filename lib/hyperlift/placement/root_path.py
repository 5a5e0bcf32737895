"""Path of the root in camera space: the translation for which the pose projects onto its keypoints.

For a pose in metres relative to its root, the translation t of each frame follows from linear least squares, because
``u (Z + t_z) = X + t_x`` is linear in t (u = (x - c_x) / f). Gauss–Newton steps with weights 1 / (Z + t_z), linearised
at the projection, then minimise the reprojection error; Cauchy weights suppress outlier joints.
"""

from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.cameras import reprojection_error
from hyperlift.geometry.chunks import frame_chunks
from hyperlift.placement.path_smoothing import PathSystem
from hyperlift.shapes import Float

ACCELERATION_DENSITY = 10.0
"""Spectral density of the root's acceleration in m²/s³: 10 m/s² (a fall; walking has 2 m/s²) for 0.1 s."""
ERROR_TIME_S = 0.6
"""Correlation time of errors of lifter and detector. Chosen: frames within it count as one measurement."""
_MIN_SPREAD_M = 1e-3
"""Lower bound on the standard deviation of a joint; keeps exact input solvable."""
_CAUCHY = 2.4
"""Scale of the Cauchy weights in standard deviations: 95 % efficient for normal errors (Holland and Welsch 1977)."""
_NEAREST_M = 0.2
"""Smallest depth of a joint. Chosen: closer people do not fit into a picture."""
_FRAME_STEPS, _PATH_STEPS = 4, 4
"""Gauss–Newton steps, for each frame alone and for the whole path. Chosen: they converge quadratically."""


@dataclass(frozen=True, eq=False)
class RootPath:
    """The path of one root."""

    root_m: Float[np.ndarray, "frames 3"]
    """Camera axes: x right, y down, z forward from the camera."""
    covariance_m2: Float[np.ndarray, "frames 3 3"]
    """Covariance from keypoints and smoothing, without the errors of body height and focal length."""
    reprojection_px: Float[np.ndarray, " frames"]
    """Root mean square distance between projected joints and keypoints, over detected joints; NaN without any."""

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
    """Estimate the path of the root.

    Args:
        pose_m: relative to the root, metres, camera axes.
        keypoints_px: x, y in pixels and confidence 0..1; not finite or confidence 0 where a joint is missing.
        K: intrinsics in pixels, no skew.
        time_s: seconds of each frame, strictly increasing.
        acceleration_density: spectral density in m²/s³; infinity disables smoothing.
    """
    body = _Seen(pose_m.astype(np.float64, copy=False), keypoints_px, K)
    root_m = _algebraic_root(body)
    for _ in range(_FRAME_STEPS):  # each frame alone
        normal, gradient = _normal_equations(body, root_m)
        # Damping: a frame with too few joints does not move.
        damping = 1e-9 * np.trace(normal, axis1=-2, axis2=-1)[:, None, None] + 1e-9
        step_m = np.linalg.solve(normal + damping * np.eye(3), gradient[..., None])[..., 0]
        root_m = _in_front(body.pose_m, root_m + step_m)
    if not np.isfinite(acceleration_density):
        normal, _ = _normal_equations(body, root_m)
        covariance_m2 = np.linalg.inv(normal + 1e-6 * np.eye(3))
    else:
        frame_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else ERROR_TIME_S
        repeats = max(1.0, 2 * ERROR_TIME_S / frame_s)
        covariance_m2 = np.empty((0, 3, 3))
        for step in range(1, _PATH_STEPS + 1):  # all frames together
            normal, gradient = _normal_equations(body, root_m)
            place = (normal @ root_m[..., None])[..., 0] + gradient
            system = PathSystem.of(normal / repeats, time_s, acceleration_density)
            root_m = _in_front(body.pose_m, system.path(place / repeats))
            if step == _PATH_STEPS:
                covariance_m2 = system.covariance()
            del system  # frees its memory before the next one is made
    reprojection_px = np.empty(len(root_m))
    for some in frame_chunks(len(root_m)):
        joints_m = body.pose_m[some] + root_m[some, None]
        reprojection_px[some] = reprojection_error(joints_m, keypoints_px[some], K)
    return RootPath(root_m=root_m, covariance_m2=covariance_m2, reprojection_px=reprojection_px)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A pose and its keypoints."""

    pose_m: Float[np.ndarray, "frames joints 3"]
    keypoints_px: Float[np.ndarray, "frames joints 3"]
    K: Float[np.ndarray, "3 3"]

    def rays_and_confidence(
        self, some: slice
    ) -> tuple[Float[np.ndarray, "some joints 2"], Float[np.ndarray, "some joints"]]:
        """Viewing rays of the joints, x / z and y / z, and their confidence; both 0 where a joint is missing."""
        keypoints_px = self.keypoints_px[some]
        seen = np.isfinite(keypoints_px).all(-1) & (keypoints_px[..., 2] > 0)
        confidence = np.where(seen, np.clip(keypoints_px[..., 2], 0, 1), 0.0).astype(np.float64)
        rays = (keypoints_px[..., :2] - self.K[:2, 2]) / self.K[[0, 1], [0, 1]]
        return np.where(seen[..., None], rays, 0.0), confidence


def _algebraic_root(body: _Seen) -> Float[np.ndarray, "frames 3"]:
    """Closed form of ``Σ confidence |X + t_x - u (Z + t_z)|²``, both picture axes."""
    root_m = np.empty((len(body.pose_m), 3))
    solvable = np.empty(len(root_m), bool)
    for some in frame_chunks(len(root_m)):
        pose_m = body.pose_m[some]
        rays, confidence = body.rays_and_confidence(some)
        towards = np.concatenate([np.ones_like(rays[..., :1]), -rays], axis=-1)
        offset = rays * pose_m[..., 2:] - pose_m[..., :2]
        normal, right = _assemble(towards[..., 0], towards[..., 1:], offset, confidence)
        scale = np.trace(normal, axis1=-2, axis2=-1)[:, None, None]
        solvable[some] = confidence.sum(-1) > 0
        root_m[some] = np.linalg.solve(normal + (1e-12 * scale + 1e-12) * np.eye(3), right[..., None])[..., 0]
    # Frames without keypoints start at the median position; the smoother moves them.
    root_m[~solvable] = np.median(root_m[solvable], axis=0) if solvable.any() else [0.0, 0.0, 3.0]
    return _in_front(body.pose_m, root_m)


def _normal_equations(
    body: _Seen, root_m: Float[np.ndarray, "frames 3"]
) -> tuple[Float[np.ndarray, "frames 3 3"], Float[np.ndarray, "frames 3"]]:
    """Gauss–Newton step of the reprojection error around ``root_m``: information (1/m²) and gradient (1/m).

    Errors are in metres across the line of sight at the depth of the root, so that near and far frames have equal
    weight.
    """
    squares = [np.empty(0)]
    for some in frame_chunks(len(root_m)):
        square, confidence, *_ = _errors(body, root_m, some)
        squares.append(square[confidence > 0])
    square_seen = np.concatenate(squares)
    # The median length of a 2D normal error with standard deviation 1 is sqrt(2 ln 2) = 1.1774.
    spread = max(float(np.sqrt(np.median(square_seen))) / 1.1774, _MIN_SPREAD_M) if len(square_seen) else 1.0
    normal, gradient = np.empty((len(root_m), 3, 3)), np.empty((len(root_m), 3))
    for some in frame_chunks(len(root_m)):
        square, confidence, error_m, projected, depth_m = _errors(body, root_m, some)
        weight = confidence / (1 + square / (_CAUCHY * spread) ** 2) / spread**2
        share = root_m[some, None, 2] / depth_m
        normal[some], gradient[some] = _assemble(share, -projected * share[..., None], error_m, weight)
    return normal, gradient


def _errors(body: _Seen, root_m: Float[np.ndarray, "frames 3"], some: slice) -> tuple[np.ndarray, ...]:
    """Of each joint: squared error (m²), confidence, error (m), projection (x / z, y / z), and depth (m)."""
    rays, confidence = body.rays_and_confidence(some)
    joints_m = body.pose_m[some] + root_m[some, None]
    projected = joints_m[..., :2] / joints_m[..., 2:]
    error_m = (rays - projected) * root_m[some, None, 2:]
    square = error_m[..., 0] ** 2 + error_m[..., 1] ** 2
    return square, confidence, error_m, projected, joints_m[..., 2]


def _assemble(
    across: Float[np.ndarray, "frames joints"],
    deep: Float[np.ndarray, "frames joints 2"],
    error: Float[np.ndarray, "frames joints 2"],
    weight: Float[np.ndarray, "frames joints"],
) -> tuple[Float[np.ndarray, "frames 3 3"], Float[np.ndarray, "frames 3"]]:
    """JᵀWJ and JᵀWe; each joint has the rows [across, 0, deep_x] and [0, across, deep_y] in J."""
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
    """Increase the depth of roots until every joint is at least ``_NEAREST_M`` in front of the camera."""
    nearest = _NEAREST_M - pose_m[..., 2].min(1)
    return np.concatenate([root_m[:, :2], np.maximum(root_m[:, 2:], nearest[:, None])], axis=-1)
