"""Feet and hands: the joints of ``H36M_25`` beyond those of ``H36M_17``.

``H36M_25`` begins with the joints of ``H36M_17``, so the joint count identifies the set, and an index below 17 means
the same joint in both.
"""

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Int
from hyperlift.skeletons.joint_sets import H36M_17, H36M_25
from hyperlift.skeletons.skeleton import Skeleton

CORE = slice(0, len(H36M_17))
"""The joints that both sets share."""

EXTREMITIES = H36M_25.joints[len(H36M_17) :]
"""Toes, heels and hands, in the order of ``H36M_25``."""

FEET, HANDS = EXTREMITIES[:6], EXTREMITIES[6:]

PARENTS_OF_EXTREMITIES: Int[np.ndarray, " extremities"] = np.array(H36M_25.parents[len(H36M_17) :])
"""Index of the ankle or wrist of each extremity."""


def body_skeleton(joints: int) -> Skeleton:
    """``H36M_17`` or ``H36M_25``, by the number of joints.

    Raises:
        InputError: neither set has this number of joints.
    """
    for skeleton in (H36M_17, H36M_25):
        if joints == len(skeleton):
            return skeleton
    raise InputError(f"{joints} joints; a body has {len(H36M_17)} ({H36M_17.name}) or {len(H36M_25)} ({H36M_25.name})")
