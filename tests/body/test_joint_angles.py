"""Poses made by hand, whose angles are known without any computation, and what must not change an angle."""

import numpy as np
import pytest
from rigid_people import moving_person
from scipy.spatial.transform import Rotation
from shared_data import shared_path

from hyperlift.body.joint_angles import BODY_ANGLES, body_angles_deg
from hyperlift.skeletons.joint_sets import H36M_17

NUMBER = {angle.name: number for number, angle in enumerate(BODY_ANGLES)}
UP = np.array([0.0, 0.0, 1.0])
FORWARD, LEFT, DOWN = np.array([0.0, 1.0, 0.0]), np.array([-1.0, 0.0, 0.0]), -UP
AT = H36M_17.index


def standing() -> dict[str, np.ndarray]:
    """Upright, arms hanging, everything plumb; faces +y, z up, metres."""
    places = {
        "Pelvis": [0, 0, 0.9],
        "Spine": [0, 0, 1.1],
        "Thorax": [0, 0, 1.4],
        "Nose": [0, 0.1, 1.5],
        "Head": [0, 0, 1.65],
    }
    for side, x in (("R", 1.0), ("L", -1.0)):
        places |= {f"{side}Hip": [0.1 * x, 0, 0.9], f"{side}Knee": [0.1 * x, 0, 0.5], f"{side}Ankle": [0.1 * x, 0, 0.1]}
        places |= {f"{side}Shoulder": [0.18 * x, 0, 1.4], f"{side}Elbow": [0.18 * x, 0, 1.1]}
        places |= {f"{side}Wrist": [0.18 * x, 0, 0.85]}
    return {name: np.array(place, float) for name, place in places.items()}


def turned(pose: dict[str, np.ndarray], about: str, joints: list[str], axis: np.ndarray, degrees: float) -> dict:
    """Joints turned about an axis through another joint, by the right hand."""
    turn = Rotation.from_rotvec(np.radians(degrees) * axis)
    return pose | {joint: turn.apply(pose[joint] - pose[about]) + pose[about] for joint in joints}


def measured(pose: dict[str, np.ndarray], up: np.ndarray | None = UP) -> dict[str, float]:
    joints_m = np.array([[pose[joint] for joint in H36M_17.joints]])
    values = body_angles_deg(joints_m, H36M_17, up=up)[0]
    return {angle.name: float(value) for angle, value in zip(BODY_ANGLES, values, strict=True)}


def test_standing_upright_is_zero_and_what_does_not_show_is_missing():
    found = measured(standing())
    hidden = {name for name in found if "internal_rotation" in name or "plane" in name}
    assert {name for name, value in found.items() if np.isnan(value)} == hidden
    assert len(hidden) == 6
    assert [value for name, value in found.items() if name not in hidden] == pytest.approx([0.0] * 15, abs=1e-9)


def test_a_knee_bent_by_90_degrees():
    pose = standing()
    pose["RAnkle"] = pose["RKnee"] - 0.4 * FORWARD
    found = measured(pose)
    assert found["knee_flexion_right"] == pytest.approx(90.0)
    assert found["hip_internal_rotation_right"] == pytest.approx(0.0, abs=1e-9)
    assert found["knee_flexion_left"] == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(found["hip_internal_rotation_left"])


def test_an_arm_abducted_by_90_degrees():
    pose = standing()
    pose["LElbow"], pose["LWrist"] = pose["LShoulder"] + 0.3 * LEFT, pose["LShoulder"] + 0.55 * LEFT
    found = measured(pose)
    assert found["shoulder_elevation_left"] == pytest.approx(90.0)
    assert found["shoulder_plane_left"] == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(found["shoulder_internal_rotation_left"]), "a straight arm does not show how it is turned"
    pose["LWrist"] = pose["LElbow"] + 0.25 * FORWARD
    assert measured(pose)["shoulder_internal_rotation_left"] == pytest.approx(0.0, abs=1e-9)
    pose["LWrist"] = pose["LElbow"] + 0.25 * UP  # as if to throw
    assert measured(pose)["shoulder_internal_rotation_left"] == pytest.approx(-90.0)
    pose["LWrist"] = pose["LElbow"] + 0.25 * DOWN
    assert measured(pose)["shoulder_internal_rotation_left"] == pytest.approx(90.0)


def test_an_arm_held_forward_with_a_bent_elbow():
    pose = standing()
    pose["RElbow"] = pose["RShoulder"] + 0.3 * FORWARD
    pose["RWrist"] = pose["RElbow"] + 0.25 * UP
    found = measured(pose)
    assert found["shoulder_elevation_right"] == pytest.approx(90.0)
    assert found["shoulder_plane_right"] == pytest.approx(90.0)
    assert found["elbow_flexion_right"] == pytest.approx(90.0)
    assert found["shoulder_internal_rotation_right"] == pytest.approx(-90.0)


UPPER = ["Spine", "Thorax", "Nose", "Head"] + [f"{s}{j}" for s in "RL" for j in ("Shoulder", "Elbow", "Wrist")]


def test_a_trunk_flexed_by_30_degrees():
    # About the line of the hips, forward: the lower back goes along, so the hips bend and the back does not.
    stooped = measured(turned(standing(), "Pelvis", UPPER, LEFT, 30.0))
    assert stooped["lean_forward"] == pytest.approx(30.0)
    assert stooped["hip_flexion_right"] == pytest.approx(30.0)
    assert stooped["trunk_flexion"] == pytest.approx(0.0, abs=1e-9)
    # In the middle of the back: the back bends and the hips do not.
    rounded = measured(turned(standing(), "Spine", UPPER[1:], LEFT, 30.0))
    assert rounded["trunk_flexion"] == pytest.approx(30.0)
    assert rounded["hip_flexion_left"] == pytest.approx(0.0, abs=1e-9)
    assert 10.0 < rounded["lean_forward"] < 30.0


def test_trunk_to_the_side_and_about_itself():
    right = measured(turned(standing(), "Spine", UPPER[1:], FORWARD, 20.0))
    assert right["trunk_bending_right"] == pytest.approx(20.0)
    assert right["lean_right"] > 5.0
    left = measured(turned(standing(), "Spine", UPPER[1:], UP, 25.0))  # counter-clockwise from above
    assert left["trunk_rotation_left"] == pytest.approx(25.0)
    assert left["trunk_flexion"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("side", "inward"), [("R", -1.0), ("L", 1.0)])
def test_a_leg_forward_across_and_turned_inward(side, inward):
    long = {"R": "right", "L": "left"}[side]
    leg = [side + "Knee", side + "Ankle"]
    forward = measured(turned(standing(), side + "Hip", leg, LEFT, -40.0))
    assert forward[f"hip_flexion_{long}"] == pytest.approx(40.0)
    assert forward[f"hip_adduction_{long}"] == pytest.approx(0.0, abs=1e-9)
    # About forward by the right hand what hangs goes to the left, which is inward for the right leg.
    across = measured(turned(standing(), side + "Hip", leg, FORWARD, -15.0 * inward))
    assert across[f"hip_adduction_{long}"] == pytest.approx(15.0)
    pose = standing()
    pose[side + "Ankle"] = pose[side + "Knee"] - 0.4 * FORWARD
    # Turned inward, the shin that points backward comes out to the side.
    inside = measured(turned(pose, side + "Hip", leg, UP, -20.0 * inward))
    assert inside[f"hip_internal_rotation_{long}"] == pytest.approx(20.0)
    assert (inside[f"hip_flexion_{long}"], inside[f"knee_flexion_{long}"]) == pytest.approx((0.0, 90.0), abs=1e-9)


@pytest.mark.parametrize("angles", [(50.0, -20.0, 35.0), (-15.0, 10.0, -40.0), (110.0, 5.0, 12.0)])
def test_flexion_adduction_and_rotation_together(angles):
    """Grood and Suntay's sequence, composed by a library: about the pelvis's Z, then X, then the thigh's Y."""
    pelvis = np.stack([FORWARD, UP, -LEFT], axis=-1)  # X forward, Y up, Z right, as columns
    thigh = pelvis @ Rotation.from_euler("ZXY", angles, degrees=True).as_matrix()
    pose = standing()
    pose["RKnee"] = pose["RHip"] - 0.4 * thigh[:, 1]
    pose["RAnkle"] = pose["RKnee"] - 0.4 * (thigh @ Rotation.from_euler("z", -70, degrees=True).as_matrix())[:, 1]
    found = measured(pose)
    names = ("hip_flexion_right", "hip_adduction_right", "hip_internal_rotation_right")
    assert [found[name] for name in names] == pytest.approx(list(angles))
    assert found["knee_flexion_right"] == pytest.approx(70.0)


@pytest.mark.parametrize("angles", [(30.0, 80.0, 20.0), (100.0, 45.0, -60.0), (-20.0, 120.0, 5.0)])
def test_plane_elevation_and_rotation_together(angles):
    """The sequence of Wu et al. 2005, composed by a library; their second angle is minus the elevation."""
    thorax = np.stack([FORWARD, UP, -LEFT], axis=-1)
    plane, elevation, rotation = angles
    upper = thorax @ Rotation.from_euler("YXY", [plane, -elevation, rotation], degrees=True).as_matrix()
    pose = standing()
    pose["RElbow"] = pose["RShoulder"] - 0.3 * upper[:, 1]
    pose["RWrist"] = pose["RElbow"] - 0.25 * (upper @ Rotation.from_euler("z", 80, degrees=True).as_matrix())[:, 1]
    found = measured(pose)
    names = ("shoulder_plane_right", "shoulder_elevation_right", "shoulder_internal_rotation_right")
    assert [found[name] for name in names] == pytest.approx(list(angles))


def test_a_mirrored_motion_swaps_the_sides():
    joints_m, _ = moving_person(60, 3)
    mirrored_m = (joints_m * [-1.0, 1.0, 1.0])[:, H36M_17.mirror]
    values, mirrored = (body_angles_deg(j, H36M_17, up=UP) for j in (joints_m, mirrored_m))
    for angle in BODY_ANGLES:
        other = angle.name
        for one, two in (("_right", "_left"), ("_left", "_right")):
            if angle.name.endswith(one) and angle.name.rsplit("_", 1)[0] + two in NUMBER:
                other = angle.name.rsplit("_", 1)[0] + two
        sign = -1.0 if angle.name in ("trunk_bending_right", "trunk_rotation_left", "lean_right") else 1.0
        np.testing.assert_allclose(
            mirrored[:, NUMBER[angle.name]], sign * values[:, NUMBER[other]], atol=1e-6, err_msg=angle.name
        )


def test_where_the_world_turns_the_angles_do_not():
    joints_m, _ = moving_person(40, 5)
    values = body_angles_deg(joints_m, H36M_17, up=UP)
    about_up = Rotation.from_euler("z", 77, degrees=True).as_matrix()
    np.testing.assert_allclose(
        body_angles_deg(1.3 * joints_m @ about_up.T + [3, -2, 0], H36M_17, up=UP), values, atol=1e-6
    )
    anyhow = Rotation.from_euler("xyz", [50, -120, 10], degrees=True).as_matrix()
    np.testing.assert_allclose(body_angles_deg(joints_m @ anyhow.T, H36M_17, up=anyhow @ UP), values, atol=1e-6)
    relative = [number for name, number in NUMBER.items() if not name.startswith("lean")]
    without = body_angles_deg(joints_m @ anyhow.T, H36M_17)
    np.testing.assert_allclose(without[:, relative], values[:, relative], atol=1e-6)
    assert np.isnan(without[:, [NUMBER["lean_forward"], NUMBER["lean_right"]]]).all()


def test_what_is_not_known_makes_its_own_angles_unknown_and_no_others():
    joints_m = np.repeat([[standing()[joint] for joint in H36M_17.joints]], 3, axis=0)
    joints_m[:, AT("RAnkle")] = joints_m[:, AT("RKnee")] - [0, 0.4, 0]
    joints_m[1, AT("RAnkle")] = np.nan
    joints_m[2, AT("RAnkle")] = joints_m[2, AT("RKnee")]
    valid = np.ones((3, 17), bool)
    valid[0, AT("LWrist")] = False
    values = body_angles_deg(joints_m, H36M_17, valid, UP)
    of_ankle = [NUMBER["knee_flexion_right"], NUMBER["hip_internal_rotation_right"]]
    assert np.isfinite(values[0, of_ankle]).all()
    assert np.isnan(values[1:, of_ankle]).all()
    assert np.isfinite(values[:, NUMBER["hip_flexion_right"]]).all()
    assert np.isnan(values[:, NUMBER["elbow_flexion_left"]]).tolist() == [True, False, False]
    assert np.isnan(body_angles_deg(np.full((2, 17, 3), np.nan), H36M_17, up=UP)).all()
    assert np.isnan(body_angles_deg(np.zeros((2, 17, 3)), H36M_17, up=UP)).all()


def test_angles_that_cannot_be_told_apart_are_left_out():
    split = measured(turned(standing(), "RHip", ["RKnee", "RAnkle"], FORWARD, -88.0))
    assert split["hip_adduction_right"] == pytest.approx(-88.0)
    assert np.isnan(split["hip_flexion_right"]), "a leg straight out to the side is flexed by no amount"
    lying = measured(turned(standing(), "Pelvis", [j for j in H36M_17.joints if j != "Pelvis"], FORWARD, 90.0))
    assert np.isnan(lying["lean_forward"]), "on the side, no direction is forward"
    assert lying["hip_flexion_right"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.shared
def test_recorded_people_stay_within_what_bodies_do():
    recordings = np.load(shared_path("data/mocap/train.npz"))
    inside = {
        "knee_flexion": (0, 165),
        "elbow_flexion": (0, 165),
        "hip_flexion": (-60, 150),
        "hip_adduction": (-75, 50),
    }
    for name in recordings.files[::40]:
        values = body_angles_deg(recordings[name][::4] * 2e-4, H36M_17, up=UP)
        for angle, (least, most) in inside.items():
            for side in ("right", "left"):
                column = values[:, NUMBER[f"{angle}_{side}"]]
                assert (least <= column[np.isfinite(column)]).mean() > 0.99, (name, angle)
                assert (column[np.isfinite(column)] <= most).mean() > 0.99, (name, angle)
