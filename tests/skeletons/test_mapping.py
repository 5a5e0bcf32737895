import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.skeletons.joint_sets import (
    BODY_25,
    COCO_17,
    COCO_18,
    COCO_WHOLEBODY_133,
    H36M_17,
    HALPE_26,
    HALPE_136,
    MEDIAPIPE_33,
    MPII_16,
)
from hyperlift.skeletons.mapping import LIMBS, mark_missing, to_h36m
from hyperlift.skeletons.skeleton import Skeleton


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


# The table of keypoint formats: Human3.6M joint -> indices whose mean it is, typed in independently, by number.
TABLE: dict[str, tuple[Skeleton, list[tuple[int, ...]]]] = {
    # Pelvis, RHip, RKnee, RAnkle, LHip, LKnee, LAnkle, Thorax, Nose, LShoulder … LWrist, RShoulder … RWrist
    "COCO-17": (
        COCO_17,
        [(11, 12), (12,), (14,), (16,), (11,), (13,), (15,), (5, 6), (0,), (5,), (7,), (9,), (6,), (8,), (10,)],
    ),
    "COCO-WholeBody": (
        COCO_WHOLEBODY_133,
        [(11, 12), (12,), (14,), (16,), (11,), (13,), (15,), (5, 6), (0,), (5,), (7,), (9,), (6,), (8,), (10,)],
    ),
    "Halpe-26": (
        HALPE_26,
        [(19,), (12,), (14,), (16,), (11,), (13,), (15,), (18,), (0,), (5,), (7,), (9,), (6,), (8,), (10,)],
    ),
    "Halpe-136": (
        HALPE_136,
        [(19,), (12,), (14,), (16,), (11,), (13,), (15,), (18,), (0,), (5,), (7,), (9,), (6,), (8,), (10,)],
    ),
    "BODY_25": (
        BODY_25,
        [(8,), (9,), (10,), (11,), (12,), (13,), (14,), (1,), (0,), (5,), (6,), (7,), (2,), (3,), (4,)],
    ),
    "COCO-18": (
        COCO_18,
        [(8, 11), (8,), (9,), (10,), (11,), (12,), (13,), (1,), (0,), (5,), (6,), (7,), (2,), (3,), (4,)],
    ),
    "MediaPipe-33": (
        MEDIAPIPE_33,
        [(23, 24), (24,), (26,), (28,), (23,), (25,), (27,), (11, 12), (0,)]
        + [(11,), (13,), (15,), (12,), (14,), (16,)],
    ),
    "MPII-16": (
        MPII_16,
        [(6,), (2,), (1,), (0,), (3,), (4,), (5,), (7,), (8,), (13,), (14,), (15,), (12,), (11,), (10,)],
    ),
}
HEAD = {"Halpe-26": 17, "Halpe-136": 17, "MPII-16": 9}
EARS = {"COCO-17": (3, 4), "COCO-WholeBody": (3, 4), "BODY_25": (17, 18), "COCO-18": (16, 17), "MediaPipe-33": (7, 8)}


@pytest.mark.parametrize("name", TABLE)
def test_every_joint_set_by_number(name: str):
    skeleton, parents = TABLE[name]
    keypoints = np.random.default_rng(0).uniform(0.1, 1.0, (4, len(skeleton), 3))
    pose = to_h36m(keypoints, skeleton)
    at = [joint for joint in range(17) if H36M_17.joints[joint] not in ("Spine", "Head")]
    for joint, numbers in zip(at, parents, strict=True):
        np.testing.assert_allclose(pose[:, joint, :2], keypoints[:, numbers, :2].mean(1))
        np.testing.assert_array_equal(pose[:, joint, 2], keypoints[:, numbers, 2].min(1))
    pelvis, spine, thorax, head = (pose[:, joint] for joint in (0, 7, 8, 10))
    np.testing.assert_allclose(spine[:, :2], (pelvis + thorax)[:, :2] / 2)
    np.testing.assert_array_equal(spine[:, 2], np.minimum(pelvis, thorax)[:, 2])
    if name in HEAD:
        np.testing.assert_array_equal(head, keypoints[:, HEAD[name]])
    else:
        ears = keypoints[:, EARS[name]]
        expected = ears[..., :2].mean(1) + 0.6 * (ears[..., :2].mean(1) - thorax[:, :2])
        np.testing.assert_allclose(head[:, :2], expected)
        np.testing.assert_array_equal(head[:, 2], np.minimum(ears[..., 2].min(1), thorax[:, 2]))


def test_human36m_maps_onto_itself():
    keypoints = np.random.default_rng(0).uniform(0.1, 1.0, (4, 17, 3))
    np.testing.assert_array_equal(to_h36m(keypoints, H36M_17), keypoints)


def test_a_joint_set_without_nose_or_head_leaves_them_missing():
    limbs = (*LIMBS, "Head")
    pose = to_h36m(np.full((len(limbs), 3), 0.5), Skeleton(name="mine", joints=limbs, parent_of={}))
    assert np.isnan(joint(pose, "Nose")[:2]).all()
    assert np.isfinite(np.delete(pose, H36M_17.index("Nose"), axis=0)).all()


# Counts and a few places of the larger sets, from their published tables.
def test_larger_joint_sets():
    assert [len(s) for s in (HALPE_26, HALPE_136, COCO_WHOLEBODY_133, MEDIAPIPE_33, MPII_16)] == [26, 136, 133, 33, 16]
    assert HALPE_26.indices(["Head", "LBigToe", "RSmallToe", "RHeel"]) == [17, 20, 23, 25]
    assert HALPE_136.indices(["Face0", "Face67", "LHand0", "RHand0", "RHand20"]) == [26, 93, 94, 115, 135]
    assert COCO_WHOLEBODY_133.indices(["LHeel", "RBigToe", "Face0", "LHand0", "RHand20"]) == [19, 20, 23, 91, 132]
    assert MEDIAPIPE_33.indices(["REyeOuter", "RMouth", "LPinky", "RThumb", "RFootIndex"]) == [6, 10, 17, 22, 32]
    for skeleton in (COCO_18, HALPE_26, MEDIAPIPE_33, MPII_16):
        middle = [j for j, m in zip(skeleton.joints, skeleton.mirror, strict=True) if skeleton.index(j) == m]
        assert not any(j[0] in "LR" for j in middle)


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
    assert np.isnan(mark_missing(keypoints, min_confidence=0.5)[5, 0])


def test_refuses_other_joint_sets():
    with pytest.raises(InputError, match="skeleton hand cannot be mapped to h36m17: it lacks RHip, RKnee"):
        to_h36m(np.zeros((1, 3)), Skeleton(name="hand", joints=("Thumb",), parent_of={}))
    with pytest.raises(InputError, match="17 keypoints a person; skeleton body25 has 25"):
        to_h36m(np.zeros((17, 3)), BODY_25)
