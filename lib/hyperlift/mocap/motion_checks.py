"""Plausibility checks for all motion files, before they enter a clip store."""

import logging
from dataclasses import replace
from itertools import pairwise

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.body_size import bone_lengths
from hyperlift.mocap.recording import Recording
from hyperlift.skeletons.joint_sets import H36M_17

FASTEST_ROOT_M_S = 15.0
"""Maximum speed of the pelvis: sprinters reach 12 m/s, and falls of a few metres stay below."""
SLOWEST_FPS, FASTEST_FPS = 5.0, 1000.0
"""Range of frame rates of motion capture; outside, the frame time has another unit than seconds."""
UNEQUAL_SIDES = 0.10
"""Maximum difference of limb lengths between sides: in CMU and UI-PRMD, legs differ by up to 2.8 %, arms by 8.3 %."""
LEG_M = (0.35, 1.35)
"""Range of thigh plus shank, from a small child to the tallest adult."""
USUAL_LEG_M = (0.45, 1.05)
"""Range of nearly all recorded people; preferred when the unit is inferred."""
_MIN_PART = 2
"""Minimum frames of a part: a velocity needs two."""
_LIMBS = {"leg": ("Hip", "Knee", "Ankle"), "arm": ("Shoulder", "Elbow", "Wrist")}

_LOG = logging.getLogger(__name__)


def plausible_parts(recording: Recording) -> list[Recording]:
    """Split a recording where its root jumps.

    Returns:
        One recording, or several named NAME.1, NAME.2 … where frames were left out.

    Raises:
        InputError: an impossible frame rate, legs of no person's length, sides of unequal length, or nothing is left.
    """
    if not SLOWEST_FPS <= recording.fps <= FASTEST_FPS:
        raise InputError(
            f"{recording.name}: {recording.fps:.4g} frames a second; expected {SLOWEST_FPS:g} to {FASTEST_FPS:g}: is "
            "its frame time in seconds?"
        )
    _check_limbs(recording)
    root_m = recording.joints_m[:, H36M_17.root].astype(np.float64)
    leaps = np.flatnonzero(np.linalg.norm(np.diff(root_m, axis=0), axis=-1) * recording.fps > FASTEST_ROOT_M_S)
    if not len(leaps):
        return [recording]
    borders = [0, *(int(leap) + 1 for leap in leaps), len(root_m)]
    parts = [slice(first, last) for first, last in pairwise(borders)]
    parts = [part for part in parts if part.stop - part.start >= _MIN_PART]
    if not parts:
        raise InputError(f"{recording.name}: its root leaps faster than {FASTEST_ROOT_M_S:g} m/s in every frame")
    kept = sum(part.stop - part.start for part in parts)
    _LOG.warning(
        "%s: the root leaps %d times faster than %g m/s; cut there into %d parts of %d of its %d frames",
        *(recording.name, len(leaps), FASTEST_ROOT_M_S, len(parts), kept, len(root_m)),
    )
    return [
        replace(recording, name=f"{recording.name}.{number}", joints_m=recording.joints_m[part])
        for number, part in enumerate(parts, start=1)
    ]


def _check_limbs(recording: Recording) -> None:
    lengths_m = dict(
        zip(H36M_17.bones, np.median(bone_lengths(recording.joints_m[:, : len(H36M_17)], H36M_17), axis=0), strict=True)
    )

    def length(side: str, joints: tuple[str, ...]) -> float:
        chain = [H36M_17.index(side + joint) for joint in joints]
        return float(sum(lengths_m[bone] for bone in pairwise(chain)))

    for limb, joints in _LIMBS.items():
        if {side + joint for side in "LR" for joint in joints} & set(recording.unmeasured):
            continue
        left, right = (length(side, joints) for side in "LR")
        if limb == "leg" and not LEG_M[0] < (left + right) / 2 < LEG_M[1]:
            raise InputError(
                f"{recording.name}: a leg is {(left + right) / 2:.3g} m long; is its unit of length right?"
            )
        if abs(left - right) > UNEQUAL_SIDES * max(left, right):
            raise InputError(
                f"{recording.name}: the left {limb} is {left:.3f} m long and the right one {right:.3f} m; mend the "
                "skeleton or leave it out"
            )
