"""Joint names as people spell them."""

import pytest

from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.skeletons.spellings import skeleton_from_names

LIMBS = [side + joint for side in "LR" for joint in ("Hip", "Knee", "Ankle", "Shoulder", "Elbow")]


@pytest.mark.parametrize("hands", [("LHand", "RHand"), ("left_hand", "right_hand"), ("hand.L", "hand.R")])
def test_a_hand_is_a_wrist_where_no_wrist_is_named(hands: tuple[str, str]):
    skeleton = skeleton_from_names(["nose", *LIMBS, *hands], "a.csv")
    assert skeleton.joints[-2:] == ("LWrist", "RWrist")


def test_a_hand_beside_a_wrist_is_a_hand():
    names = [*COCO_17.joints, "LHand", "RHand"]
    assert skeleton_from_names(names, "a.csv").joints[-2:] == ("LHand", "RHand")
