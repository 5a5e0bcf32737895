import warnings

import numpy as np
import pytest
from pymotion.io.bvh import BVH
from pymotion.ops.skeleton import fk
from rigid_people import moving_person, times_s
from shared_data import shared_path

from hyperlift.body.rigid_fit import FittedMotion, fit_motion
from hyperlift.errors import InputError
from hyperlift.mocap.bvh_file import read_bvh_file
from hyperlift.motion.formats.bvh import write_bvh
from hyperlift.motion.formats.node_tree import joints_y_up_m
from hyperlift.skeletons.joint_sets import H36M_17

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # bvhio's dependencies warn about themselves
    import bvhio

MIXAMO = {
    "Pelvis": "Hips",
    "RHip": "RightUpLeg",
    "LAnkle": "LeftFoot",
    "Thorax": "Spine2",
    "Head": "HeadTop_End",
    "LShoulder": "LeftArm",
    "RWrist": "RightHand",
}


def _person(frames: int = 40, seed: int = 0) -> FittedMotion:
    joints_m, _ = moving_person(frames, seed)
    joints_m = joints_m + np.random.default_rng(seed).normal(0, 0.01, joints_m.shape)
    return fit_motion(joints_m, times_s(frames), axes="world")


def _pymotion(path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, places [T,N,3] in the file's unit and frame time, by a reader of other people."""
    file = BVH()
    file.load(str(path))
    rotations, positions, parents, offsets, *_ = file.get_data()
    places, _ = fk(rotations, positions[:, 0], offsets, parents)
    return list(file.data["names"]), places, float(file.data["frame_time"])


def _of_joints(names: list[str], places: np.ndarray) -> np.ndarray:
    return places[:, [names.index(joint) for joint in H36M_17.joints]]


@pytest.mark.parametrize(("order", "unit"), [("ZXY", "cm"), ("ZYX", "m"), ("XYZ", "cm"), ("per-joint", "cm")])
def test_two_foreign_readers_find_our_joints(tmp_path, order, unit):
    fitted = _person()
    path = tmp_path / "person.bvh"
    write_bvh(path, fitted, order=order, unit=unit)
    truth_m = joints_y_up_m(fitted)
    per_m = {"cm": 100.0, "m": 1.0}[unit]
    names, places, frame_time_s = _pymotion(path)
    np.testing.assert_allclose(_of_joints(names, places) / per_m, truth_m, atol=1e-4)
    assert frame_time_s == pytest.approx(0.04)
    root = bvhio.readAsHierarchy(str(path))
    for frame in range(0, 40, 7):
        root.loadPose(frame)
        for joint, _, _ in root.layout():
            if joint.Name in H36M_17.joints:
                place = np.array(joint.PositionWorld) / per_m
                np.testing.assert_allclose(place, truth_m[frame, H36M_17.index(joint.Name)], atol=1e-4)


def test_the_rest_pose_is_a_t_pose_looking_along_z(tmp_path):
    fitted = _person(3)
    write_bvh(tmp_path / "person.bvh", fitted, unit="m")
    tree = read_bvh_file(tmp_path / "person.bvh").tree
    still = np.tile(np.eye(3), (1, len(tree), 1, 1))
    rest = dict(zip(tree.names, tree.forward(still, np.float64(tree.offsets[:1]))[0][0], strict=True))
    assert rest["LWrist"][0] > 0.5 > 0.0 > rest["RWrist"][0]
    assert abs(rest["LWrist"][1] - rest["LShoulder"][1]) < 1e-6
    assert rest["Head"][1] > 0.4
    assert rest["LAnkle"][1] == pytest.approx(-0.84, abs=0.02)
    assert rest["LAnkle end"][2] > 0.1  # toes


def test_names_of_mixamo(tmp_path):
    fitted = _person(5)
    write_bvh(tmp_path / "person.bvh", fitted, naming="mixamo")
    names, places, _ = _pymotion(tmp_path / "person.bvh")
    for joint, name in MIXAMO.items():
        place_m = places[:, names.index(f"mixamorig:{name}")] / 100.0
        np.testing.assert_allclose(place_m, joints_y_up_m(fitted)[:, H36M_17.index(joint)], atol=1e-4)


def test_angles_do_not_spin_between_frames(tmp_path):
    fitted = _person(200, 3)
    write_bvh(tmp_path / "person.bvh", fitted, order="per-joint")
    lines = (tmp_path / "person.bvh").read_text().splitlines()
    rows = np.array([[float(n) for n in line.split()] for line in lines[lines.index("MOTION") + 3 :]])
    assert rows.shape == (200, 3 + 3 * 21)
    assert np.abs(np.diff(rows[:, 3:], axis=0)).max() < 60.0  # knees pass 90°, the person turns by 360°


def test_one_frame_and_uneven_times(tmp_path):
    write_bvh(tmp_path / "one.bvh", _person(1))
    _, places, _ = _pymotion(tmp_path / "one.bvh")
    assert len(places) == 1
    joints_m, _ = moving_person(4, 0)
    uneven = fit_motion(joints_m, np.array([0.0, 0.1, 0.2, 0.6]), axes="world")
    write_bvh(tmp_path / "uneven.bvh", uneven)
    assert _pymotion(tmp_path / "uneven.bvh")[2] == pytest.approx(0.2)  # lasts as long


def test_nothing_is_written_of_what_is_refused(tmp_path):
    fitted = _person(2)
    for wrong in ({"naming": "blender"}, {"unit": "inch"}, {"order": "ZXZ"}):
        with pytest.raises(InputError, match="choose"):
            write_bvh(tmp_path / "no.bvh", fitted, **wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.shared
def test_a_recorded_person_in_camera_axes(tmp_path):
    recording = np.load(shared_path("data/mocap/train.npz"))
    joints_m = recording[recording.files[5]][:200:2] * 2e-4
    camera_m = joints_m @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]).T + [0.0, 1.2, 4.0]
    fitted = fit_motion(camera_m, times_s(len(camera_m)), axes="camera")
    write_bvh(tmp_path / "person.bvh", fitted)
    names, places, _ = _pymotion(tmp_path / "person.bvh")
    read_m = _of_joints(names, places) / 100.0
    # The camera looks along −z of the file; up is up.
    np.testing.assert_allclose(read_m * [1, -1, -1], fitted.joints_m, atol=1e-4)
    assert (read_m[:, H36M_17.index("Head"), 1] > read_m[:, H36M_17.index("LAnkle"), 1]).all()
