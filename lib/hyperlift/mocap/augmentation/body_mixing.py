"""Transfers arms, head and legs of one motion to the body of another."""

import numpy as np

from hyperlift.geometry.rotations import unit
from hyperlift.mocap.augmentation.body_frames import MovingBody, above
from hyperlift.shapes import Int
from hyperlift.skeletons.joint_sets import H36M_25

_ALL = len(H36M_25)
_ARMS_AND_HEAD = np.concatenate([above("Nose", _ALL), above("LShoulder", _ALL), above("RShoulder", _ALL)])
_ARM = {"L": above("LShoulder", _ALL), "R": above("RShoulder", _ALL)}
_LEG = {"L": above("LKnee", _ALL), "R": above("RKnee", _ALL)}


def _names(*parts: Int[np.ndarray, " part"]) -> frozenset[str]:
    return frozenset(H36M_25.joints[joint] for part in parts for joint in part)


ARMS_AND_HEAD = _names(_ARMS_AND_HEAD)
"""Joints that ``carry_arms_and_head`` takes from the donor, including hands."""
ARMS = _names(*_ARM.values())
LEGS = _names(*_LEG.values())
"""Joints of the legs, including feet."""


def carry_arms_and_head(body: MovingBody, donor: MovingBody) -> None:
    """Transfer the arms and head of another body, relative to the thorax."""
    _carry(body, donor, body.thorax_axes(), donor.thorax_axes(), _ARMS_AND_HEAD)


def carry_arm(body: MovingBody, donor: MovingBody, side: str) -> None:
    """Transfer one arm ("L" or "R") of another body, relative to the thorax."""
    _carry(body, donor, body.thorax_axes(), donor.thorax_axes(), _ARM[side])


def carry_legs(body: MovingBody, donor: MovingBody, sides: str) -> None:
    """Transfer legs ("L", "R" or "LR") of another body, relative to the pelvis."""
    joints = np.concatenate([_LEG[side] for side in sides])
    _carry(body, donor, body.pelvis_axes(), donor.pelvis_axes(), joints)


def _carry(
    body: MovingBody, donor: MovingBody, to: np.ndarray, of: np.ndarray, joints: Int[np.ndarray, " part"]
) -> None:
    joints = joints[joints < len(body.lengths_m)]
    turn = to @ of.transpose(0, 2, 1)
    bones = unit(donor.bones_m[:, joints]) @ turn.transpose(0, 2, 1)
    body.bones_m[:, joints] = bones * body.lengths_m[joints, None]
