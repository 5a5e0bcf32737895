"""Evaluation protocols as data: what is scored and how it is averaged. Numbers differ by protocol."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hyperlift.choices import Mean
from hyperlift.datasets.slicing import Slicing
from hyperlift.skeletons.joint_sets import MPI_INF_3DHP_17


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Everything beside the data and the lifter that changes a number."""

    name: str
    excluded: tuple[str, ...] = ()
    """Sequences that are not scored, without camera: ``s_09_act_05_subact_02`` stands for all its videos."""
    mean: Mean = "action"
    """Over all frames, or over the actions' means over frames."""
    flip: bool = True
    """Average with the mirrored input's mirrored output."""
    gt_2d: bool = False
    """Lift exact projections with confidence 1 instead of detections."""
    given_2d: str = "detections"
    """What the 2D joints of the data are, for the report."""
    slicing: Slicing | None = None
    """How test videos are cut; None takes the cut of the data."""
    correct_joints: tuple[str, ...] = ()
    """The joints that PCK and AUC count; none named: all of the skeleton."""
    group: str = "action"
    """What an action is called in a report."""

    def excludes(self, source: str) -> bool:
        """Whether a video belongs to an excluded sequence; names are compared whole."""
        return any(source == sequence or source.startswith(f"{sequence}_") for sequence in self.excluded)


HUMAN36M = Protocol(
    name="Human3.6M",
    excluded=("s_09_act_05_subact_02", "s_09_act_10_subact_02", "s_09_act_13_subact_01"),
)
"""Protocols 1 and 2 without the three sequences whose annotations are shifted."""

MOCAP = Protocol(name="motion capture")
"""The same on other data, where the action is the motion group."""

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
    """Human3.6M's protocol where videos are named as Human3.6M's, else the one without exclusions."""
    return HUMAN36M if any(_HUMAN36M_SOURCE.match(source) for source in sources) else MOCAP
