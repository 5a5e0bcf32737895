"""The curves under the time slider: flexion of knees, hips and elbows, and how high the ankles are.

The angles are those of ``hyperlift.body.joint_angles``, wherever their own joints are known.
"""

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
    """Curves of one panel are drawn over each other."""
    side: str
    """``right`` or ``left``."""
    unit: str
    """``°`` or ``m``."""
    step: float
    """The precision with which it is kept."""
    joints: tuple[int, ...]
    """Those it is made of: where one is not valid, the curve is faint."""


def curves_of(skeleton: Skeleton) -> list[Curve]:
    """The curves that a skeleton's joints allow: knee, hip and elbow flexion, height of the ankle."""
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
    """Degrees or metres of every curve; NaN where a joint is.

    Flexion of knee and elbow is 180° less the angle at the joint: 0° is straight. At the hip it is the turn of the
    thigh about the line of the hips, forward positive, 0° where thigh and lower spine are in line.

    Args:
        joints_m: z up, the floor at 0.
        curves: as ``curves_of`` gives them for the same skeleton.
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
