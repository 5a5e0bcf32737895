"""The curves under the time slider: plain angles between three joints, and how high the ankles are.

An angle between two bones needs no anatomical axes, so it is defined wherever its joints are known; it has no sign. It
does not tell bending from stretching too far, nor, at the hip, bending from spreading.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float
from hyperlift.skeletons import Skeleton


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
        ("Hip flexion", "°"): ("Thorax", "Pelvis", "{}Hip", "{}Knee"),
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

    Flexion is 180° less the angle at the middle joint: 0° is straight. At the hip it is the angle between thigh and
    trunk (pelvis to thorax), 0° when standing upright.

    Args:
        joints_m: z up, the floor at 0.
        curves: as ``curves_of`` gives them for the same skeleton.
    """
    values = [
        joints_m[:, curve.joints[0], 2] if curve.unit == "m" else _bend_deg(joints_m[:, curve.joints])
        for curve in curves
    ]
    return np.stack(values, -1) if values else np.zeros((len(joints_m), 0))


def _bend_deg(chain_m: Float[np.ndarray, "frames joints 3"]) -> Float[np.ndarray, " frames"]:
    """Between the first and the last bone of a chain of joints, 0 where they go on in the same direction."""
    first, last = chain_m[:, 1] - chain_m[:, 0], chain_m[:, -1] - chain_m[:, -2]
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(last, axis=-1)
    # Exact at small angles too, where the cosine alone loses its digits.
    sine, cosine = np.linalg.norm(np.cross(first, last), axis=-1), (first * last).sum(-1)
    return np.where(lengths > 0, np.degrees(np.arctan2(sine, cosine)), np.nan)
