"""One skeleton under the names of every program that writes motion: the same joints are found."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from bvh_person import random_angles, write_person

from hyperlift.errors import InputError
from hyperlift.mocap.bvh import read_bvh

_PLAIN = ("Hips", "Spine", "Neck", "Head", "Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot")


def sided(pattern: str, *names: str, left: str = "L", right: str = "R") -> dict[str, str]:
    """Names of the limbs by Mixamo's, with the side where the pattern has it."""
    return {
        word + limb: pattern.format(side=side, name=name)
        for word, side in (("Left", left), ("Right", right))
        for limb, name in zip(_PLAIN[4:], names, strict=True)
    }


def middle(*names: str) -> dict[str, str]:
    return dict(zip(_PLAIN[:4], names, strict=True))


_WORDS = {"left": "Left", "right": "Right"}
_SMALL = {"left": "l", "right": "r"}
CONVENTIONS: dict[str, Mapping[str, str]] = {
    "unreal": middle("pelvis", "spine_01", "neck_01", "head")
    | sided("{name}_{side}", "clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", **_SMALL),
    "unity": middle("Hips", "Spine", "Neck", "Head")
    | sided("{side}{name}", "Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot", **_WORDS),
    "vroid": middle("J_Bip_C_Hips", "J_Bip_C_Spine", "J_Bip_C_Neck", "J_Bip_C_Head")
    | sided("J_Bip_{side}_{name}", "Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot"),
    "rigify": middle("DEF-spine", "DEF-spine.001", "DEF-spine.004", "DEF-spine.006")
    | sided("DEF-{name}.{side}", "shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot"),
    "arkit": middle("hips_joint", "spine_1_joint", "neck_1_joint", "head_joint")
    | sided(
        *("{side}_{name}_joint", "shoulder_1", "arm", "forearm", "hand", "upLeg", "leg", "foot"),
        left="left",
        right="right",
    ),
    "kinect": middle("SpineBase", "SpineMid", "Neck", "Head")
    | sided("{name}{side}", "Clavicle", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", **_WORDS),
    "optitrack": middle("Hip", "Ab", "Neck", "Head")
    | sided("{side}{name}", "Shoulder", "UArm", "FArm", "Hand", "Thigh", "Shin", "Foot"),
    "daz": middle("hip", "abdomenLower", "neckLower", "head")
    | sided("{side}{name}", "Collar", "ShldrBend", "ForearmBend", "Hand", "ThighBend", "Shin", "Foot", **_SMALL),
    "mmd": middle("センター", "上半身", "首", "頭")
    | sided("{side}{name}", "肩", "腕", "ひじ", "手首", "足", "ひざ", "足首", left="左", right="右"),
    "smpl": middle("Pelvis", "Spine1", "Neck", "Head")
    | sided("{side}_{name}", "Collar", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"),
    "biped": middle("Bip01", "Bip01 Spine", "Bip01 Neck", "Bip01 Head")
    | sided("Bip01 {side} {name}", "Clavicle", "UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot"),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_conventions(tmp_path: Path, convention: str):
    angles, names = random_angles(), CONVENTIONS[convention]
    write_person(tmp_path / "plain.bvh", angles)
    write_person(tmp_path / "other.bvh", angles, rename=lambda name: names[name])
    plain, other = read_bvh(tmp_path / "plain.bvh"), read_bvh(tmp_path / "other.bvh")
    np.testing.assert_allclose(other.joints_m, plain.joints_m, atol=1e-6)


def test_a_neck_that_is_not_there_is_between_the_shoulders(tmp_path: Path):
    angles = random_angles()
    write_person(tmp_path / "plain.bvh", angles)
    write_person(tmp_path / "other.bvh", angles, rename=lambda name: {"Neck": "Throat"}.get(name, name))
    plain, other = read_bvh(tmp_path / "plain.bvh"), read_bvh(tmp_path / "other.bvh")
    joint = plain.skeleton.index
    middle_m = (other.joints_m[:, joint("LShoulder")] + other.joints_m[:, joint("RShoulder")]) / 2
    np.testing.assert_allclose(other.joints_m[:, joint("Thorax")], middle_m, atol=1e-6)
    np.testing.assert_allclose(other.joints_m[:, joint("Head")], plain.joints_m[:, joint("Head")], atol=1e-6)


def test_a_head_that_is_not_there_is_the_end_of_the_neck(tmp_path: Path):
    angles = random_angles()
    write_person(tmp_path / "plain.bvh", angles)
    write_person(tmp_path / "other.bvh", angles, rename=lambda name: {"Head": "Cranium"}.get(name, name))
    plain, other = read_bvh(tmp_path / "plain.bvh"), read_bvh(tmp_path / "other.bvh")
    np.testing.assert_allclose(other.joints_m, plain.joints_m, atol=1e-6)


def test_a_map_of_names(tmp_path: Path):
    angles = random_angles()
    write_person(tmp_path / "plain.bvh", angles)
    german = {"LeftLeg": "Unterschenkel_L", "RightLeg": "Unterschenkel_R"}
    write_person(tmp_path / "other.bvh", angles, rename=lambda name: german.get(name, name))
    with pytest.raises(InputError, match="no joint for RKnee, LKnee"):
        read_bvh(tmp_path / "other.bvh")
    mapped = {"LKnee": "Unterschenkel_L", "RKnee": "Unterschenkel_R"}
    other = read_bvh(tmp_path / "other.bvh", joint_map=mapped)
    np.testing.assert_allclose(other.joints_m, read_bvh(tmp_path / "plain.bvh").joints_m, atol=1e-6)
    with pytest.raises(InputError, match="Tail is no joint of a body here"):
        read_bvh(tmp_path / "other.bvh", joint_map={"Tail": "Hips"})
    with pytest.raises(InputError, match="no joint for Knie"):
        read_bvh(tmp_path / "other.bvh", joint_map={"LKnee": "Knie"})
