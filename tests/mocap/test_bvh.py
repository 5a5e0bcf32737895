from pathlib import Path

import numpy as np
import pytest
from bvh_person import CROWN, PERSON, random_angles, write_person
from scipy.spatial.transform import Rotation
from shared_data import shared_path

from hyperlift.errors import InputError
from hyperlift.mocap.arrays import read_mocap_arrays
from hyperlift.mocap.bvh import read_bvh
from hyperlift.mocap.bvh_file import read_bvh_file
from hyperlift.mocap.joint_names import find_joints
from hyperlift.skeletons.joint_sets import H36M_17

FIXTURES = Path(__file__).parent / "fixtures"

TWO_BONES = """\
HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 1 0 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 0 2 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0083333
10 0 0 0 0 0 0 0 0
0 0 5 90 0 0 0 90 0
"""


def positions_by_scipy(angles, order):
    place = {name: np.array(xyz) for name, _, xyz in PERSON}
    frames = len(angles["Hips"])
    world, turned = {}, {}
    for name, parent, _ in PERSON:
        own = Rotation.from_euler(order, angles[name], degrees=True)
        if parent is None:
            world[name], turned[name] = np.tile(place[name], (frames, 1)), own
        else:
            world[name] = world[parent] + turned[parent].apply(place[name] - place[parent])
            turned[name] = turned[parent] * own
    world["Crown"] = world["Head"] + turned["Head"].apply(CROWN)
    return world


def test_two_bones_by_hand(tmp_path):
    path = tmp_path / "a.bvh"
    path.write_text(TWO_BONES)
    motion = read_bvh_file(path)
    assert motion.fps == 120.0
    assert motion.tree.names == ("Hips", "Arm", "Arm end")
    positions, _ = motion.forward()
    np.testing.assert_allclose(positions[0], [[10, 0, 0], [11, 0, 0], [11, 2, 0]], atol=1e-12)
    # The root's 90 about z takes x to y; the arm's 90 about x takes its y to z.
    np.testing.assert_allclose(positions[1], [[0, 0, 5], [0, 1, 5], [0, 1, 7]], atol=1e-12)


@pytest.mark.parametrize("order", ["ZXY", "ZYX", "XYZ", "YXZ"])
def test_joints_agree_with_scipy(tmp_path, order):
    angles = random_angles()
    write_person(tmp_path / "p.bvh", angles, order)
    joints_m = read_bvh(tmp_path / "p.bvh").joints_m
    world = positions_by_scipy(angles, order)
    names = {
        "LHip": "LeftUpLeg",
        "RKnee": "RightLeg",
        "LAnkle": "LeftFoot",
        "Thorax": "Neck",
        "Head": "Crown",
    }
    names |= {"RShoulder": "RightArm", "LElbow": "LeftForeArm", "RWrist": "RightHand"}
    pelvis = (world["LeftUpLeg"] + world["RightUpLeg"]) / 2
    for joint, name in names.items():
        x, y, z = (world[name] - pelvis).T
        got = joints_m[:, H36M_17.index(joint)] - joints_m[:, H36M_17.root]
        np.testing.assert_allclose(got, np.column_stack([-x, z, y]), atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1000.0, 1 / 0.0254, 0.45 / 0.0254])
def test_the_unit_is_found(tmp_path, scale):
    angles = random_angles()
    write_person(tmp_path / "metres.bvh", angles)
    write_person(tmp_path / "scaled.bvh", angles, scale=scale)
    expected = read_bvh(tmp_path / "metres.bvh", unit="m").joints_m
    np.testing.assert_allclose(read_bvh(tmp_path / "scaled.bvh").joints_m, expected, atol=1e-5)


def test_a_wrong_unit_is_refused(tmp_path):
    write_person(tmp_path / "p.bvh", random_angles(), scale=100.0)
    with pytest.raises(InputError, match=r"a leg is 84.* in unit m; give the unit"):
        read_bvh(tmp_path / "p.bvh", unit="m")


def test_z_up_is_found(tmp_path):
    to_z_up = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
    still = {name: np.zeros((3, 3)) for name, _, _ in PERSON}
    write_person(tmp_path / "y.bvh", still)
    write_person(tmp_path / "z.bvh", still, turn=to_z_up)
    np.testing.assert_allclose(read_bvh(tmp_path / "z.bvh").joints_m, read_bvh(tmp_path / "y.bvh").joints_m, atol=1e-6)


def test_who_faces_z_faces_y_with_the_left_at_minus_x(tmp_path):
    still = {name: np.zeros((2, 3)) for name, _, _ in PERSON}
    write_person(tmp_path / "p.bvh", still)
    joints_m = read_bvh(tmp_path / "p.bvh").joints_m[0]
    for joint in ("LHip", "LWrist", "LAnkle"):
        assert joints_m[H36M_17.index(joint), 0] < -0.09
    nose, thorax, head = (joints_m[H36M_17.index(joint)] for joint in ("Nose", "Thorax", "Head"))
    assert nose[1] == pytest.approx(thorax[1] + 0.45 * (head[1] - thorax[1]) + 0.035, abs=1e-5)


def test_turning_the_root_turns_everything(tmp_path):
    angles = random_angles(spread=15.0)
    write_person(tmp_path / "a.bvh", angles, "YXZ")
    before = read_bvh(tmp_path / "a.bvh").joints_m
    angles["Hips"] = angles["Hips"] + np.array([70.0, 0, 0])  # first about the vertical axis
    write_person(tmp_path / "b.bvh", angles, "YXZ")
    turn = Rotation.from_euler("z", 70, degrees=True).as_matrix().astype(np.float32)
    root = before[:, :1]
    after = read_bvh(tmp_path / "b.bvh").joints_m
    np.testing.assert_allclose(after - after[:, :1], (before - root) @ turn.T, atol=1e-5)


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: "mixamorig:" + name,
        lambda name: "Bip01 " + name.replace("Left", "L ").replace("Right", "R ").replace("UpLeg", "Thigh"),
        lambda name: {"LeftArm": "LeftUpArm", "RightArm": "RightUpArm", "LeftForeArm": "LeftLowArm"}.get(name, name),
        lambda name: (
            name.replace("Left", "l").replace("Right", "r").replace("UpLeg", "Thigh").replace("Leg", "Shin")
            if "Shoulder" not in name
            else name
        ),
        lambda name: {
            **{"LeftShoulder": "LeftCollar", "LeftArm": "LeftShoulder", "LeftForeArm": "LeftElbow"},
            **{"RightShoulder": "RightCollar", "RightArm": "RightShoulder", "RightForeArm": "RightElbow"},
            **{
                "LeftHand": "LeftWrist",
                "LeftUpLeg": "LeftHip",
                "LeftLeg": "LeftKnee",
                "LeftFoot": "LeftAnkle",
            },
        }.get(name, name),
    ],
)
def test_other_names_mean_the_same(tmp_path, rename):
    angles = random_angles()
    write_person(tmp_path / "a.bvh", angles)
    write_person(tmp_path / "b.bvh", angles, rename=rename)
    assert find_joints(read_bvh_file(tmp_path / "b.bvh")) == find_joints(read_bvh_file(tmp_path / "a.bvh"))


def test_a_missing_joint_is_named(tmp_path):
    strange = {"LeftHand": "Paw", "Neck": "Gorge", "Head": "Skull"}
    write_person(tmp_path / "p.bvh", random_angles(), rename=lambda name: strange.get(name, name))
    with pytest.raises(InputError, match=r"no joint for LWrist, Skull; its joints are Hips, Spine, Gorge.*Paw"):
        read_bvh(tmp_path / "p.bvh")


def test_a_real_run_agrees_with_its_published_conversion():
    """Frames 1 and 13 of 120 a second, 0.1 s apart, after the rest pose, against an independent conversion."""
    recording = read_bvh(FIXTURES / "35_17.bvh")
    assert (recording.joints_m.shape[0], recording.subject, recording.fps) == (2, "35", 10.0)
    folder = shared_path("data/mocap/index.json").parent
    published = next(r for r in read_mocap_arrays(folder, "train") if r.name == "CMU_35_17")
    expected_m = published.joints_m[[0, 5]]
    shift = recording.joints_m[0, 0] - expected_m[0, 0]
    error_mm = 1000 * np.linalg.norm(recording.joints_m - expected_m - shift, axis=-1)
    legs = H36M_17.indices(["RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle"])
    assert error_mm[:, legs].max() < 0.4
    # The length of the trunk segment that the file lacks is an estimate.
    assert error_mm.max() < 10


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "HIERACHY", "line 1: expected HIERARCHY"),
        ("OFFSET 1 0 0", "OFFSET 1 0", "line 8: 2 numbers; expected 3"),
        ("    OFFSET 1 0 0\n", "", "line 13: joint 'Arm' has no OFFSET"),
        ("CHANNELS 3 Y", "CHANNELS 4 Y", "line 9: CHANNELS 4"),
        ("Xrotation Zrotation\n    End", "Xrotation Wrotation\n    End", "line 9: CHANNELS 3"),
        ("  JOINT Arm\n  {", "  JOINT Arm", "line 7: expected '{'"),
        ("  }\n}\nMOTION", "  }\nMOTION", "line 15: MOTION while 1 braces"),
        ("Frames: 2", "Frames: two", "line 17: could not convert"),
        ("Frames: 2", "Frames: 3", "line 20: the file ends after 2 of 3 frames"),
        ("Frames: 2", "Frames: 1", "line 20: more than the 1 frames"),
        ("Frames: 2", "Frames: 0", "both must be positive"),
        ("10 0 0 0 0 0 0 0 0", "10 0 0 0 0 0 0 0", "line 19: 8 numbers; expected 9"),
        ("10 0 0 0 0 0 0 0 0", "10 0 0 0 0 0 0 0 inf", "line 19: a number is not finite"),
        ("0.0083333", "1e-320", "line 18: a frame of 9.99989e-321 s; expected 1e-05 to 100 s"),
        ("0.0083333", "1e8", "line 18: a frame of 1e[+]08 s"),
        ("Frames: 2", "Frames: 1e9", "line 18: 1000000000 frames of 3 joints; a file may have 20,000,000 places"),
        ("10 0 0 0 0 0 0 0 0", "1e308 0 0 0 0 0 0 0 0", "line 19: a number is not finite, or larger than 1e[+]09"),
        ("OFFSET 0 2 0", "OFFSET 0 2 0\n End Site\n {\n OFFSET 0 1 0\n }", "'End Site' inside an End Site"),
        (TWO_BONES[100:], "", "the file ends before MOTION|expected"),
        (TWO_BONES, "", "expected HIERARCHY"),
    ],
)
def test_a_broken_file_is_named(tmp_path, old, new, message):
    assert old in TWO_BONES
    (tmp_path / "a.bvh").write_text(TWO_BONES.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_bvh(tmp_path / "a.bvh")


@pytest.mark.parametrize(
    ("opened", "message"),
    [
        ("JOINT j\n{\nOFFSET 0 0 0\n}\n" * 20_000, "line 8001: more than 2,000 joints"),
        ("JOINT j\n{\nOFFSET 0 0 0\n" * 20_000, "line 602: more than 200 joints inside one another"),
        ("End Site\n{\nOFFSET 0 0 0\n" * 10_000, "line 8: 'End Site' inside an End Site"),
    ],
)
def test_a_skeleton_that_no_body_has_is_refused_where_it_begins_to_be_one(tmp_path, opened, message):
    path = tmp_path / "a.bvh"
    path.write_text("HIERARCHY\nROOT r\n{\nOFFSET 0 0 0\n" + opened)
    with pytest.raises(InputError, match=message):
        read_bvh(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_bvh(tmp_path / "a.bvh")
