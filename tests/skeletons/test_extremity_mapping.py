"""Feet and hands out of the joint sets of detectors, compared with values worked out by hand."""

import numpy as np
import pytest

from hyperlift.skeletons.extremities import EXTREMITIES, FEET
from hyperlift.skeletons.extremity_mapping import extremities_of, to_h36m_25
from hyperlift.skeletons.joint_sets import (
    BODY_25,
    COCO_17,
    COCO_WHOLEBODY_133,
    H36M_17,
    H36M_25,
    HALPE_26,
    HALPE_136,
    MEDIAPIPE_33,
)
from hyperlift.skeletons.mapping import to_h36m
from hyperlift.skeletons.skeleton import Skeleton


def keypoints_of(skeleton: Skeleton, **places: tuple[float, float, float]) -> np.ndarray:
    """Named joints at given places, all others missing."""
    keypoints = np.tile([np.nan, np.nan, 0.0], (len(skeleton), 1))
    for joint, place in places.items():
        keypoints[skeleton.index(joint)] = place
    return keypoints


def at(body: np.ndarray, joint: str) -> list[float]:
    return body[..., H36M_25.index(joint), :].tolist()


def missing(body: np.ndarray, joint: str) -> bool:
    x, y, confidence = at(body, joint)
    return np.isnan(x) and np.isnan(y) and confidence == 0


def test_the_first_joints_are_the_seventeen_and_sides_are_pairs():
    assert H36M_25.joints[:17] == H36M_17.joints
    assert H36M_25.parents[:17] == H36M_17.parents
    assert H36M_25.joints[17:] == EXTREMITIES
    assert len(H36M_25.bones) == 24
    left, right = H36M_25.index("LHeel"), H36M_25.index("RHeel")
    assert (left, right) == (19, 22)
    assert H36M_25.mirror[left] == right
    assert H36M_25.mirror[H36M_25.index("LHand")] == H36M_25.index("RHand") == 24
    assert H36M_25.joints[H36M_25.parents[left]] == "LAnkle"
    assert H36M_25.name != BODY_25.name


@pytest.mark.parametrize("skeleton", [BODY_25, HALPE_26, HALPE_136, COCO_WHOLEBODY_133], ids=lambda s: s.name)
def test_feet_are_taken_by_name(skeleton):
    keypoints = keypoints_of(skeleton, LBigToe=(1, 2, 0.5), RSmallToe=(3, 4, 0.25), RHeel=(5, 6, 1))
    body = to_h36m_25(keypoints, skeleton)
    assert at(body, "LBigToe") == [1, 2, 0.5]
    assert at(body, "RSmallToe") == [3, 4, 0.25]
    assert at(body, "RHeel") == [5, 6, 1]
    assert missing(body, "LHeel")
    assert missing(body, "LHand")


@pytest.mark.parametrize("skeleton", [HALPE_136, COCO_WHOLEBODY_133], ids=lambda s: s.name)
def test_a_hand_is_between_two_knuckles_and_else_the_middle_one(skeleton):
    keypoints = keypoints_of(
        skeleton,
        LHand5=(10, 20, 0.9),
        LHand17=(20, 40, 0.5),
        LHand9=(99, 99, 1),
        RHand5=(1, 1, 1),
        RHand9=(7, 8, 0.75),
    )
    body = to_h36m_25(keypoints, skeleton)
    assert at(body, "LHand") == [15, 30, 0.5]
    assert at(body, "RHand") == [7, 8, 0.75]  # its little knuckle is not seen


def test_blazepose_has_no_small_toe():
    keypoints = keypoints_of(
        MEDIAPIPE_33,
        RFootIndex=(4, 5, 0.5),
        RHeel=(1, 5, 0.25),
        RIndex=(10, 0, 1),
        RPinky=(20, 10, 0.5),
        LIndex=(3, 3, 1),
    )
    body = to_h36m_25(keypoints, MEDIAPIPE_33)
    assert at(body, "RBigToe") == [4, 5, 0.5]
    assert at(body, "RHeel") == [1, 5, 0.25]
    assert at(body, "RHand") == [15, 5, 0.5]
    assert missing(body, "RSmallToe")
    assert missing(body, "LHand")  # of two knuckles one is not seen
    assert [point for point in EXTREMITIES if point not in extremities_of(MEDIAPIPE_33)] == ["LSmallToe", "RSmallToe"]


def test_joint_sets_without_feet_leave_them_missing():
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(1, 2, (5, len(COCO_17), 3))
    body = to_h36m_25(keypoints, COCO_17)
    np.testing.assert_array_equal(body[:, :17], to_h36m(keypoints, COCO_17))
    assert np.isnan(body[:, 17:, :2]).all()
    assert not body[:, 17:, 2].any()
    assert extremities_of(COCO_17) == ()
    assert extremities_of(BODY_25) == extremities_of(HALPE_26) == FEET


def test_a_body_of_25_joints_stays_what_it_is():
    body = np.random.default_rng(1).uniform(1, 2, (3, 25, 3))
    np.testing.assert_array_equal(to_h36m_25(body, H36M_25), body)
