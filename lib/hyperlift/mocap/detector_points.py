"""Positions of COCO keypoints on a body with Human3.6M joints.

COCO keypoints are not the joint centres of motion capture: hips are higher and wider, the nose is its tip, and pelvis,
thorax, spine and top of the head are computed from other points (``hyperlift.skeletons.mapping``). The differences vary
between detectors, so each video has random offsets, fixed to the body.
"""

from dataclasses import dataclass, field

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.rotations import unit
from hyperlift.mocap.augmentation.body_frames import axes_of
from hyperlift.mocap.detector_noise import DetectorNoise
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.mapping import HEAD_BEYOND_EARS

_PELVIS, _SPINE, _THORAX, _NOSE, _HEAD = H36M_17.indices(("Pelvis", "Spine", "Thorax", "Nose", "Head"))
_HIPS = H36M_17.indices(("LHip", "RHip"))
_SHOULDERS = H36M_17.indices(("LShoulder", "RShoulder"))
_LIMBS = {
    joint: H36M_17.indices(("L" + joint, "R" + joint)) for joint in ("Knee", "Ankle", "Elbow", "Wrist", "Shoulder")
}

_HIP_OFFSET = ((0.02, 0.02), (0.0, 0.015), (0.03, 0.02))
_SHOULDER_OFFSET = ((-0.01, 0.02), (0.0, 0.012), (0.0, 0.02))
_NOSE_OFFSET = ((0.0, 0.008), (-0.055, 0.02), (0.01, 0.02))
_EARS_OFFSET = ((0.0, 0.006), (-0.005, 0.02), (0.0, 0.02))
"""Mean and standard deviation in metres of the four offsets above, along three axes: outward (left for the head),
backward and up. Chosen: typical differences between COCO annotations and joint centres."""
_LIMB_SPREAD_M = 0.01
"""Standard deviation of the offset of limb joints along each axis. Chosen: half that of the hips."""
_EARS_UP_THE_HEAD = 1.0 / (1.0 + HEAD_BEYOND_EARS)
"""Position of the ears on the line from thorax to top of the head, inverse to that of ``skeletons.mapping``."""


@dataclass(frozen=True, kw_only=True)
class DetectorFamily:
    """Detectors with equal error statistics."""

    share: float = 1.0
    """Share of videos, relative to the other families."""
    coco: bool = False
    """True: COCO keypoints, mapped to ``H36M_17``. False: the joints of motion capture."""
    noise: DetectorNoise = field(default_factory=DetectorNoise)

    def __post_init__(self) -> None:
        if self.share < 0:
            raise InputError(f"a detector family has the share {self.share}; give 0 or more")


def coco_points(
    joints_m: Float[np.ndarray, "frames joints 3"], size: float, rng: np.random.Generator
) -> Float[np.ndarray, "frames joints 3"]:
    """Positions of COCO keypoints on a body.

    Args:
        joints_m: joints of ``H36M_17`` in metres, any axes.
        size: scale of the body; 1 is an average adult.
        rng: random generator of the offsets.

    Returns:
        Points in the order of ``H36M_17``: shifted hips, shoulders and limbs, the tip of the nose as Nose and the
        midpoint of the ears as Head. Pelvis, Spine and Thorax are unchanged; ``map_coco`` replaces them.
    """

    def draw(offset: tuple[tuple[float, float], ...]) -> np.ndarray:
        return np.array([rng.normal(mean, spread) for mean, spread in offset]) * size

    points_m = joints_m.copy()
    pelvis = axes_of(joints_m[:, _HIPS[0]] - joints_m[:, _HIPS[1]], joints_m[:, _SPINE] - joints_m[:, _PELVIS])
    thorax = axes_of(
        joints_m[:, _SHOULDERS[0]] - joints_m[:, _SHOULDERS[1]], joints_m[:, _THORAX] - joints_m[:, _SPINE]
    )
    hips, shoulders = draw(_HIP_OFFSET), draw(_SHOULDER_OFFSET)
    for left_right, axes, offset in ((_HIPS, pelvis, hips), (_SHOULDERS, thorax, shoulders)):
        for joint, outward in zip(left_right, (1.0, -1.0), strict=True):
            own = offset * [outward, 1.0, 1.0] + rng.normal(0.0, 0.25 * _LIMB_SPREAD_M, 3)
            points_m[:, joint] += axes @ own
    for joint, sides in _LIMBS.items():
        axes = pelvis if joint in ("Knee", "Ankle") else thorax
        points_m[:, sides] += (axes @ (rng.normal(0.0, _LIMB_SPREAD_M, 3) * size))[:, None]
    up = joints_m[:, _HEAD] - joints_m[:, _THORAX]
    head = axes_of(thorax[..., 0], up)
    # The head faces from the line thorax–head to the Nose joint, with a small share of the direction of the shoulders.
    front = joints_m[:, _NOSE] - joints_m[:, _THORAX]
    front = front - (front * head[..., 2]).sum(-1, keepdims=True) * head[..., 2]
    front = unit(front - 0.02 * size * head[..., 1])
    head = np.stack([np.cross(head[..., 2], front), -front, head[..., 2]], axis=-1)
    points_m[:, _NOSE] += head @ draw(_NOSE_OFFSET)
    ears = joints_m[:, _THORAX] + up * (_EARS_UP_THE_HEAD + rng.normal(0.0, 0.03))
    points_m[:, _HEAD] = ears + head @ draw(_EARS_OFFSET)
    return points_m


def map_coco(keypoints_px: Float[np.ndarray, "frames joints 3"]) -> Float[np.ndarray, "frames joints 3"]:
    """Compute pelvis, thorax, spine and top of the head as the mapping from COCO does.

    Args:
        keypoints_px: x, y and confidence of the points of ``coco_points``.
    """

    def mean_of(points: np.ndarray) -> np.ndarray:
        return np.concatenate([points[..., :2].mean(1), points[..., 2:].min(1)], axis=-1)

    mapped = keypoints_px.copy()
    mapped[:, _PELVIS] = mean_of(keypoints_px[:, _HIPS])
    mapped[:, _THORAX] = mean_of(keypoints_px[:, _SHOULDERS])
    mapped[:, _SPINE] = mean_of(mapped[:, [_PELVIS, _THORAX]])
    ears, neck = keypoints_px[:, _HEAD], mapped[:, _THORAX]
    mapped[:, _HEAD, :2] += HEAD_BEYOND_EARS * (ears[:, :2] - neck[:, :2])
    mapped[:, _HEAD, 2] = np.minimum(ears[:, 2], neck[:, 2])
    return mapped
