"""Where lifted people stand without a world: the camera is taken for level, and the floor for where feet are lowest.

Stage axes are x right, y away from the camera, z up. A joint that is not known is NaN and stays NaN.
"""

from collections.abc import Sequence

import numpy as np

from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.shapes import Float
from hyperlift.skeletons import Skeleton

LANE_M = 1.3
"""Between people without places, in metres of a body of reference size."""
ANKLE_HEIGHT_M = 0.08
_FLOOR_PERCENT = 5.0
"""Of ankle heights, lowest first: the floor."""


def upright(camera: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Camera axes (x right, y down, z forward) to stage axes, in any unit."""
    return np.stack([camera[..., 0], camera[..., 2], -camera[..., 1]], axis=-1)


def on_a_level_floor(
    camera_m: Sequence[Float[np.ndarray, "_ joints 3"]], skeleton: Skeleton
) -> list[Float[np.ndarray, "_ joints 3"]]:
    """Camera metres of everybody to stage metres, with one floor at 0; relative places are kept."""
    turned = [upright(joints).astype(np.float64) for joints in camera_m]
    heights = np.concatenate([joints[:, lowest(skeleton), 2].ravel() for joints in turned] or [np.zeros(0)])
    heights = heights[np.isfinite(heights)]
    floor_m = np.percentile(heights, _FLOOR_PERCENT) - ANKLE_HEIGHT_M if len(heights) else 0.0
    return [joints - [0.0, 0.0, floor_m] for joints in turned]


def of_reference_size(
    pose: Float[np.ndarray, "frames joints 3"], skeleton: Skeleton
) -> Float[np.ndarray, "frames joints 3"]:
    """A pose in camera axes and any unit to metres of a body of reference size in stage axes, the root at 0."""
    sizes = bone_lengths(pose, skeleton).sum(-1)
    sizes = sizes[np.isfinite(sizes)]
    size = float(np.median(sizes)) if len(sizes) else 0.0
    return upright((pose - pose[:, skeleton.root, None]) * (REFERENCE_BONE_SUM_M / max(size, 1e-9)))


def lowest(skeleton: Skeleton) -> list[int]:
    """The ankles, or every joint of a skeleton that has none."""
    ankles = [i for i, joint in enumerate(skeleton.joints) if joint.endswith("Ankle")]
    return ankles or list(range(len(skeleton)))
