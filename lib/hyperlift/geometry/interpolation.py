"""Places of points in frames in which nobody saw them."""

import numpy as np

from hyperlift.shapes import Bool, Float


def interpolate_missing(
    points: Float[np.ndarray, "frames joints c"],
    known: Bool[np.ndarray, "frames joints"],
    time_s: Float[np.ndarray, " frames"] | None = None,
) -> Float[np.ndarray, "frames joints c"]:
    """Points on the straight line between the last and the next frame in which they are known.

    Before the first such frame a point stands where it is there, after the last likewise. A point that is never known
    stays as it is.

    Args:
        points: in any unit; where they are not known their values do not count.
        known: which of them are.
        time_s: seconds of every frame, ascending; evenly spaced if None.
    """
    time = np.arange(len(points), dtype=np.float64) if time_s is None else time_s
    filled = points.copy()
    for joint in np.flatnonzero(known.any(0) & ~known.all(0)):
        here = known[:, joint]
        for axis in range(points.shape[-1]):
            filled[~here, joint, axis] = np.interp(time[~here], time[here], points[here, joint, axis])
    return filled
