"""Feet and hands from the archives beside motion capture through virtual cameras into a store."""

import dataclasses
import json

import numpy as np
import pytest

from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.clips import LabelConvention, StoreClips
from hyperlift.datasets.seen_extremities import detected_places, draw_seen, leave_unseen
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, body_scale, bone_lengths
from hyperlift.mocap.arrays import read_mocap_arrays
from hyperlift.mocap.augmentation.body_frames import MovingBody, constant_lengths
from hyperlift.mocap.augmentation.motion_variation import MotionVariation, vary_motion
from hyperlift.mocap.augmentation.sitting import sit_down
from hyperlift.mocap.mocap_clips import MocapStoreConfig, write_mocap_split
from hyperlift.mocap.recording import Recording
from hyperlift.skeletons.extremities import EXTREMITIES, FEET, HANDS
from hyperlift.skeletons.joint_sets import H36M_17, H36M_25

FOOT = {"BigToe": (-0.02, -0.18, -0.1), "SmallToe": (0.05, -0.13, -0.1), "Heel": (0.0, 0.06, -0.1)}
"""Left toes and heel from the ankle, which is 10 cm above the sole; the person faces -y."""


def standing() -> np.ndarray:
    """A person of round numbers, facing -y: the left side at +x."""
    place = {"Pelvis": (0, 0, 0.9), "Spine": (0, 0, 1.1), "Thorax": (0, 0, 1.4), "Nose": (0, -0.05, 1.5)}
    place |= {"Head": (0, 0, 1.65), "LHip": (0.1, 0, 0.9), "LKnee": (0.1, -0.05, 0.5), "LAnkle": (0.1, 0, 0.1)}
    place |= {"LShoulder": (0.2, 0, 1.4), "LElbow": (0.25, 0, 1.1), "LWrist": (0.25, -0.1, 0.9)}
    place |= {"L" + point: tuple(np.add(place["LAnkle"], away)) for point, away in FOOT.items()}
    place |= {"LHand": (0.25, -0.15, 0.85)}
    place |= {"R" + joint[1:]: (-x, y, z) for joint, (x, y, z) in place.items() if joint[0] == "L"}
    return np.array([place[joint] for joint in H36M_25.joints])


def walking(frames=60) -> np.ndarray:
    time = np.arange(frames)[:, None, None] / 50
    return (standing()[None] + np.array([0.0, -0.8, 0.0]) * time + [0.0, 0.0, 0.02] * np.sin(6 * time)).astype(
        np.float32
    )


def recording(name="a", unmeasured=()) -> Recording:
    return Recording(name=name, subject="1", group="walk", fps=50.0, joints_m=walking(), unmeasured=unmeasured)


CONFIG = MocapStoreConfig(skeleton="h36m25", n_frames=9, stride=9, view_frames=9, views=3, proportions=0.06, seed=3)


@pytest.fixture
def folder(tmp_path):
    """Three recordings: with feet and hands, with feet alone, with nothing."""
    steps = np.round(walking(4) * 1000).astype(np.int16)
    entries = [
        {"id": name, "subject": "07", "group": "walk", "frames": 4, "feet": feet, "hands": hands}
        for name, feet, hands in (("A", "measured", "derived"), ("B", "derived", "none"), ("C", "none", "none"))
    ]
    index = {"fps": 50, "metres_per_step": 0.001, "up": "z", "joints": list(H36M_17.joints), "train": entries}
    (tmp_path / "index.json").write_text(json.dumps(index | {"extra_points": list(EXTREMITIES)}))
    np.savez(tmp_path / "train.npz", **dict.fromkeys("ABC", steps[:, :17]))
    np.savez(tmp_path / "extra_train.npz", **dict.fromkeys("AB", steps[:, 17:]))
    return tmp_path


def test_feet_and_hands_are_read_from_the_archive_beside(folder):
    whole, feet, none = read_mocap_arrays(folder, "train", extremities=True)
    np.testing.assert_allclose(whole.joints_m, walking(4), atol=1e-3)
    assert (whole.skeleton, whole.unmeasured) == (H36M_25, ())
    assert feet.unmeasured == HANDS
    np.testing.assert_allclose(feet.joints_m[:, :23], walking(4)[:, :23], atol=1e-3)
    np.testing.assert_array_equal(feet.joints_m[:, 23], feet.joints_m[:, H36M_25.index("LWrist")])
    assert none.unmeasured == EXTREMITIES
    assert [one.joints_m.shape[1] for one in read_mocap_arrays(folder, "train")] == [17, 17, 17]


def test_what_is_listed_and_not_there_is_an_error(folder):
    np.savez(folder / "extra_train.npz", A=np.zeros((4, 8, 3), np.int16))
    with pytest.raises(InputError, match=r"extra_train.npz: has no B, whose feet or hands the index lists"):
        list(read_mocap_arrays(folder, "train", extremities=True))
    np.savez(folder / "extra_train.npz", A=np.zeros((4, 7, 3), np.int16))
    with pytest.raises(InputError, match=r"A is int16 \(4, 7, 3\); expected integers of shape \(4, 8, 3\)"):
        list(read_mocap_arrays(folder, "train", extremities=True))
    (folder / "extra_train.npz").unlink()
    with pytest.raises(InputError, match=r"extra_train.npz: has no A"):
        list(read_mocap_arrays(folder, "train", extremities=True))
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | {"extra_points": ["LBigToe"]}))
    with pytest.raises(InputError, match="extra_points are"):
        list(read_mocap_arrays(folder, "train", extremities=True))


def test_a_store_of_25_joints(tmp_path):
    config = dataclasses.replace(CONFIG, extremities_seen={"feet": 1.0})
    recordings = [recording("a"), recording("b", unmeasured=EXTREMITIES)]
    write_mocap_split(tmp_path / "s", recordings, config, "test", "")
    store = ClipStore(tmp_path / "s")
    assert store.skeleton is H36M_25
    clips = StoreClips(store, LabelConvention("camera", True))
    for clip in range(len(clips)):
        pose2d, label = clips.pair(clip)
        lacking = store.video_of(clip).source.startswith("b")
        assert np.isnan(label[:, 17:]).all() == lacking
        assert not np.isnan(label[:, :17]).any()
        assert not pose2d[:, 23:, 2].any()  # no hands in this joint set
        assert (pose2d[:, 17:23, 2] > 0).any() != lacking
        np.testing.assert_array_equal(pose2d[:, 23, :2], pose2d[:, H36M_25.index("LWrist"), :2])
        if not lacking:
            # The size of a body is that of its 16 bones, with feet or without.
            lengths = bone_lengths(label[:, :17], H36M_17).sum(-1)
            assert np.median(lengths) == pytest.approx(REFERENCE_BONE_SUM_M, rel=1e-4)


def test_recordings_without_feet_make_no_such_store(tmp_path):
    without = dataclasses.replace(recording(), joints_m=walking()[:, :17])
    with pytest.raises(InputError, match="a: has the joints of h36m17, the recipe asks for h36m25; feet"):
        write_mocap_split(tmp_path / "s", [without], CONFIG, "test", "")


def test_shares_are_checked():
    for wrong in ({"toes": 1.0}, {"feet": -1.0}, {"feet": 0.0}, {}):
        with pytest.raises(InputError, match="extremities_seen is"):
            MocapStoreConfig(extremities_seen=wrong)
    with pytest.raises(InputError, match="group_weights are"):
        MocapStoreConfig(group_weights={"walk": -1.0})


def test_the_size_of_a_body_does_not_count_its_feet():
    assert body_scale(walking(), H36M_25) == body_scale(walking()[:, :17], H36M_17)


def test_a_detector_sees_toes_and_heels_above_the_sole():
    joints = np.repeat(standing()[None], 400, axis=0)
    up = []
    for seed in range(300):
        places = detected_places(joints[:1], 1.0, np.random.default_rng(seed))
        off = places[0] - joints[0]
        assert not off[:17].any()
        np.testing.assert_allclose(off[17:20] * [-1, 1, 1], off[20:23], atol=1e-12)  # alike on both sides
        up.append(off[17:23, 2].mean())
    assert np.mean(up) == pytest.approx(0.015, abs=0.001)
    assert 0.003 < np.std(up) < 0.008


def test_points_that_a_joint_set_lacks_stand_at_ankle_and_wrist():
    keypoints = np.arange(25 * 3, dtype=float).reshape(1, 25, 3)
    told = leave_unseen(keypoints, FEET[:2])
    np.testing.assert_array_equal(told[:, :19], keypoints[:, :19])
    ankle, wrist = (H36M_25.index(joint) for joint in ("LAnkle", "RWrist"))
    np.testing.assert_array_equal(told[0, 19], [*keypoints[0, ankle, :2], 0.0])
    np.testing.assert_array_equal(told[0, 24], [*keypoints[0, wrist, :2], 0.0])


def test_detectors_are_drawn_by_their_shares():
    rng = np.random.default_rng(0)
    drawn = [draw_seen({"none": 1.0, "blazepose": 3.0}, rng) for _ in range(2000)]
    assert np.mean([not points for points in drawn]) == pytest.approx(0.25, abs=0.03)
    assert not any(point.endswith("SmallToe") for points in drawn for point in points)
    one_sided = [points for points in drawn if points and len({point[0] for point in points}) == 1]
    assert len(one_sided) / len(drawn) == pytest.approx(0.075, abs=0.02)


VARIED = MotionVariation(speed=(0.8, 1.25), arms_and_head=0.5, one_arm=0.5, legs=0.5, limbs=1.0, lean_deg=5.0)


def test_feet_stay_on_their_ankles_and_keep_their_shape():
    moved = vary_motion(recording(), [recording("a"), recording("b")], 50, 25.0, VARIED, np.random.default_rng(1))
    assert moved.shape == (50, 25, 3)
    for pair in (("LAnkle", "LBigToe"), ("LHeel", "LBigToe"), ("LSmallToe", "LBigToe"), ("RWrist", "RHand")):
        first, second = H36M_25.indices(pair)
        lengths = np.linalg.norm(moved[:, first] - moved[:, second], axis=-1)
        expected = np.linalg.norm(standing()[first] - standing()[second])
        np.testing.assert_allclose(lengths, expected, atol=2e-3, err_msg=str(pair))


def test_a_body_without_feet_gets_none_from_a_donor():
    lacking = dataclasses.replace(
        recording(unmeasured=EXTREMITIES),
        joints_m=np.concatenate([walking()[:, :17], walking()[:, H36M_25.parents[17:]]], axis=1),
    )
    moved = vary_motion(lacking, [recording("b")], 30, 25.0, VARIED, np.random.default_rng(1))
    np.testing.assert_allclose(moved[:, 17:], moved[:, H36M_25.parents[17:]], atol=1e-9)


def test_who_sits_has_flat_feet():
    body = MovingBody.of(walking().astype(float), constant_lengths(walking()))
    body.bones_m[:, 17:20] = body.bones_m[:, 17:20] @ np.array([[1, 0, 0], [0, 0.6, 0.8], [0, -0.8, 0.6]]).T
    assert sit_down(body, 25.0, np.random.default_rng(0))
    feet = body.joints_m()[:, 17:23, 2].reshape(-1, 2, 3)
    np.testing.assert_allclose(np.ptp(feet, axis=2), 0.0, atol=1e-6)
    heel_to_toe = body.joints_m()[:, 17] - body.joints_m()[:, 19]
    thigh = body.bones_m[:, H36M_25.index("LKnee")]
    assert ((heel_to_toe * thigh)[..., :2].sum(-1) > 0).all()  # toes point where the knees do
