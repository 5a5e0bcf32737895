"""Conversions between representations of rotations, for any leading axes.

A rotation matrix acts on column vectors; its columns are the images of the axes. Quaternions are x, y, z, w (as in glTF
and SciPy). Euler angles are intrinsic, in radians: the order ``"ZXY"`` means R = Rz(a) Rx(b) Ry(c). NaN in the 6D
representation gives NaN; all other functions need finite input.
"""

import warnings

import numpy as np

from hyperlift.shapes import Float

_ZERO_LENGTH = 1e-9
"""Vectors shorter than this count as zero. Chosen: far below any bone length (metres), far above the rounding error of
float64."""
_OPPOSITE = 1e-12
"""Directions with 1 + cosine below this count as opposite (180° within 1.4e-6 rad). Chosen: above the rounding error of
the sum of squares."""
_PARALLEL = 1e-6
"""Two 3-vectors of the 6D representation count as parallel if the rejection is shorter than this. Chosen: float32
inputs determine no direction below it."""


def unit(vectors: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Normalise vectors to length 1; a zero vector stays 0."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > _ZERO_LENGTH, vectors / np.maximum(length, _ZERO_LENGTH), 0.0 * vectors)


def perpendicular(vectors: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """A unit vector orthogonal to each vector; for a zero vector, any unit vector."""
    smallest = np.eye(3)[np.abs(vectors).argmin(-1)]
    is_zero = np.linalg.norm(vectors, axis=-1, keepdims=True) <= _ZERO_LENGTH
    return unit(np.cross(vectors, smallest) + is_zero * smallest)


def matrix_from_6d(six: Float[np.ndarray, "*any 6"]) -> Float[np.ndarray, "*any 3 3"]:
    """Rotation whose first two columns are the two 3-vectors after Gram-Schmidt orthonormalisation (Zhou et al. 2019,
    "On the continuity of rotation representations"). If they are parallel, or one is zero, an arbitrary orthogonal
    vector replaces it."""
    first = unit(six[..., :3])
    first = np.where(np.linalg.norm(first, axis=-1, keepdims=True) > 0.5, first, perpendicular(six[..., 3:]))
    second = unit(six[..., 3:])
    second = second - (first * second).sum(-1, keepdims=True) * first
    parallel = np.linalg.norm(second, axis=-1, keepdims=True) <= _PARALLEL
    second = np.where(parallel, perpendicular(first), unit(second))
    # Twice is enough (Kahan): for nearly parallel vectors, the first pass leaves a rounding error.
    second = unit(second - (first * second).sum(-1, keepdims=True) * first)
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def matrix_to_quaternion(matrix: Float[np.ndarray, "*any 3 3"]) -> Float[np.ndarray, "*any 4"]:
    """Unit quaternions x, y, z, w with w ≥ 0; see ``continuous_quaternions`` for motions."""
    quaternion = _rotation().from_matrix(matrix.reshape(-1, 3, 3)).as_quat(canonical=True)
    return quaternion.reshape(*matrix.shape[:-2], 4)


def continuous_quaternions(quaternions: Float[np.ndarray, "frames *any 4"]) -> Float[np.ndarray, "frames *any 4"]:
    """Flip signs so that consecutive quaternions have a non-negative dot product: linear interpolation in a player then
    takes the shorter arc."""
    same = (quaternions[1:] * quaternions[:-1]).sum(-1, keepdims=True) >= 0
    signs = np.cumprod(np.where(same, 1.0, -1.0), axis=0)
    return np.concatenate([quaternions[:1], quaternions[1:] * signs])


def matrix_from_euler(angles_rad: Float[np.ndarray, "*any angles"], order: str) -> Float[np.ndarray, "*any 3 3"]:
    """Rotation matrices from intrinsic Euler angles.

    For extrinsic angles, reverse both the angles and the order.

    Args:
        angles_rad: one per letter of the order, in its sequence.
        order: any number of letters "X", "Y" and "Z"; empty for the identity.
    """
    rotation = _rotation()
    product = rotation.identity(int(np.prod(angles_rad.shape[:-1])))
    for column, axis in enumerate(order):
        product = product * rotation.from_euler(axis, angles_rad[..., column].reshape(-1, 1))
    return product.as_matrix().reshape(*angles_rad.shape[:-1], 3, 3)


def axis_rotation(axis: str, angles_rad: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any 3 3"]:
    """Right-handed rotations about one axis, "X", "Y" or "Z"."""
    return matrix_from_euler(angles_rad[..., None], axis)


def matrix_to_euler(matrix: Float[np.ndarray, "*any 3 3"], order: str) -> Float[np.ndarray, "*any 3"]:
    """Intrinsic Euler angles in the sequence of the order, the middle one within ±90°. In gimbal lock (±90°) the last
    angle is 0."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Gimbal lock")
        angles = _rotation().from_matrix(matrix.reshape(-1, 3, 3)).as_euler(order)
    return angles.reshape(*matrix.shape[:-2], 3)


def equivalent_euler(angles_rad: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """The second triple of Euler angles of the same rotation, with the middle angle beyond ±90°; for orders of three
    different axes."""
    return np.stack([angles_rad[..., 0] + np.pi, np.pi - angles_rad[..., 1], angles_rad[..., 2] + np.pi], axis=-1)


def continuous_euler(angles_rad: Float[np.ndarray, "frames *any 3"]) -> Float[np.ndarray, "frames *any 3"]:
    """Unwrap Euler angles over time: of both equivalent triples, and of all multiples of 2π, take the one nearest to
    the previous frame. Linear interpolation in a player then does not spin."""
    out = angles_rad.copy()
    both = np.stack([angles_rad, equivalent_euler(angles_rad)])
    for frame in range(1, len(out)):
        near = both[:, frame] - 2 * np.pi * np.round((both[:, frame] - out[frame - 1]) / (2 * np.pi))
        nearer = np.abs(near - out[frame - 1]).sum(-1).argmin(0)
        out[frame] = np.where((nearer == 0)[..., None], near[0], near[1])
    return out


def shortest_rotation(
    source: Float[np.ndarray, "*#any 3"], target: Float[np.ndarray, "*#any 3"]
) -> Float[np.ndarray, "... 3 3"]:
    """Rotation by the smallest angle that maps one direction to another; leading axes broadcast.

    For opposite directions, the 180° rotation axis is an arbitrary perpendicular. For a zero vector, the identity.
    """
    source, target = np.broadcast_arrays(unit(source), unit(target))
    # This form of 1 + cosine avoids cancellation for nearly opposite directions.
    one_plus_cos = ((source + target) ** 2).sum(-1)[..., None, None] / 2.0
    cross = _cross_matrix(np.cross(source, target))
    # Rodrigues' formula with (1 − cos) / sin² = 1 / (1 + cos), which is finite except for opposite directions.
    rotation = np.eye(3) + cross + cross @ cross / np.maximum(one_plus_cos, _OPPOSITE)
    axis = perpendicular(source)
    half_turn = 2.0 * axis[..., :, None] * axis[..., None, :] - np.eye(3)
    is_zero = (np.linalg.norm(source, axis=-1) * np.linalg.norm(target, axis=-1))[..., None, None] < 0.5
    return np.where(is_zero, np.eye(3), np.where(one_plus_cos < _OPPOSITE, half_turn, rotation))


def orthonormal_frame(
    main: Float[np.ndarray, "*#any 3"], second: Float[np.ndarray, "*#any 3"]
) -> Float[np.ndarray, "... 3 3"]:
    """Orthonormal axes as columns: the direction of ``main``, the rejection of ``second`` from it, and their cross
    product. Parallel vectors are handled as in ``matrix_from_6d``."""
    return matrix_from_6d(np.concatenate(np.broadcast_arrays(main, second), axis=-1))


def rotation_between(
    main_rest: Float[np.ndarray, "3"],
    second_rest: Float[np.ndarray, "3"],
    main: Float[np.ndarray, "*#any 3"],
    second: Float[np.ndarray, "*#any 3"],
) -> Float[np.ndarray, "... 3 3"]:
    """Rotation that maps one pair of directions to another: ``main`` exactly, ``second`` within the plane of both
    (TRIAD, Black 1964)."""
    return orthonormal_frame(main, second) @ orthonormal_frame(main_rest, second_rest).T


def _cross_matrix(vectors: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3 3"]:
    matrix = np.zeros((*vectors.shape, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        matrix[..., j, i] = vectors[..., k]
        matrix[..., i, j] = -vectors[..., k]
    return matrix


def _rotation():
    """SciPy's class, imported on first use: the import takes half a second, and only rigid bodies need it."""
    from scipy.spatial.transform import Rotation

    return Rotation
