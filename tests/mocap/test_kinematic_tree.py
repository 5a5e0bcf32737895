import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hyperlift.errors import InputError
from hyperlift.mocap.kinematic_tree import KinematicTree

TREE = KinematicTree(
    names=("root", "arm", "hand", "leg"),
    parents=(-1, 0, 1, 0),
    offsets=np.array([[0.0, 0, 0], [1.0, 0, 0], [0, 2.0, 0], [0, 0, -3.0]]),
)


def test_a_bent_arm_ends_where_it_should():
    rotations = np.broadcast_to(np.eye(3), (1, 4, 3, 3)).copy()
    rotations[0, 0] = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    rotations[0, 1] = Rotation.from_euler("x", 90, degrees=True).as_matrix()
    positions, orientations = TREE.forward(rotations, np.array([[10.0, 0, 0]]))
    # The root turns x to y; the arm turns its y to z, which the root leaves alone.
    np.testing.assert_allclose(positions[0], [[10, 0, 0], [10, 1, 0], [10, 1, 2], [10, 0, -3]], atol=1e-12)
    np.testing.assert_allclose(orientations[0, 2], rotations[0, 0] @ rotations[0, 1], atol=1e-12)


def test_turning_the_root_turns_everything():
    generator = np.random.default_rng(3)
    rotations = Rotation.random(24, rng=generator).as_matrix().reshape(6, 4, 3, 3)
    root = generator.normal(size=(6, 3))
    turn = Rotation.from_euler("xyz", [0.3, -1.0, 2.0]).as_matrix()
    positions, orientations = TREE.forward(rotations, root)
    rotations[:, 0] = turn @ rotations[:, 0]
    turned, turned_orientations = TREE.forward(rotations, root @ turn.T)
    np.testing.assert_allclose(turned, positions @ turn.T, atol=1e-12)
    np.testing.assert_allclose(turned_orientations, turn @ orientations, atol=1e-12)


def test_a_translation_takes_the_place_of_the_offset():
    rotations = np.broadcast_to(np.eye(3), (2, 4, 3, 3))
    moved = {1: np.array([[5.0, 0, 0], [6.0, 0, 0]])}
    positions, _ = TREE.forward(rotations, np.zeros((2, 3)), moved)
    np.testing.assert_array_equal(positions[:, 2], [[5, 2, 0], [6, 2, 0]])


@pytest.mark.parametrize("parents", [(0, 0, 1, 0), (-1, 2, 1, 0), (-1, 0, 1, -1), (-1, 0, 1)])
def test_what_is_no_tree_is_refused(parents):
    with pytest.raises(InputError):
        KinematicTree(names=TREE.names, parents=parents, offsets=TREE.offsets)
