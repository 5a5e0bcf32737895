"""Foot contacts: frames in which a foot rests, detected from the speed of its ankle."""

import numpy as np

from hyperlift.geometry.rotations import unit
from hyperlift.shapes import Bool, Float

_STEP_S = 0.1
"""Speed is measured over this time before and after a frame. Chosen: short against the 0.6 s of a stance phase."""
_SLOW_M_S = 0.3
"""Bound on the speed across the line of sight. In walking, a flat foot's ankle stays below it; in the swing phase it
reaches 3 m/s."""
_SLOW_IN_DEPTH_M_S = 0.8
"""Bound on the speed along the line of sight. Chosen higher, because depth from one camera is noisier."""
_LOWER_M = 0.10
"""A foot whose ankle is this much higher than the other one is in the air. Chosen: above the noise of an ankle's
height, below a raised foot."""


def standing_feet(
    ankles_m: Float[np.ndarray, "frames feet 3"],
    seen: Bool[np.ndarray, "frames feet"],
    time_s: Float[np.ndarray, " frames"],
    up: Float[np.ndarray, " 3"] | None = None,
) -> Bool[np.ndarray, "frames feet"]:
    """Find the frames in which an ankle rests.

    Args:
        ankles_m: metres in camera axes.
        seen: whether the ankle was detected.
        time_s: seconds, strictly increasing.
        up: unit vector in camera axes; if given, a foot that is higher than the other one does not rest.
    """
    if len(time_s) < 3:
        return np.zeros_like(seen)
    before = np.searchsorted(time_s, time_s - _STEP_S)
    after = np.minimum(np.searchsorted(time_s, time_s + _STEP_S), len(time_s) - 1)
    span_s = time_s[after] - time_s[before]
    # A frame without a neighbour within the step has no speed.
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
