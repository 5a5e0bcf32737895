"""Curves of the page: flexion of knees, hips and elbows (``hyperlift.body.joint_angles``), and height of the ankles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.body.joint_angles import bend_deg, hip_flexion_deg
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton

_HIP = "Hip flexion"


@dataclass(frozen=True)
class Curve:
    """One curve of one side."""

    panel: str
    """Curves with the same panel share one plot."""
    side: str
    """``right`` or ``left``."""
    unit: str
    """``°`` or ``m``."""
    step: float
    """Quantisation step in the page."""
    joints: tuple[int, ...]
    """Joints that define the curve; it is drawn faintly where one of them is not valid."""


def curves_of(skeleton: Skeleton) -> list[Curve]:
    """The curves whose joints the skeleton has."""
    wanted = {
        ("Knee flexion", "°"): ("{}Hip", "{}Knee", "{}Ankle"),
        (_HIP, "°"): ("RHip", "LHip", "Pelvis", "Spine", "{}Hip", "{}Knee"),
        ("Elbow flexion", "°"): ("{}Shoulder", "{}Elbow", "{}Wrist"),
        ("Ankle height", "m"): ("{}Ankle",),
    }
    curves = []
    for (panel, unit), joints in wanted.items():
        for side, letter in (("right", "R"), ("left", "L")):
            names = [joint.format(letter) for joint in joints]
            if set(names) <= set(skeleton.joints):
                step = 0.1 if unit == "°" else 0.001
                curves.append(Curve(panel, side, unit, step, tuple(skeleton.indices(names))))
    return curves


def curve_values(
    joints_m: Float[np.ndarray, "frames joints 3"], curves: Sequence[Curve]
) -> Float[np.ndarray, "frames curves"]:
    """Values of all curves in degrees or metres; NaN where a joint is NaN.

    Flexion of knee and elbow is 0° for a straight limb. Flexion of the hip is the rotation of the thigh about the line
    of the hips, positive forward, 0° if thigh and lower spine are collinear.

    Args:
        joints_m: z up, the floor at 0.
        curves: of ``curves_of`` for the same skeleton.
    """
    values = [_values(joints_m[:, curve.joints], curve) for curve in curves]
    return np.stack(values, -1) if values else np.zeros((len(joints_m), 0))


def _values(chain_m: Float[np.ndarray, "frames joints 3"], curve: Curve) -> Float[np.ndarray, " frames"]:
    if curve.unit == "m":
        return chain_m[:, 0, 2]
    if curve.panel == _HIP:
        right_hip, left_hip, pelvis, spine, hip, knee = chain_m.transpose(1, 0, 2)
        return hip_flexion_deg(right_hip, left_hip, pelvis, spine, knee - hip)
    return bend_deg(chain_m[:, 1] - chain_m[:, 0], chain_m[:, 2] - chain_m[:, 1])
