"""Scale of a person: one camera cannot measure it, so the standing height is given or assumed."""

from dataclasses import dataclass

import numpy as np

from hyperlift.contract import LabelSpace
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_HEIGHT_M, bone_lengths, bone_sum_of
from hyperlift.geometry.chunks import frame_chunks
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton

ASSUMED_HEIGHT_M = REFERENCE_HEIGHT_M
ASSUMED_HEIGHT_STD_M = 0.10
"""Standard deviation of the height of adults, both sexes together: NCD Risk Factor Collaboration (2016) has national
means of 1.49–1.70 m (women) and 1.60–1.83 m (men), each with a spread of 0.06–0.07 m."""
GIVEN_HEIGHT_STD_M = 0.02
"""Standard deviation of a given height. Chosen: covers shoes, posture and individual proportions of the body."""
_SMALLEST_M, _TALLEST_M = 0.4, 2.8
"""Accepted heights. Chosen: from a newborn (0.5 m) to the tallest person on record (2.72 m), with a margin."""
_IMAGE_MEMORY_S = 1.0
"""Window of the running median that measures the scale in label space "image". Chosen: about one stride."""


@dataclass(frozen=True, kw_only=True)
class BodyHeight:
    """A standing height with its standard deviation, given or assumed.

    Example:
        >>> from hyperlift.placement.body_height import BodyHeight
        >>> BodyHeight()
        BodyHeight(height_m=1.7, std_m=0.1, assumed=True)
        >>> BodyHeight.given(1.82)
        BodyHeight(height_m=1.82, std_m=0.02, assumed=False)
    """

    height_m: float = ASSUMED_HEIGHT_M
    std_m: float = ASSUMED_HEIGHT_STD_M
    assumed: bool = True

    @classmethod
    def given(cls, height_m: float) -> "BodyHeight":
        """A height that the user gives.

        Raises:
            InputError: the height is out of range.
        """
        if not _SMALLEST_M <= height_m <= _TALLEST_M:
            raise InputError(
                f"`height_m` is {height_m:g}; give the standing height in metres, such as 1.75 "
                f"(from {_SMALLEST_M} to {_TALLEST_M})"
            )
        return cls(height_m=float(height_m), std_m=GIVEN_HEIGHT_STD_M, assumed=False)

    @property
    def sentence(self) -> str:
        """States the height and the uncertainty that it causes, for users of the output."""
        share = 100 * self.std_m / self.height_m
        if self.assumed:
            return (
                f"standing height assumed {self.height_m:.2f} m ± {self.std_m:.2f} m (adults): every length and "
                f"distance is uncertain by {share:.0f} %, by one factor a person; `height_m` sets it"
            )
        return (
            f"standing height given as {self.height_m:.2f} m; with ± {self.std_m:.2f} m for proportions every length "
            f"and distance is uncertain by {share:.0f} %"
        )


def metric_pose(
    pose: Float[np.ndarray, "frames joints 3"],
    valid: Bool[np.ndarray, "frames joints"],
    time_s: Float[np.ndarray, " frames"],
    skeleton: Skeleton,
    label_space: LabelSpace,
    height_m: float,
) -> Float[np.ndarray, "frames joints 3"]:
    """Scale a pose to metres, relative to its root.

    The bone lengths sum to ``bone_sum_of(height_m)``. In label space "camera", one factor per person scales the median
    over all frames to that sum. In label space "image", a body that comes closer grows, so the factor follows a running
    median over 1 s; perspective within the body (a hand near the camera looks larger) is not corrected.

    Args:
        pose: in the lifter's label space, camera axes.
        valid: whether a joint was detected; frames with fewer than half of the joints do not count for the scale.
        time_s: seconds.
        skeleton: of the joints.
        label_space: of the lifter.
        height_m: standing height.
    """
    relative = pose.astype(np.float64)
    relative -= relative[:, skeleton.root, None].copy()
    bone_sum = np.full(len(pose), 1e-6)
    for some in frame_chunks(len(pose)):
        bone_sum[some] = np.maximum(bone_lengths(relative[some], skeleton).sum(-1), 1e-6)
    counted = valid.mean(-1) >= 0.5
    if not counted.any():
        counted = np.ones(len(pose), bool)
    target_m = bone_sum_of(height_m)
    if label_space == "camera":
        relative *= target_m / np.median(bone_sum[counted])
    else:
        relative *= (target_m / _running_median(bone_sum, counted, time_s))[:, None, None]
    return relative


def _running_median(
    values: Float[np.ndarray, " frames"], counted: Bool[np.ndarray, " frames"], time_s: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, " frames"]:
    seconds, usable = time_s[counted], values[counted]
    first = np.searchsorted(seconds, time_s - _IMAGE_MEMORY_S / 2, side="left")
    last = np.searchsorted(seconds, time_s + _IMAGE_MEMORY_S / 2, side="right")
    nearest = np.clip(np.searchsorted(seconds, time_s), 0, len(seconds) - 1)
    return np.array(
        [
            np.median(usable[start:end]) if end > start else usable[near]
            for start, end, near in zip(first, last, nearest, strict=True)
        ]
    )
