"""Finds joints of a motion file by the naming conventions of animation programs.

Each row of ``LIMB_NAMES`` holds the names of one joint; ``tests/mocap/test_joint_names.py`` has a skeleton of every
convention: Mixamo, Unreal, Unity and VRoid, Rigify, ARKit, Kinect, OptiTrack, Daz, MMD, SMPL, CMU.
"""

import re
from collections.abc import Mapping, Sequence

from hyperlift.errors import InputError
from hyperlift.mocap.bvh_file import END_SUFFIX, BvhMotion, not_a_motion_of_a_person

LIMB_NAMES = {
    "Hip": (
        *("{side}UpLeg", "{side}UpperLeg", "{s}UpperLeg", "{side}Thigh", "{s}Thigh", "{s}ThighBend"),
        *("{side}Hip", "{s}Hip", "{s}femur"),
    ),
    "Knee": (
        *("{side}Leg", "{side}LowLeg", "{side}LowerLeg", "{s}LowerLeg", "{side}Shin", "{s}Shin", "{side}Calf"),
        *("{s}Calf", "{side}Knee", "{s}Knee", "{s}Leg", "{s}tibia"),
    ),
    "Ankle": ("{side}Ankle", "{s}Ankle", "{side}Foot", "{s}Foot"),
    "Shoulder": (
        *("{side}Arm", "{side}UpArm", "{side}UpperArm", "{s}UpperArm", "{s}UArm", "{s}Shldr", "{s}ShldrBend"),
        *("{s}Arm", "{s}humerus", "{side}Shoulder", "{s}Shoulder"),
    ),
    "Elbow": (
        *("{side}ForeArm", "{s}ForeArm", "{s}ForeArmBend", "{s}FArm", "{side}LowArm", "{side}LowerArm"),
        *("{s}LowerArm", "{side}Elbow", "{s}Elbow", "{s}radius"),
    ),
    "Wrist": ("{side}Wrist", "{s}Wrist", "{side}Hand", "{s}Hand"),
}
"""Names of the joints of the limbs, best first, with ``{side}`` for left or right and ``{s}`` for l or r: a
RightShoulder is the collar where there is a RightArm, and SMPL's L_Foot and L_Hand lie beyond L_Ankle and L_Wrist."""
NECK_NAMES = ("Neck", "LowerNeck", "NeckLower", "Neck0", "Neck01", "NeckBase", "Neck1", "spine004")
"""``spine004`` is the neck of Blender's Rigify, ``spine006`` its head."""
HEAD_NAMES = ("Head", "spine006")
MMD_NAMES = {
    **{"首": "Neck", "頭": "Head"},
    **{
        side + name: word + joint
        for side, word in (("左", "Left"), ("右", "Right"))
        for name, joint in (
            *(("足首", "Foot"), ("ひざ", "Leg"), ("足", "UpLeg"), ("手首", "Hand"), ("ひじ", "ForeArm"), ("腕", "Arm")),
        )
    },
}
"""Names of MikuMikuDance, mapped to those of Mixamo."""
_PREFIX = re.compile(r"^(mixamorig\d*|bip0*1|jbipc?|c(?=neck|head)|def|org)(?=.)")
"""Prefixes of Mixamo, 3ds Max Biped, VRoid and Rigify, after removal of all but letters and digits."""
_SUFFIX = re.compile(r"(?<=.)joint$")
"""Suffix of ARKit, such as left_upLeg_joint."""
_WORDS = {"R": ("right", "r"), "L": ("left", "l"), "": ("", "")}


def find_joints(motion: BvhMotion, joint_map: Mapping[str, str] | None = None) -> dict[str, int]:
    """Indices of the limbs' joints under their Human3.6M names, and of "Neck", "Skull" and "Crown".

    "Skull" is the joint that turns the head, "Crown" the end of the head, or "Skull" once more where the file has none.
    Where a file has a neck and no head, the head is the end of the chain that goes on from the neck; where it has a
    head and no neck, "Neck" is left out.

    Args:
        motion: of one person.
        joint_map: the file's name by ours; it goes before what is known of conventions.

    Raises:
        InputError: a joint is missing, or two of ours are one of the file's.
    """
    names, bare = motion.tree.names, _bare(motion.tree.names)
    found = {side + limb: _first(bare, known, side) for side in "RL" for limb, known in LIMB_NAMES.items()}
    found |= {"Neck": _first(bare, NECK_NAMES), "Skull": _first(bare, HEAD_NAMES)}
    found |= _mapped(motion, joint_map or {}, (*found, "Crown"))
    joints = {joint: index for joint, index in found.items() if index is not None}
    if "Skull" not in joints and "Neck" in joints:
        joints["Skull"] = _end_of_neck(motion, joints["Neck"])
    missing = [joint for joint in found if joint not in joints and joint != "Neck"]
    if missing:
        raise not_a_motion_of_a_person(motion.path, missing, names)
    own = {joint: index for joint, index in joints.items() if joint not in ("Neck", "Crown")}
    if len(set(own.values())) < len(own):
        doubled = [j for j, index in own.items() if list(own.values()).count(index) > 1]
        raise not_a_motion_of_a_person(motion.path, doubled, names)
    if "Crown" not in joints:
        children = [i for i, parent in enumerate(motion.tree.parents) if parent == joints["Skull"]]
        ends = [i for i in children if names[i].endswith(END_SUFFIX) or re.search("end|top|nub", bare[i])]
        joints["Crown"] = (ends or [joints["Skull"]])[0]
    return joints


def _bare(names: Sequence[str]) -> list[str]:
    """Letters and digits of each name, without common prefixes and suffixes."""
    # Some programs write the name of the character before every joint: Character1_LeftArm.
    named = [MMD_NAMES.get(name, name).rpartition(":")[2] for name in names]
    character = _shared_start(named)
    bare = [re.sub(r"[^a-z0-9]", "", name[character:].lower()) for name in named]
    return [_SUFFIX.sub("", _PREFIX.sub("", name)) for name in bare]


def _first(bare: Sequence[str], candidates: Sequence[str], side: str = "") -> int | None:
    words = _WORDS[side]
    for candidate in candidates:
        stem = candidate.lower().format(side=words[0], s=words[1])
        # Blender, Unreal and Kinect write the side last: upper_arm.L, thigh_r, HipLeft.
        alone = candidate.lower().format(side="", s="")
        for name in (stem, alone + words[1], alone + words[0]) if side else (stem,):
            if name in bare:
                return bare.index(name)
    return None


def _mapped(motion: BvhMotion, joint_map: Mapping[str, str], known: Sequence[str]) -> dict[str, int]:
    strange = [joint for joint in joint_map if joint not in known]
    if strange:
        raise InputError(f"`joint_map`: {strange[0]} is no joint of a body here; choose from {', '.join(known)}")
    absent = [name for name in joint_map.values() if name not in motion.tree.names]
    if absent:
        raise not_a_motion_of_a_person(motion.path, absent, motion.tree.names)
    return {joint: motion.tree.names.index(name) for joint, name in joint_map.items()}


def _end_of_neck(motion: BvhMotion, neck: int) -> int:
    """The last joint of the chain from the neck, without its end site."""
    at = neck
    while True:
        onward = [
            i
            for i, parent in enumerate(motion.tree.parents)
            if parent == at and not motion.tree.names[i].endswith(END_SUFFIX)
        ]
        if len(onward) != 1:
            return at
        at = onward[0]


def _shared_start(names: list[str]) -> int:
    """Length of the common prefix of all names."""
    pairs = zip(min(names), max(names), strict=False)
    return next((count for count, (a, b) in enumerate(pairs) if a != b), min(map(len, names)))
