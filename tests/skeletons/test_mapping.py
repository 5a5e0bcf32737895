import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.skeletons import BODY_25, COCO_17, H36M_17, Skeleton
from hyperlift.skeletons.mapping import mark_missing, to_h36m


def keypoints_of(skeleton: Skeleton, places: dict[str, tuple[float, float, float]]) -> np.ndarray:
    """Named joints at given places, all others missing."""
    keypoints = np.tile([np.nan, np.nan, 0.0], (len(skeleton), 1))
    for joint, place in places.items():
        keypoints[skeleton.index(joint)] = place
    return keypoints


def joint(pose: np.ndarray, name: str) -> list[float]:
    return pose[..., H36M_17.index(name), :].tolist()


UPRIGHT = {
    "RShoulder": (90.0, 200.0, 0.9),
    "LShoulder": (110.0, 200.0, 0.7),
    "RHip": (95.0, 300.0, 0.8),
    "LHip": (105.0, 300.0, 0.6),
    "REar": (96.0, 170.0, 0.5),
    "LEar": (104.0, 170.0, 0.4),
}


def test_coco_midpoints_by_hand():
    pose = to_h36m(keypoints_of(COCO_17, UPRIGHT), COCO_17)
    assert joint(pose, "Pelvis") == [100, 300, 0.6]
    assert joint(pose, "Thorax") == [100, 200, 0.7]
    assert joint(pose, "Spine") == [100, 250, 0.6]
    assert joint(pose, "RHip") == [95, 300, 0.8]
    # Ears at 170, neck at 200: 0.6 of 30 px further up.
    assert joint(pose, "Head") == pytest.approx([100, 152, 0.4])


def test_body25_has_its_own_neck_and_hips():
    places = {"Neck": (50.0, 10.0, 0.3), "MidHip": (60.0, 90.0, 0.2), "Nose": (5.0, 6.0, 0.7)}
    pose = to_h36m(keypoints_of(BODY_25, places), BODY_25)
    assert joint(pose, "Thorax") == [50, 10, 0.3]
    assert joint(pose, "Pelvis") == [60, 90, 0.2]
    assert joint(pose, "Spine") == [55, 50, 0.2]
    assert joint(pose, "Nose") == [5, 6, 0.7]


# The table of keypoint formats: Human3.6M joint -> index in COCO-17 and in BODY_25, typed in independently.
PLAIN = {
    "RHip": (12, 9),
    "RKnee": (14, 10),
    "RAnkle": (16, 11),
    "LHip": (11, 12),
    "LKnee": (13, 13),
    "LAnkle": (15, 14),
    "Nose": (0, 0),
    "LShoulder": (5, 5),
    "LElbow": (7, 6),
    "LWrist": (9, 7),
    "RShoulder": (6, 2),
    "RElbow": (8, 3),
    "RWrist": (10, 4),
}


@pytest.mark.parametrize(("skeleton", "column"), [(COCO_17, 0), (BODY_25, 1)])
def test_plain_joints_keep_their_place(skeleton: Skeleton, column: int):
    keypoints = np.random.default_rng(0).uniform(0.1, 1.0, (4, len(skeleton), 3))
    pose = to_h36m(keypoints, skeleton)
    for name, positions in PLAIN.items():
        np.testing.assert_array_equal(pose[:, H36M_17.index(name)], keypoints[:, positions[column]])


def test_missing_parent_makes_a_missing_midpoint():
    without_hip = {name: place for name, place in UPRIGHT.items() if name != "LHip"}
    pose = to_h36m(keypoints_of(COCO_17, without_hip), COCO_17)
    for name in ("Pelvis", "Spine", "LHip"):
        x, y, confidence = joint(pose, name)
        assert np.isnan([x, y]).all()
        assert confidence == 0


def test_head_falls_back_to_one_ear_then_to_the_eyes():
    profile = {name: place for name, place in UPRIGHT.items() if name != "LEar"}
    assert joint(to_h36m(keypoints_of(COCO_17, profile), COCO_17), "Head") == pytest.approx([93.6, 152, 0.5])
    no_ears = {name: place for name, place in profile.items() if name != "REar"}
    eyes = {**no_ears, "REye": (98.0, 165.0, 0.9), "LEye": (102.0, 165.0, 0.3)}
    assert joint(to_h36m(keypoints_of(COCO_17, eyes), COCO_17), "Head") == pytest.approx([100, 144, 0.3])
    assert np.isnan(joint(to_h36m(keypoints_of(COCO_17, no_ears), COCO_17), "Head")[:2]).all()


def test_mark_missing():
    keypoints = np.array(
        [
            [0.0, 0.0, 0.0],
            [0.0, 0.0, 0.9],
            [5.0, 6.0, 0.0],
            [5.0, 6.0, 1.7],
            [np.inf, 6.0, 1.0],
            [5.0, 0.0, 0.4],
        ]
    )
    cleaned = mark_missing(keypoints)
    np.testing.assert_array_equal(np.isnan(cleaned[:, 0]), [True, True, True, False, True, False])
    np.testing.assert_array_equal(cleaned[:, 2], [0, 0, 0, 1, 0, 0.4])
    assert np.isnan(mark_missing(keypoints, least_confidence=0.5)[5, 0])


def test_refuses_other_joint_sets():
    with pytest.raises(InputError, match="no way from skeleton hand to h36m17: it lacks RHip, RKnee"):
        to_h36m(np.zeros((1, 3)), Skeleton(name="hand", joints=("Thumb",), parent_of={}))
    with pytest.raises(InputError, match="17 keypoints a person; skeleton body25 has 25"):
        to_h36m(np.zeros((17, 3)), BODY_25)
