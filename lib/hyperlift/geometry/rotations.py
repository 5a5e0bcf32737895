"""Rotations in their usual spellings, all for any leading axes.

A rotation matrix turns column vectors; its columns are the turned axes. Quaternions are x, y, z, w (as in glTF and
SciPy). Euler angles are radians about axes already turned by those before them, for an order such as ``"ZXY"``:
R = Rz(a) Rx(b) Ry(c). NaN in gives NaN out for the 6D form; the others want finite matrices.
"""

import warnings

import numpy as np

from hyperlift.shapes import Float

_TINY = 1e-9
_OPPOSITE = 1e-12


def unit(vectors: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Vectors of length 1; a vector of (nearly) no length becomes 0."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > _TINY, vectors / np.maximum(length, _TINY), 0.0 * vectors)


def perpendicular(vectors: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Some unit vector at right angles to each vector; a vector of no length gets one as well."""
    smallest = np.eye(3)[np.abs(vectors).argmin(-1)]
    return unit(np.cross(vectors, smallest) + (np.linalg.norm(vectors, axis=-1, keepdims=True) <= _TINY) * smallest)


def matrix_from_6d(six: Float[np.ndarray, "*any 6"]) -> Float[np.ndarray, "*any 3 3"]:
    """Two 3-vectors, made orthonormal, are the first two columns (Zhou et al. 2019, "On the continuity of rotation
    representations"). Where they are parallel, or one has no length, any orthogonal vector takes the place."""
    first = unit(six[..., :3])
    first = np.where(np.linalg.norm(first, axis=-1, keepdims=True) > 0.5, first, perpendicular(six[..., 3:]))
    second = unit(six[..., 3:])
    second = second - (first * second).sum(-1, keepdims=True) * first
    near = np.linalg.norm(second, axis=-1, keepdims=True) <= 1e-6
    second = np.where(near, perpendicular(first), unit(second))
    # Once more: what is left of a nearly parallel vector is mostly rounding, and not yet orthogonal.
    second = unit(second - (first * second).sum(-1, keepdims=True) * first)
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def matrix_to_quaternion(matrix: Float[np.ndarray, "*any 3 3"]) -> Float[np.ndarray, "*any 4"]:
    """To x, y, z, w of length 1 with w ≥ 0; see ``continuous_quaternions`` for motions."""
    quaternion = _rotation().from_matrix(matrix.reshape(-1, 3, 3)).as_quat(canonical=True)
    return quaternion.reshape(*matrix.shape[:-2], 4)


def continuous_quaternions(quaternions: Float[np.ndarray, "frames *any 4"]) -> Float[np.ndarray, "frames *any 4"]:
    """The same rotations with signs such that none is further than 90° (of four) from the frame before: players that
    interpolate the numbers then take the short way."""
    same = (quaternions[1:] * quaternions[:-1]).sum(-1, keepdims=True) >= 0
    signs = np.cumprod(np.where(same, 1.0, -1.0), axis=0)
    return np.concatenate([quaternions[:1], quaternions[1:] * signs])


def matrix_from_euler(angles_rad: Float[np.ndarray, "*any angles"], order: str) -> Float[np.ndarray, "*any 3 3"]:
    """From angles in the order's own sequence.

    Rotations about fixed axes, given in the order in which they happen, are the same product with both sequences
    reversed.

    Args:
        angles_rad: one for each letter of the order.
        order: axes "X", "Y" and "Z", as many as there are; none is no rotation.
    """
    turn = _rotation()
    product = turn.identity(int(np.prod(angles_rad.shape[:-1])))
    for column, axis in enumerate(order):
        product = product * turn.from_euler(axis, angles_rad[..., column].reshape(-1, 1))
    return product.as_matrix().reshape(*angles_rad.shape[:-1], 3, 3)


def axis_rotation(axis: str, angles_rad: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any 3 3"]:
    """Right-handed rotations about the axis "X", "Y" or "Z"."""
    return matrix_from_euler(angles_rad[..., None], axis)


def matrix_to_euler(matrix: Float[np.ndarray, "*any 3 3"], order: str) -> Float[np.ndarray, "*any 3"]:
    """To angles in the order's own sequence, the middle one within ±90°. Where it is ±90° the first and the last turn
    about the same axis, and the last is 0."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Gimbal lock")
        angles = _rotation().from_matrix(matrix.reshape(-1, 3, 3)).as_euler(order)
    return angles.reshape(*matrix.shape[:-2], 3)


def equivalent_euler(angles_rad: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """The second triple of angles of the same rotation, its middle angle beyond ±90°; for orders of three axes."""
    return np.stack([angles_rad[..., 0] + np.pi, np.pi - angles_rad[..., 1], angles_rad[..., 2] + np.pi], axis=-1)


def continuous_euler(angles_rad: Float[np.ndarray, "frames *any 3"]) -> Float[np.ndarray, "frames *any 3"]:
    """The same rotations with angles as near as they can be to those of the frame before: whole turns are added, and
    of both triples of a rotation the nearer one is taken. Players that interpolate angles then do not spin."""
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
    """The smallest rotation that turns one direction into another; leading axes broadcast.

    Opposite directions are turned by 180° about some perpendicular axis. A vector of no length turns nothing.
    """
    source, target = np.broadcast_arrays(unit(source), unit(target))
    # 1 + cosine; this form keeps its digits where the directions are nearly opposite.
    above = ((source + target) ** 2).sum(-1)[..., None, None] / 2.0
    cross = _cross_matrix(np.cross(source, target))
    # Rodrigues' formula: (1 − cos) / sin² is 1 / (1 + cos), which is safe until the directions are opposite.
    turned = np.eye(3) + cross + cross @ cross / np.maximum(above, _OPPOSITE)
    axis = perpendicular(source)
    half_turn = 2.0 * axis[..., :, None] * axis[..., None, :] - np.eye(3)
    nothing = (np.linalg.norm(source, axis=-1) * np.linalg.norm(target, axis=-1))[..., None, None] < 0.5
    return np.where(nothing, np.eye(3), np.where(above < _OPPOSITE, half_turn, turned))


def orthonormal_frame(
    main: Float[np.ndarray, "*#any 3"], second: Float[np.ndarray, "*#any 3"]
) -> Float[np.ndarray, "... 3 3"]:
    """Orthonormal axes as columns: ``main``, what ``second`` has at right angles to it, and their cross product.
    Parallel vectors are completed as in ``matrix_from_6d``."""
    return matrix_from_6d(np.concatenate(np.broadcast_arrays(main, second), axis=-1))


def rotation_between(
    main_rest: Float[np.ndarray, "3"],
    second_rest: Float[np.ndarray, "3"],
    main: Float[np.ndarray, "*#any 3"],
    second: Float[np.ndarray, "*#any 3"],
) -> Float[np.ndarray, "... 3 3"]:
    """The rotation that turns one pair of vectors into another: the first exactly, the second as far as the angle
    between them allows."""
    return orthonormal_frame(main, second) @ orthonormal_frame(main_rest, second_rest).T


def _cross_matrix(vectors: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3 3"]:
    matrix = np.zeros((*vectors.shape, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        matrix[..., j, i] = vectors[..., k]
        matrix[..., i, j] = -vectors[..., k]
    return matrix


def _rotation():
    """SciPy's class; half a second to import, and lifting without rigid bones never needs it."""
    from scipy.spatial.transform import Rotation

    return Rotation
