import numpy as np
import pytest
from rigid_people import turn_deg
from scipy.spatial.transform import Rotation

from hyperlift.geometry.rotations import (
    continuous_euler,
    continuous_quaternions,
    matrix_from_6d,
    matrix_from_euler,
    matrix_to_euler,
    matrix_to_quaternion,
    shortest_rotation,
)


def _random(count: int) -> np.ndarray:
    return Rotation.random(count, random_state=np.random.default_rng(3)).as_matrix()


def test_every_spelling_comes_back():
    matrices = _random(200).reshape(20, 10, 3, 3)
    np.testing.assert_allclose(
        matrix_from_6d(np.concatenate([matrices[..., 0], matrices[..., 1]], -1)), matrices, atol=1e-12
    )
    np.testing.assert_allclose(Rotation.from_quat(matrix_to_quaternion(matrices)).as_matrix(), matrices, atol=1e-12)
    for order in ("ZXY", "ZYX", "XYZ"):
        np.testing.assert_allclose(matrix_from_euler(matrix_to_euler(matrices, order), order), matrices, atol=1e-12)


def test_six_numbers_by_hand():
    # 2x and (1, 3, 0): the first column is x, the second what is left of the other vector, y.
    np.testing.assert_allclose(matrix_from_6d(np.array([2.0, 0, 0, 1, 3, 0])), np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    "six",
    [[1, 2, 3, 1, 2, 3], [1, 2, 3, -2, -4, -6], [1, 0, 0, 1, 1e-9, 0], [1, 0, 0, 1, 1e-5, 1e-6], [0] * 6]
    + [[0, 0, 0, 1, 2, 3], [1, 2, 3, 0, 0, 0]],
)
def test_six_numbers_without_a_plane_still_give_a_rotation(six):
    matrix = matrix_from_6d(np.array(six, np.float64))
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-9)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_swing_turns_one_direction_into_the_other_by_the_smallest_angle():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 500, 3))
    turned = (shortest_rotation(source, target) @ source[..., None])[..., 0]
    cosine = (turned * target).sum(-1) / np.linalg.norm(turned, axis=-1) / np.linalg.norm(target, axis=-1)
    np.testing.assert_allclose(cosine, 1.0, atol=1e-12)
    between = np.degrees(
        np.arccos((source * target).sum(-1) / np.linalg.norm(source, axis=-1) / np.linalg.norm(target, axis=-1))
    )
    np.testing.assert_allclose(turn_deg(np.eye(3), shortest_rotation(source, target)), between, atol=1e-6)


@pytest.mark.parametrize("off", [0.0, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3])
def test_swing_by_half_a_turn(off):
    source = np.array([0.6, -0.8, 0.0])
    target = -source + off * np.array([0.0, 0.0, 1.0])
    matrix = shortest_rotation(source, target)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-8)
    np.testing.assert_allclose(matrix @ source, target / np.linalg.norm(target), atol=2e-6)


def test_swing_of_nothing_is_no_turn():
    np.testing.assert_array_equal(shortest_rotation(np.zeros(3), np.array([0.0, 1, 0])), np.eye(3))


def test_continuous_euler_angles_are_the_same_rotations_without_jumps():
    # Through the middle angle of 90°, where the usual triple jumps by half a turn.
    time = np.linspace(0, 1, 60)
    angles = np.stack([6 * time, np.pi * time, 2 * time], axis=-1)
    matrices = matrix_from_euler(angles, "ZXY")
    usual = matrix_to_euler(matrices, "ZXY")
    assert np.abs(np.diff(usual, axis=0)).max() > 3.0
    smooth = continuous_euler(usual)
    np.testing.assert_allclose(matrix_from_euler(smooth, "ZXY"), matrices, atol=1e-9)
    np.testing.assert_allclose(smooth - smooth[0], angles - angles[0], atol=1e-6)


def about(axis: str, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array(
        {
            "X": [[1, 0, 0], [0, c, -s], [0, s, c]],
            "Y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
            "Z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
        }[axis]
    )


@pytest.mark.parametrize("order", ["ZXY", "XYZ", "ZY", "X", "XX", "ZXZY", ""])
def test_any_number_of_axes_turn_about_turned_axes(order):
    angles = np.random.default_rng(2).uniform(-3, 3, (5, 2, len(order)))
    turned = matrix_from_euler(angles, order)
    for place in np.ndindex(5, 2):
        product = np.eye(3)
        for axis, angle in zip(order, angles[place], strict=True):
            product = product @ about(axis, angle)
        np.testing.assert_allclose(turned[place], product, atol=1e-12)


def test_gimbal_lock_is_a_rotation_like_any_other():
    matrix = matrix_from_euler(np.array([0.3, np.pi / 2, 0.4]), "ZXY")
    np.testing.assert_allclose(matrix_from_euler(matrix_to_euler(matrix, "ZXY"), "ZXY"), matrix, atol=1e-9)


def test_continuous_quaternions_never_change_sign():
    angles = np.linspace(0, 4 * np.pi, 80)
    quaternions = matrix_to_quaternion(Rotation.from_euler("y", angles[:, None]).as_matrix())
    assert (np.diff(np.sign(quaternions[:, 1])) != 0).any()
    smooth = continuous_quaternions(quaternions)
    assert np.abs(np.diff(smooth, axis=0)).max() < 0.1
    assert (Rotation.from_quat(smooth) * Rotation.from_quat(quaternions).inv()).magnitude().max() < 1e-9
