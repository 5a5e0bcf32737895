"""MPI-INF-3DHP's protocol (Mehta et al. 2017): PCK, AUC and MPJPE on the valid frames of TS1 to TS6, root at 0.

PCK and AUC count the fourteen joints of the data set's own evaluation: head top, neck, and shoulders, elbows, wrists,
hips, knees and ankles of both sides; not pelvis, spine and head. The errors in millimetres are over all 17 joints, as
video lifters report them. The mean is over all valid frames.
"""

from hyperlift.evaluation.protocol import Protocol
from hyperlift.skeletons import MPI_INF_3DHP_17

_NOT_COUNTED = ("Pelvis", "Spine", "Head")

MPI_INF_3DHP = Protocol(
    name="MPI-INF-3DHP",
    mean="frame",
    group="sequence",
    given_2d="annotated 2D joints",
    correct_joints=tuple(joint for joint in MPI_INF_3DHP_17.joints if joint not in _NOT_COUNTED),
)
