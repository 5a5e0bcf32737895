"""Joint names in files, in any spelling: ``left_hip``, ``L-Hip``, ``hipLeft`` and ``LHip`` are the same joint."""

import re
from collections.abc import Sequence

from hyperlift.errors import InputError
from hyperlift.skeletons.joint_sets import SKELETONS
from hyperlift.skeletons.mapping import missing_joints
from hyperlift.skeletons.skeleton import Skeleton

_MAX_LISTED_NAMES = 40
"""Joint names that a message lists. Chosen: every body without fingers and face."""

_SIDED = (
    *("Hip", "Knee", "Ankle", "Shoulder", "Elbow", "Wrist", "Eye", "Ear", "BigToe", "SmallToe", "Heel"),
    *("EyeInner", "EyeOuter", "Mouth", "Pinky", "Index", "Thumb", "FootIndex"),
)
_MIDDLE = {
    **{"nose": "Nose", "neck": "Neck", "upperneck": "UpperNeck", "thorax": "Thorax", "spine": "Spine"},
    **{"pelvis": "Pelvis", "root": "Pelvis", "midhip": "MidHip", "hip": "Hip"},
    **{"headtop": "HeadTop", "topofhead": "HeadTop", "tophead": "HeadTop", "head": "Head"},
}
# The full_human model of DeepLabCut has the joints of MPII; the suffix 1 means right, 2 means left.
_NUMBERED = {"chin": "UpperNeck", "forehead": "HeadTop"} | {
    f"{joint.lower()}{number}": side + joint
    for joint in ("Ankle", "Knee", "Hip", "Wrist", "Elbow", "Shoulder")
    for number, side in ((1, "R"), (2, "L"))
}
_SPELLINGS = (
    _MIDDLE
    | _NUMBERED
    | {
        spelling: side[0].upper() + joint
        for joint in _SIDED
        for side in ("left", "right")
        for sign in (side, side[0])
        for spelling in (sign + joint.lower(), joint.lower() + sign)
    }
)

_HANDS = {"L": ("lhand", "lefthand", "handl", "handleft"), "R": ("rhand", "righthand", "handr", "handright")}
"""Names of hands, which stand for the wrist if the file has no wrist."""


def canonical_joint(name: str) -> str | None:
    """The library's name of a joint; None for a joint that is unknown.

    Case, ``_``, ``-``, ``.`` and spaces are ignored; the side is ``left``/``l`` or ``right``/``r``, as a prefix or a
    suffix.
    """
    return _SPELLINGS.get(_normalised(name))


def _normalised(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def skeleton_from_names(names: Sequence[str], where: str) -> Skeleton:
    """The joint set of a file that contains joint names: a known one if all names match, else a new one.

    Args:
        names: in the order of the file.
        where: the file, for messages.

    Raises:
        InputError: joints that lifting needs are absent, or two names mean the same joint.
    """
    joints = tuple(canonical_joint(name) or name for name in names)
    hands = {hand: f"{side}Wrist" for side, hands in _HANDS.items() for hand in hands if f"{side}Wrist" not in joints}
    joints = tuple(hands.get(_normalised(joint), joint) for joint in joints)
    for known in SKELETONS.values():
        # Unknown names (fingers, face points) are ignored: files name them differently.
        ours = [joint if joint in _SPELLINGS.values() else None for joint in known.joints]
        theirs = [joint if joint in _SPELLINGS.values() else None for joint in joints]
        if ours == theirs:
            return known
    twice = sorted({joint for joint in joints if joints.count(joint) > 1})
    if twice:
        same = ", ".join(name for name, joint in zip(names, joints, strict=True) if joint == twice[0])
        raise InputError(f"{where}: {same} all mean the joint {twice[0]}; keep one of them")
    skeleton = Skeleton(name="named", joints=joints, parent_of={})
    lacking = missing_joints(skeleton)
    if lacking:
        raise InputError(
            f"{where}: no joint is called {', '.join(lacking)}; its joints are {_listed(names)}. "
            "Rename them: left_hip, L-Hip and LHip are all understood"
        )
    return skeleton


def _listed(names: Sequence[str]) -> str:
    shown = names[:_MAX_LISTED_NAMES]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")
