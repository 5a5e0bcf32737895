import numpy as np
import pytest
from rigid_people import moving_person, turn_deg
from scipy.spatial.transform import Rotation

from hyperlift.body.joint_limits import BODY_LIMITS, LIMITED_JOINTS, JointLimits, read_limits
from hyperlift.errors import InputError
from hyperlift.skeletons.joint_sets import H36M_17

at = H36M_17.index


def _rest() -> np.ndarray:
    return np.tile(np.eye(3), (1, 17, 1, 1))


@pytest.mark.parametrize(("bend", "allowed"), [(0.0, 0.0), (0.7, 0.7), (1.25, 1.0), (-0.5, 0.0)])
def test_clamp_turns_back_what_lies_beyond(bend, allowed):
    rotations = _rest()
    rotations[0, at("LAnkle")] = Rotation.from_euler("x", bend).as_matrix()
    clamped = JointLimits({"LKnee": {"X": (0.0, 1.0)}}).clamp(rotations)[0, at("LAnkle")]
    np.testing.assert_allclose(clamped, Rotation.from_euler("x", allowed).as_matrix(), atol=1e-12)


def test_clamp_stops_at_the_limit_and_leaves_the_rest():
    limits = JointLimits({"Knee": {"X": (0.0, 1.0)}})
    rotations = _rest()
    rotations[0, at("LAnkle")] = Rotation.from_euler("ZXY", [0.2, 1.5, 0.1]).as_matrix()
    clamped = limits.clamp(rotations)
    expected = Rotation.from_euler("ZXY", [0.2, 1.0, 0.1]).as_matrix()
    np.testing.assert_allclose(clamped[0, at("LAnkle")], expected, atol=1e-12)
    np.testing.assert_array_equal(clamped[0, : at("LAnkle")], rotations[0, : at("LAnkle")])


@pytest.mark.parametrize("degrees", [100.0, 110.0, 150.0])
def test_a_bend_beyond_a_right_angle_is_not_taken_for_a_smaller_one(degrees):
    limits = JointLimits({"Knee": {"X": (0.0, np.radians(95.0))}})
    rotations = _rest()
    rotations[0, at("RAnkle")] = Rotation.from_euler("x", degrees, degrees=True).as_matrix()
    expected = Rotation.from_euler("x", 95.0, degrees=True).as_matrix()
    np.testing.assert_allclose(limits.clamp(rotations)[0, at("RAnkle")], expected, atol=1e-9)


def test_clamped_rotations_stay():
    _, rotations = moving_person(50, 3)
    spun = rotations @ Rotation.random(17, random_state=np.random.default_rng(1)).as_matrix()
    clamped = BODY_LIMITS.clamp(spun)
    assert turn_deg(spun, clamped).max() > 30.0
    np.testing.assert_allclose(BODY_LIMITS.clamp(clamped), clamped, atol=1e-7)


def test_the_right_side_is_the_mirror_image():
    limits = JointLimits({"Shoulder": {"Z": (-0.2, 0.5), "X": (-0.1, 0.3)}})
    low, high = limits.bounds_rad("RShoulder")  # Z, X, Y
    np.testing.assert_array_equal(low, [-0.5, -0.1, -np.inf])
    np.testing.assert_array_equal(high, [0.2, 0.3, np.inf])


def test_a_name_with_its_side_comes_first():
    limits = JointLimits({"Knee": {"X": (0.0, 2.0)}, "RKnee": {"X": (0.0, 1.0)}})
    assert limits.bounds_rad("LKnee")[1][1] == 2.0
    assert limits.bounds_rad("RKnee")[1][1] == 1.0


def test_every_turning_joint_is_measured_against_a_bone_that_stands_before_it():
    ends = {end for end, _ in LIMITED_JOINTS.values()}
    seen = {at("Pelvis"), at("LHip"), at("RHip")}
    for end, before in LIMITED_JOINTS.values():
        assert before in seen
        seen.add(end)
    assert len(ends) == 14


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unit: degrees\njoints: {Tail: {X: [0, 10]}}", ["Tail", "LKnee"]),
        ("unit: degrees\njoints: {Knee: {W: [0, 10]}}", ["'W'", "X, Y, Z"]),
        ("unit: degrees\njoints: {Knee: {X: [10, 90]}}", ["exclude the rest pose"]),
        ("unit: degrees\njoints: {Knee: {X: [10, -10]}}", ["no range"]),
        ("unit: degrees\njoints: {Knee: {X: 10}}", ["[lowest, highest]"]),
        ("unit: degrees\njoints: {Knee: {X: [.nan, 10]}}", ["Knee"]),
        ("unit: turns\njoints: {}", ["turns", "degrees"]),
        ("joints: {}", ["unit and joints"]),
        ("{", ["not valid YAML"]),
    ],
)
def test_limit_files_that_are_refused(tmp_path, text, words):
    path = tmp_path / "limits.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read_limits(path)
    for word in [*words, "limits.yaml"]:
        assert word in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_limit_file(tmp_path):
    path = tmp_path / "limits.yaml"
    path.write_text("unit: degrees\njoints:\n  Knee: {X: [0, 160]}\n")
    assert read_limits(path).bounds_rad("RKnee")[1][1] == pytest.approx(np.radians(160))
    with pytest.raises(InputError, match=r"gone\.yaml: no such file; give limits of joint angles"):
        read_limits(tmp_path / "gone.yaml")
