import numpy as np
import pytest
from rigid_people import LENGTHS_M, moving_person, turn_deg
from shared_data import shared_path

from hyperlift.body.joint_rotations import rotations_from_joints
from hyperlift.body.rest_pose import REST_DIRECTIONS, rest_offsets
from hyperlift.geometry.forward_kinematics import absolute_rotations, forward_kinematics, relative_rotations
from hyperlift.geometry.rotations import shortest_rotation
from hyperlift.skeletons.joint_sets import H36M_17

at = H36M_17.index
UNIT_M = 2e-4
"""Of the recordings' whole numbers."""
CARRIED = {"LElbow": "Thorax", "RElbow": "Thorax", "LKnee": "Pelvis", "RKnee": "Pelvis"}


def twist_steps_deg(rotations: np.ndarray, joint: str, carrier: str) -> np.ndarray:
    """How far a bone turns about itself from frame to frame, seen from the bone that carries it: what is left of the
    turn after the smallest one that moves the bone's direction."""
    local = np.swapaxes(rotations[:, at(carrier)], -1, -2) @ rotations[:, at(joint)]
    along = local @ REST_DIRECTIONS[at(joint)]
    turn = local[1:] @ np.swapaxes(local[:-1], -1, -2)
    return turn_deg(shortest_rotation(along[:-1], along[1:]), turn)


def test_rest_pose_has_no_rotation():
    rest = forward_kinematics(
        np.tile(np.eye(3), (1, 17, 1, 1)), rest_offsets(LENGTHS_M), np.zeros((1, 3)), H36M_17.parents
    )
    # z up, x to the person's left: by hand.
    np.testing.assert_allclose(rest[0, at("LAnkle")], [0.10, 0, -0.84], atol=1e-12)
    np.testing.assert_allclose(rest[0, at("Thorax")], [0, 0, 0.47], atol=1e-12)
    assert rest[0, at("RWrist"), 0] == pytest.approx(-0.70, abs=0.01)
    rotations = rotations_from_joints(rest, 25.0)
    np.testing.assert_allclose(rotations[0], np.tile(np.eye(3), (17, 1, 1)), atol=1e-9)


def test_knees_bend_backward_and_elbows_forward():
    rest = forward_kinematics(
        np.tile(np.eye(3), (1, 17, 1, 1)), rest_offsets(LENGTHS_M), np.zeros((1, 3)), H36M_17.parents
    )
    for joint, end in (("LKnee", "LAnkle"), ("RKnee", "RAnkle"), ("LElbow", "LWrist"), ("RElbow", "RWrist")):
        bent = rest.copy()
        bent[0, at(end)] = bent[0, at(joint)] + [0, 0.4 if "Knee" in joint else -0.4, 0]  # y is backward
        rotations = rotations_from_joints(bent, 25.0)
        np.testing.assert_allclose(rotations[0, at(joint)], np.eye(3), atol=1e-9)  # the upper bone does not turn


SEEN = ("Pelvis", "Thorax", "LElbow", "RElbow", "LWrist", "RWrist", "LKnee", "RKnee", "LAnkle", "RAnkle")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_known_rotations_are_found(seed):
    joints_m, rotations = moving_person(60, seed)
    for frame in (0, 20, 40):
        still = rotations_from_joints(joints_m[frame : frame + 1], 25.0)
        assert turn_deg(still[0], rotations[frame])[[at(joint) for joint in SEEN]].max() < 0.5
    moving = turn_deg(rotations_from_joints(joints_m, 25.0), rotations)[:, [at(joint) for joint in SEEN]]
    # Planes of limbs are averaged over a tenth of a second, in which they move a little.
    assert moving[:, :2].max() < 0.01
    assert moving.max() < 5.0
    assert np.median(moving) < 0.5


def test_joints_come_back_from_their_rotations():
    joints_m, _ = moving_person(40, 5)
    rotations = rotations_from_joints(joints_m, 25.0)
    back = forward_kinematics(rotations, rest_offsets(LENGTHS_M), joints_m[:, 0], H36M_17.parents)
    np.testing.assert_allclose(back, joints_m, atol=1e-9)


def test_limbs_that_point_opposite_to_the_rest_pose():
    """Half turns: arms across the body along x, legs straight up, and back again frame by frame."""
    rest = forward_kinematics(
        np.tile(np.eye(3), (8, 17, 1, 1)), rest_offsets(LENGTHS_M), np.zeros((8, 3)), H36M_17.parents
    )
    for upper, lower, start in (("Elbow", "Wrist", "Shoulder"), ("Knee", "Ankle", "Hip")):
        for side in "LR":
            for joint in (upper, lower):
                before = at(side + (start if joint == upper else upper))
                bone = REST_DIRECTIONS[at(side + joint)] * LENGTHS_M[at(side + joint)]
                rest[:, at(side + joint)] = rest[:, before] + np.where(np.arange(8)[:, None] % 2, bone, -bone)
    rotations = rotations_from_joints(rest, 25.0)
    np.testing.assert_allclose(np.swapaxes(rotations, -1, -2) @ rotations, np.tile(np.eye(3), (8, 17, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(
        forward_kinematics(rotations, rest_offsets(LENGTHS_M), rest[:, 0], H36M_17.parents), rest, atol=1e-6
    )


def test_relative_and_absolute_rotations_are_inverse():
    _, rotations = moving_person(7, 8)
    np.testing.assert_allclose(
        absolute_rotations(relative_rotations(rotations, H36M_17.parents), H36M_17.parents), rotations, atol=1e-12
    )


def test_turning_the_whole_person_turns_every_rotation():
    joints_m, _ = moving_person(30, 4)
    half_turn = np.diag([-1.0, -1.0, 1.0])
    turned = rotations_from_joints(joints_m @ half_turn.T + [3.0, 1.0, 0.0], 25.0)
    np.testing.assert_allclose(turned, half_turn @ rotations_from_joints(joints_m, 25.0), atol=1e-9)


def test_straight_limbs_keep_their_plane():
    joints_m, rotations = moving_person(100, 6)
    known = rotations[:, at("LElbow")].copy()
    # From frame 30 to 70 the arm is straight but for detection noise, which bends it to any side.
    noise = np.random.default_rng(1).normal(0, 0.006, (40, 3))
    along = joints_m[30:70, at("LElbow")] - joints_m[30:70, at("LShoulder")]
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    joints_m[30:70, at("LWrist")] = joints_m[30:70, at("LElbow")] + 0.25 * along + noise
    found = rotations_from_joints(joints_m, 25.0)
    assert twist_steps_deg(found, "LElbow", "Thorax").max() < 15.0
    assert turn_deg(found[[25, 75], at("LElbow")], known[[25, 75]]).max() < 10.0


def test_an_over_stretched_knee_does_not_turn_the_leg_round():
    rest = forward_kinematics(
        np.tile(np.eye(3), (60, 17, 1, 1)), rest_offsets(LENGTHS_M), np.zeros((60, 3)), H36M_17.parents
    )
    bend = np.radians(np.linspace(60, -20, 60))
    shin = 0.41 * np.stack([0 * bend, np.sin(bend), -np.cos(bend)], axis=-1)
    rest[:, at("LAnkle")] = rest[:, at("LKnee")] + shin
    found = rotations_from_joints(rest, 25.0)
    assert turn_deg(found[:, at("LKnee")], np.eye(3)).max() < 1.0


def test_a_bone_of_no_length_is_carried():
    joints_m, _ = moving_person(10, 9)
    joints_m[:, at("Spine")] = joints_m[:, at("Pelvis")]
    joints_m[:, at("LWrist")] = joints_m[:, at("LElbow")]
    joints_m[3] = 1.0  # everything in one point
    rotations = rotations_from_joints(joints_m, 25.0)
    np.testing.assert_allclose(
        rotations @ np.swapaxes(rotations, -1, -2), np.tile(np.eye(3), (10, 17, 1, 1)), atol=1e-9
    )


def test_noise_does_not_spin_limbs():
    joints_m, _ = moving_person(200, 3)
    noisy = joints_m + np.random.default_rng(2).normal(0, 0.015, joints_m.shape)
    rotations = rotations_from_joints(noisy, 25.0)
    for joint, carrier in CARRIED.items():
        assert twist_steps_deg(rotations, joint, carrier).max() < 30.0, joint


@pytest.mark.shared
def test_twist_follows_recorded_people_without_spinning():
    recordings = np.load(shared_path("data/mocap/train.npz"))
    for name in recordings.files[::20]:
        joints_m = recordings[name] * UNIT_M
        rotations = rotations_from_joints(joints_m[::2], 25.0)
        for joint, carrier in CARRIED.items():
            assert twist_steps_deg(rotations, joint, carrier).max() < 30.0, (name, joint)
