"""Rigid bones onto wanted joints: Gauss–Newton over root and bone directions, all frames at once.

What positions depend on is the place of the root, the line of the hips and the direction of each other bone: 3 + 2 · 15
unknowns a frame. How bones are turned about themselves does not move a joint and is no unknown here.
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
"""The joint in which each turning body's bone ends; the line of the hips is that of the left hip."""
_DAMPING_M2 = 1e-6
"""Keeps what nothing determines, such as a bone of no length, where it is."""
_BLOCK = 256
"""Frames a block: what they need then stays in the processor's cache."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Wanted:
    """What the joints should come to."""

    joints_m: Float[np.ndarray, "frames joints 3"]
    """Finite everywhere."""
    weights: Float[np.ndarray, "frames joints"]
    """0 where nothing is known."""
    keypoints_px: Float[np.ndarray, "frames joints 2"] | None = None
    """Finite everywhere; the joints are then in camera axes."""
    keypoint_weights: Float[np.ndarray, "frames joints"] | None = None
    """Against ``weights``, for a distance across the line of sight."""
    camera_matrix: Float[np.ndarray, "3 3"] | None = None
    directions: Float[np.ndarray, "frames bodies 3"] | None = None
    """Where each body is drawn to."""
    direction_weights: Float[np.ndarray, "frames bodies"] | None = None


def placement_matrix(lengths_m: Float[np.ndarray, " joints"]) -> Float[np.ndarray, "joints bodies"]:
    """Metres that each joint moves along the direction of each body: joints − root = matrix · directions."""
    matrix = np.zeros((len(H36M_17), len(BODIES)))
    for joint in ORDER[1:]:
        matrix[joint] = matrix[H36M_17.parents[joint]]
        if joint == _HIPS[0]:
            matrix[joint, BODIES.index(_LEFT_HIP)] -= lengths_m[joint]
        else:
            matrix[joint, BODIES.index(joint)] += lengths_m[joint]
    return matrix


def directions_of(rotations: Float[np.ndarray, "frames joints 3 3"]) -> Float[np.ndarray, "frames bodies 3"]:
    """Where rotations point the bodies."""
    return (rotations @ REST_DIRECTIONS[:, :, None])[..., 0][:, list(BODIES)]


def fit_directions(
    root_m: Float[np.ndarray, "frames 3"],
    directions: Float[np.ndarray, "frames bodies 3"],
    wanted: Wanted,
    matrix: Float[np.ndarray, "joints bodies"],
    steps: int,
) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, "frames bodies 3"]]:
    """Minimise Σ weights · distance², from a start that is roughly right.

    Args:
        root_m: start.
        directions: start, unit vectors.
        wanted: what to come to.
        matrix: see ``placement_matrix``.
        steps: of Gauss and Newton; 3 or 4 are enough from the joints' own directions.

    Returns:
        Root and directions.
    """
    root_m, directions = root_m.copy(), directions.copy()
    for first in range(0, len(root_m), _BLOCK):
        rows = slice(first, first + _BLOCK)
        residual = _Residual(wanted, matrix, rows)
        for _ in range(steps):
            root_m[rows], directions[rows] = _step(root_m[rows], directions[rows], matrix, residual)
    return root_m, directions


@dataclass(frozen=True, eq=False)
class _Residual:
    wanted: Wanted
    matrix: Float[np.ndarray, "joints bodies"]
    rows: slice

    def __call__(
        self, joints_m: np.ndarray, jacobian: np.ndarray, directions: np.ndarray, tangents: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weighted residuals [F,R], their derivatives [F,R,U], and the pull on each joint [F,V,3]; ``jacobian``
        [F,V,3,U] is that of the joints."""
        wanted, rows = self.wanted, self.rows
        root_weights = np.sqrt(wanted.weights[rows])[..., None]
        pulls = wanted.weights[rows][..., None] * (wanted.joints_m[rows] - joints_m)
        frames, unknowns = len(joints_m), jacobian.shape[-1]
        values = [(root_weights * (wanted.joints_m[rows] - joints_m)).reshape(frames, -1)]
        slopes = [(root_weights[..., None] * jacobian).reshape(frames, -1, unknowns)]
        if wanted.keypoints_px is not None:
            value, slope, pull = self._reprojection(joints_m, jacobian)
            pulls = pulls + pull
            values.append(value)
            slopes.append(slope)
        if wanted.directions is not None:
            value, slope = self._pull(directions, tangents, unknowns)
            values.append(value)
            slopes.append(slope)
        return np.concatenate(values, axis=1), np.concatenate(slopes, axis=1), pulls

    def _reprojection(self, joints_m: np.ndarray, jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        wanted, rows = self.wanted, self.rows
        camera = wanted.camera_matrix
        assert camera is not None
        assert wanted.keypoints_px is not None
        assert wanted.keypoint_weights is not None
        depth = np.maximum(joints_m[..., 2:], 0.1)
        # Metres across the line of sight at the joint's depth, so that a pixel counts as far as it reaches.
        sight = (wanted.keypoints_px[rows] - camera[[0, 1], 2]) / camera[[0, 1], [0, 1]]
        weight = np.sqrt(wanted.keypoint_weights[rows])[..., None]
        value = weight * (sight * depth - joints_m[..., :2])
        slope = weight[..., None] * (jacobian[..., :2, :] - sight[..., None] * jacobian[..., 2:, :])
        across = weight * value
        pull = np.concatenate([across, -(sight * across).sum(-1, keepdims=True)], axis=-1)
        return value.reshape(len(value), -1), slope.reshape(len(value), -1, jacobian.shape[-1]), pull

    def _pull(self, directions: np.ndarray, tangents: np.ndarray, unknowns: int) -> tuple[np.ndarray, np.ndarray]:
        wanted, rows = self.wanted, self.rows
        assert wanted.directions is not None
        assert wanted.direction_weights is not None
        weight = np.sqrt(wanted.direction_weights[rows])[..., None]
        frames, bodies = directions.shape[:2]
        slope = np.zeros((frames, bodies, 3, unknowns))
        for body in range(bodies):
            slope[:, body, :, 3 + 2 * body : 5 + 2 * body] = weight[:, body, :, None] * tangents[:, body]
        value = weight * (wanted.directions[rows] - directions)
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
    # A direction lies on a sphere. Where its end is pulled outwards, as by joints further apart than the bone is long,
    # the sphere's own curvature counts; Gauss and Newton's plain step would overshoot there, and swing to and fro.
    outward = np.maximum(((matrix.T @ pulls) * directions).sum(-1), 0.0)
    normal[:, np.arange(3, unknowns), np.arange(3, unknowns)] += np.repeat(outward, 2, axis=-1)
    step = np.linalg.solve(normal, transposed @ values[..., None])[..., 0]
    turned = directions + (tangents @ step[:, 3:].reshape(frames, bodies, 2, 1))[..., 0]
    return root_m + step[:, :3], unit(turned)
