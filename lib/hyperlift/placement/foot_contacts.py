"""When a foot stands on something: its ankle stays where it is."""

import numpy as np

from hyperlift.geometry.rotations import unit
from hyperlift.shapes import Bool, Float

_STEP_S = 0.1
"""Speeds are taken over this time to both sides."""
_SLOW_M_S = 0.3
"""Speed across the line of sight; a walker's ankle stays below while the foot is flat, and reaches 3 m/s in swing."""
_SLOW_IN_DEPTH_M_S = 0.8
"""Speed along the line of sight, which one camera sees worse."""
_LOWER_M = 0.10
"""An ankle this much above the other one is held in the air."""


def standing_feet(
    ankles_m: Float[np.ndarray, "frames feet 3"],
    seen: Bool[np.ndarray, "frames feet"],
    time_s: Float[np.ndarray, " frames"],
    up: Float[np.ndarray, " 3"] | None = None,
) -> Bool[np.ndarray, "frames feet"]:
    """Find the frames in which an ankle rests.

    Args:
        ankles_m: camera metres.
        seen: whether the ankle was seen.
        time_s: seconds, strictly increasing.
        up: unit vector in camera axes if it is known; then a foot held above the other does not count.
    """
    if len(time_s) < 3:
        return np.zeros_like(seen)
    before = np.searchsorted(time_s, time_s - _STEP_S)
    after = np.minimum(np.searchsorted(time_s, time_s + _STEP_S), len(time_s) - 1)
    span_s = time_s[after] - time_s[before]
    # A frame that has no other within reach tells no speed.
    velocity = (ankles_m[after] - ankles_m[before]) / np.where(span_s > 0, span_s, np.inf)[:, None, None]
    sight = unit(ankles_m)
    along = (velocity * sight).sum(-1)
    across = np.linalg.norm(velocity - along[..., None] * sight, axis=-1)
    resting = (
        (span_s > 0)[:, None]
        & seen
        & seen[before]
        & seen[after]
        & (across < _SLOW_M_S)
        & (np.abs(along) < _SLOW_IN_DEPTH_M_S)
    )
    if up is not None:
        height_m = ankles_m @ up
        resting &= height_m < height_m.min(1, keepdims=True) + _LOWER_M
    return resting
