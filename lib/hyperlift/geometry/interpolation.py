"""Interpolation of points in time."""

import numpy as np

from hyperlift.shapes import Bool, Float


def interpolate_missing(
    points: Float[np.ndarray, "frames joints c"],
    known: Bool[np.ndarray, "frames joints"],
    time_s: Float[np.ndarray, " frames"] | None = None,
) -> Float[np.ndarray, "frames joints c"]:
    """Interpolate unknown points linearly between the previous and the next known frame.

    Before the first and after the last known frame the nearest known value is repeated. A point that is never known is
    unchanged.

    Args:
        points: in any unit; values of unknown points are ignored.
        known: True where the point is known.
        time_s: time of every frame in seconds, ascending; None for equal spacing.
    """
    time = np.arange(len(points), dtype=np.float64) if time_s is None else time_s
    filled = points.copy()
    for joint in np.flatnonzero(known.any(0) & ~known.all(0)):
        valid = known[:, joint]
        for axis in range(points.shape[-1]):
            filled[~valid, joint, axis] = np.interp(time[~valid], time[valid], points[valid, joint, axis])
    return filled
