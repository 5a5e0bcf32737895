"""Rotations, forward kinematics, what rotations joints show, joint limits, and the fit of rigid bones to a motion."""

from hyperlift.kinematics.fit import Axes, FitReport, FittedMotion, fit_motion
from hyperlift.kinematics.forward import absolute_rotations, forward_kinematics, relative_rotations
from hyperlift.kinematics.limits import BODY_LIMITS, JointLimits, read_limits
from hyperlift.kinematics.observed import rotations_from_joints
from hyperlift.kinematics.rest import REST_DIRECTIONS, person_lengths, rest_offsets

__all__ = [
    "BODY_LIMITS",
    "REST_DIRECTIONS",
    "Axes",
    "FitReport",
    "FittedMotion",
    "JointLimits",
    "absolute_rotations",
    "fit_motion",
    "forward_kinematics",
    "person_lengths",
    "read_limits",
    "relative_rotations",
    "rest_offsets",
    "rotations_from_joints",
]
