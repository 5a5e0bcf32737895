"""Gauss–Newton fit of rigid bones to target joints, over root position and bone directions, for all frames at once.

Joint positions depend on the root, the line of the hips and the direction of each other bone: 3 + 2 · 15 unknowns per
frame. The twist of a bone about its own axis moves no joint and is not an unknown.
"""

from dataclasses import dataclass

import numpy as np

from hyperlift.body.rest_pose import ORDER, REST_DIRECTIONS
from hyperlift.geometry.rotations import perpendicular, unit
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

_HIPS = H36M_17.indices(("RHip", "LHip"))
_LEFT_HIP = H36M_17.index("LHip")
BODIES = tuple(joint for joint in ORDER if joint not in (H36M_17.root, _HIPS[0]))
"""Joint at the end of each moving body's bone; the line of the hips has the index of the left hip."""
_DAMPING_M2 = 1e-6
"""Damping of unknowns that nothing determines, such as the direction of a bone of length 0. Chosen: (1 mm)²."""
_BLOCK = 256
"""Frames per block. Chosen: the Jacobians of a block stay in the processor's cache."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FitTargets:
    """Target values and weights of a fit."""

    joints_m: Float[np.ndarray, "frames joints 3"]
    """Finite."""
    weights: Float[np.ndarray, "frames joints"]
    """0 where the position is unknown."""
    keypoints_px: Float[np.ndarray, "frames joints 2"] | None = None
    """Finite; if given, the joints are in camera axes."""
    keypoint_weights: Float[np.ndarray, "frames joints"] | None = None
    """On the scale of ``weights``, for distances across the line of sight."""
    camera_matrix: Float[np.ndarray, "3 3"] | None = None
    directions: Float[np.ndarray, "frames bodies 3"] | None = None
    """Target direction of each body."""
    direction_weights: Float[np.ndarray, "frames bodies"] | None = None


def kinematics_matrix(lengths_m: Float[np.ndarray, " joints"]) -> Float[np.ndarray, "joints bodies"]:
    """Signed bone lengths M with joints − root = M · directions."""
    matrix = np.zeros((len(H36M_17), len(BODIES)))
    for joint in ORDER[1:]:
        matrix[joint] = matrix[H36M_17.parents[joint]]
        if joint == _HIPS[0]:
            matrix[joint, BODIES.index(_LEFT_HIP)] -= lengths_m[joint]
        else:
            matrix[joint, BODIES.index(joint)] += lengths_m[joint]
    return matrix


def directions_of(rotations: Float[np.ndarray, "frames joints 3 3"]) -> Float[np.ndarray, "frames bodies 3"]:
    """Directions of the bodies for absolute rotations."""
    return (rotations @ REST_DIRECTIONS[:, :, None])[..., 0][:, list(BODIES)]


def fit_directions(
    root_m: Float[np.ndarray, "frames 3"],
    directions: Float[np.ndarray, "frames bodies 3"],
    targets: FitTargets,
    matrix: Float[np.ndarray, "joints bodies"],
    steps: int,
) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, "frames bodies 3"]]:
    """Minimise Σ weights · distance².

    Args:
        root_m: start values.
        directions: start values, unit vectors.
        targets: values to fit.
        matrix: see ``kinematics_matrix``.
        steps: Gauss–Newton steps; 3 or 4 suffice from the directions of the target joints.

    Returns:
        Root and directions.
    """
    root_m, directions = root_m.copy(), directions.copy()
    for first in range(0, len(root_m), _BLOCK):
        rows = slice(first, first + _BLOCK)
        residual = _Residual(targets, matrix, rows)
        for _ in range(steps):
            root_m[rows], directions[rows] = _step(root_m[rows], directions[rows], matrix, residual)
    return root_m, directions


@dataclass(frozen=True, eq=False)
class _Residual:
    targets: FitTargets
    matrix: Float[np.ndarray, "joints bodies"]
    rows: slice

    def __call__(
        self, joints_m: np.ndarray, jacobian: np.ndarray, directions: np.ndarray, tangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weighted residuals [F,R], their derivatives [F,R,U], and the negative gradient of each joint [F,V,3];
        ``jacobian`` [F,V,3,U] is that of the joints."""
        targets, rows = self.targets, self.rows
        root_weights = np.sqrt(targets.weights[rows])[..., None]
        pulls = targets.weights[rows][..., None] * (targets.joints_m[rows] - joints_m)
        frames, unknowns = len(joints_m), jacobian.shape[-1]
        values = [(root_weights * (targets.joints_m[rows] - joints_m)).reshape(frames, -1)]
        slopes = [(root_weights[..., None] * jacobian).reshape(frames, -1, unknowns)]
        if targets.keypoints_px is not None:
            value, slope, pull = self._reprojection(joints_m, jacobian)
            pulls = pulls + pull
            values.append(value)
            slopes.append(slope)
        if targets.directions is not None:
            value, slope = self._pull(directions, tangents, unknowns)
            values.append(value)
            slopes.append(slope)
        return np.concatenate(values, axis=1), np.concatenate(slopes, axis=1), pulls

    def _reprojection(self, joints_m: np.ndarray, jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        targets, rows = self.targets, self.rows
        camera = targets.camera_matrix
        assert camera is not None
        assert targets.keypoints_px is not None
        assert targets.keypoint_weights is not None
        depth = np.maximum(joints_m[..., 2:], 0.1)
        # Residuals are in metres across the line of sight at the depth of the joint.
        sight = (targets.keypoints_px[rows] - camera[[0, 1], 2]) / camera[[0, 1], [0, 1]]
        weight = np.sqrt(targets.keypoint_weights[rows])[..., None]
        value = weight * (sight * depth - joints_m[..., :2])
        slope = weight[..., None] * (jacobian[..., :2, :] - sight[..., None] * jacobian[..., 2:, :])
        across = weight * value
        pull = np.concatenate([across, -(sight * across).sum(-1, keepdims=True)], axis=-1)
        return value.reshape(len(value), -1), slope.reshape(len(value), -1, jacobian.shape[-1]), pull

    def _pull(self, directions: np.ndarray, tangents: np.ndarray, unknowns: int) -> tuple[np.ndarray, np.ndarray]:
        targets, rows = self.targets, self.rows
        assert targets.directions is not None
        assert targets.direction_weights is not None
        weight = np.sqrt(targets.direction_weights[rows])[..., None]
        frames, bodies = directions.shape[:2]
        slope = np.zeros((frames, bodies, 3, unknowns))
        for body in range(bodies):
            slope[:, body, :, 3 + 2 * body : 5 + 2 * body] = weight[:, body, :, None] * tangents[:, body]
        value = weight * (targets.directions[rows] - directions)
        return value.reshape(frames, -1), slope.reshape(frames, -1, unknowns)


def _step(
    root_m: np.ndarray,
    directions: np.ndarray,
    matrix: np.ndarray,
    residual: _Residual,
) -> tuple[np.ndarray, np.ndarray]:
    frames, bodies = directions.shape[:2]
    unknowns = 3 + 2 * bodies
    joints_m = root_m[:, None] + matrix @ directions
    across = perpendicular(directions)
    tangents = np.stack([across, np.cross(directions, across)], axis=-1)  # [F,B,3,2]
    spread = tangents.transpose(0, 2, 1, 3).reshape(frames, 1, 3, 2 * bodies)
    jacobian = np.empty((frames, len(matrix), 3, unknowns))
    jacobian[..., :3] = np.eye(3)
    jacobian[..., 3:] = np.repeat(matrix, 2, axis=1)[None, :, None, :] * spread
    values, slopes, pulls = residual(joints_m, jacobian, directions, tangents)
    transposed = slopes.transpose(0, 2, 1)
    normal = transposed @ slopes
    normal[:, np.arange(unknowns), np.arange(unknowns)] += _DAMPING_M2
    # Directions lie on a sphere. If its target lies outside (joints further apart than the bone is long), the curvature
    # of the sphere adds to the Hessian; without it, Gauss–Newton steps overshoot and oscillate.
    outward = np.maximum(((matrix.T @ pulls) * directions).sum(-1), 0.0)
    normal[:, np.arange(3, unknowns), np.arange(3, unknowns)] += np.repeat(outward, 2, axis=-1)
    step = np.linalg.solve(normal, transposed @ values[..., None])[..., 0]
    turned = directions + (tangents @ step[:, 3:].reshape(frames, bodies, 2, 1))[..., 0]
    return root_m + step[:, :3], unit(turned)
