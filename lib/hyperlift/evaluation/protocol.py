"""Evaluation protocols as data: scored frames and joints, and the averaging. Results depend on the protocol."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hyperlift.choices import Mean, Slicing
from hyperlift.skeletons.joint_sets import MPI_INF_3DHP_17


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """All settings of an evaluation besides data and lifter."""

    name: str
    excluded: tuple[str, ...] = ()
    """Excluded sequences, without camera: ``s_09_act_05_subact_02`` excludes the videos of all cameras."""
    mean: Mean = "action"
    """frame: mean over all frames. action: mean over actions of their means over frames."""
    flip: bool = True
    """Average the prediction with that for the mirrored input, mirrored back."""
    gt_2d: bool = False
    """Use exact projections with confidence 1 as input, instead of detections."""
    given_2d: str = "detections"
    """Source of the 2D joints, for the report."""
    slicing: Slicing | None = None
    """Slicing of test videos into windows; None: that of the data."""
    correct_joints: tuple[str, ...] = ()
    """Joints of PCK and AUC; empty: all joints."""
    group: str = "action"
    """Name of an action in reports."""

    def excludes(self, source: str) -> bool:
        """Whether a video belongs to an excluded sequence."""
        return any(source == sequence or source.startswith(f"{sequence}_") for sequence in self.excluded)


HUMAN36M = Protocol(
    name="Human3.6M",
    excluded=("s_09_act_05_subact_02", "s_09_act_10_subact_02", "s_09_act_13_subact_01"),
)
"""Protocols 1 and 2 without the three sequences whose annotations are shifted."""

MOCAP = Protocol(name="motion capture")
"""The protocol of Human3.6M without exclusions; the action is the group of a motion."""

MPI_INF_3DHP = Protocol(
    name="MPI-INF-3DHP",
    mean="frame",
    group="sequence",
    given_2d="annotated 2D joints",
    correct_joints=tuple(name for name in MPI_INF_3DHP_17.joints if name not in ("Pelvis", "Spine", "Head")),
)
"""Mehta et al. 2017: PCK, AUC and MPJPE on the valid frames of TS1 to TS6, root at 0, mean over all valid frames. PCK
and AUC count the fourteen joints of the data set's own evaluation; errors in millimetres are over all 17 joints, as
video lifters report them."""

_HUMAN36M_SOURCE = re.compile(r"s_\d+_act_\d+_subact_\d+")


def protocol_for(sources: Iterable[str]) -> Protocol:
    """The protocol of Human3.6M if videos have its names, else ``MOCAP``."""
    return HUMAN36M if any(_HUMAN36M_SOURCE.match(source) for source in sources) else MOCAP
