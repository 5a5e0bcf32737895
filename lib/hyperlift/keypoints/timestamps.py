"""Resampling between the time stamps of a video and the constant frame rate of a lifter.

``time_s`` holds the time of every frame of a video, which may have a variable frame rate (telephones). The time grid of
a lifter has constant spacing, and is stretched so that its first and last times coincide with those of the clip. The
rate is therefore exact to half a frame per clip, nothing is extrapolated, and equal rates change nothing.
"""

import numpy as np
from numpy.typing import DTypeLike

from hyperlift.errors import InputError
from hyperlift.geometry.chunks import frame_chunks
from hyperlift.shapes import Float, Int

SLOWEST_FPS, FASTEST_FPS = 1.0, 1000.0
"""Range of frame rates. Chosen: slower recordings do not show motion, faster ones are high-speed cameras."""
SAME_MOMENT_S = 1e-6
"""Times that differ by less are equal. Chosen: above the rounding of time stamps, far below a frame."""


def check_fps(fps: float) -> None:
    """Check that a frame rate is between 1 and 1000 frames per second.

    Raises:
        InputError: it is not.
    """
    if not SLOWEST_FPS <= fps <= FASTEST_FPS:
        raise InputError(f"the frame rate is {fps:g}; give the video's frames a second, between 1 and 1000 (`fps`)")


def even_times(frames: int, fps: float) -> Float[np.ndarray, " frames"]:
    """Time in seconds of every frame of a video with constant frame rate; frame 0 is at 0.

    Raises:
        InputError: the frame rate is not between 1 and 1000 frames per second.

    Example:
        >>> from hyperlift.keypoints.timestamps import even_times
        >>> even_times(frames=3, fps=25)
        array([0.  , 0.04, 0.08])
    """
    check_fps(fps)
    return np.arange(frames) / fps


def check_times(time_s: Float[np.ndarray, " frames"], last_frame: int = 0) -> None:
    """Validate the time stamps of a video.

    Args:
        time_s: time of every frame in seconds.
        last_frame: the highest frame number of the keypoints.

    Raises:
        InputError: there are too few, they are not finite or not strictly ascending, or the median rate is out of
            range.
    """
    if last_frame >= len(time_s):
        raise InputError(
            f"keypoints reach frame {last_frame} (the first is 0), the video has {len(time_s)} frames; "
            "check that they belong to this video"
        )
    steps = np.diff(time_s)
    if not np.isfinite(time_s).all() or (steps <= 0).any():
        raise InputError("the time stamps of the video do not ascend from frame to frame; give its rate (`fps`)")
    if len(steps):
        check_fps(1.0 / float(np.median(steps)))


def grid_times(time_s: Float[np.ndarray, " frames"], fps: float) -> Float[np.ndarray, " resampled"]:
    """Equally spaced times at about ``fps`` frames per second, with the first and last of ``time_s``; at least two if
    there are several frames."""
    if len(time_s) == 1:
        return time_s
    return np.linspace(time_s[0], time_s[-1], max(2, round((time_s[-1] - time_s[0]) * fps) + 1))


def resample(
    values: Float[np.ndarray, "frames ..."],
    from_s: Float[np.ndarray, " frames"],
    to_s: Float[np.ndarray, " resampled"],
) -> Float[np.ndarray, "resampled ..."]:
    """Cubic interpolation (Catmull and Rom 1974) with non-uniform knots.

    The curve passes through all values and reproduces linear motion exactly. A result is NaN if its stencil has a NaN.

    Args:
        values: one entry per time of ``from_s``.
        from_s: ascending, seconds.
        to_s: ascending, seconds; outside the range of ``from_s`` the end values are repeated.
    """
    if len(from_s) == 1:
        return np.repeat(values, len(to_s), axis=0)
    if _same(from_s, to_s):
        return values
    left, part = _between(from_s, to_s)
    even = _are_even(from_s)
    resampled = np.empty((len(to_s), *values.shape[1:]), values.dtype)
    for chunk in frame_chunks(len(to_s)):
        resampled[chunk] = _curves(values, from_s, left[chunk], part[chunk], even)
    return resampled


def _curves(
    values: Float[np.ndarray, "frames ..."],
    from_s: Float[np.ndarray, " frames"],
    left: Int[np.ndarray, " resampled"],
    part: Float[np.ndarray, " resampled"],
    even: bool,
) -> Float[np.ndarray, "resampled ..."]:
    first, last = int(left.min()), int(left.max()) + 2
    t = part.reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
    step = (from_s[left + 1] - from_s[left]).reshape(t.shape).astype(values.dtype)
    slope = _slopes(values, from_s, first, last, even)
    a, b = values[left], values[left + 1]
    slope_a, slope_b = step * slope[left - first], step * slope[left + 1 - first]
    curve = a + t * (slope_a + t * (3 * (b - a) - 2 * slope_a - slope_b + t * (2 * (a - b) + slope_a + slope_b)))
    # At a knot, the value is exact: 0 * NaN of a neighbour must not enter.
    return np.where(t == 0, a, np.where(t == 1, b, curve))


def _slopes(
    values: Float[np.ndarray, "frames ..."], from_s: Float[np.ndarray, " frames"], first: int, last: int, even: bool
) -> Float[np.ndarray, "some ..."]:
    """Second-order finite differences at the entries ``first:last``; one-sided at both ends of the sequence."""
    from_, to = max(first - 1, 0), min(last + 1, len(values))
    around, step = values[from_:to], np.diff(from_s[from_:to]).reshape(-1, *[1] * (values.ndim - 1))
    rise = np.diff(around, axis=0)
    slope = np.empty_like(around)
    slope[0], slope[-1] = rise[0] / step[0], rise[-1] / step[-1]
    if even:
        slope[1:-1] = (around[2:] - around[:-2]) / (2 * step[0])
    else:
        before, after = step[:-1], step[1:]
        both = before + after
        centre = (after - before) / (before * after) * around[1:-1]
        slope[1:-1] = -after / (before * both) * around[:-2] + centre + before / (after * both) * around[2:]
    return slope[first - from_ : last - from_]


def resample_pose2d(
    pose2d: Float[np.ndarray, "frames joints 3"],
    from_s: Float[np.ndarray, " frames"],
    to_s: Float[np.ndarray, " resampled"],
    kind: DTypeLike | None = None,
) -> Float[np.ndarray, "resampled joints 3"]:
    """``resample`` for x, y and confidence; the confidence is interpolated linearly, so it stays in 0..1.

    Args:
        pose2d: one entry per time of ``from_s``.
        from_s: as for ``resample``.
        to_s: as for ``resample``.
        kind: data type of the result; None for that of ``pose2d``.
    """
    kind = pose2d.dtype if kind is None else kind
    if len(from_s) == 1 or _same(from_s, to_s):
        return resample(pose2d, from_s, to_s).astype(kind, copy=False)
    left, part = _between(from_s, to_s)
    even = _are_even(from_s)
    resampled = np.empty((len(to_s), *pose2d.shape[1:]), kind)
    for chunk in frame_chunks(len(to_s)):
        at, t = left[chunk], part[chunk, None].astype(pose2d.dtype)
        resampled[chunk, :, :2] = _curves(pose2d[..., :2], from_s, at, part[chunk], even)
        resampled[chunk, :, 2] = (1 - t) * pose2d[at, :, 2] + t * pose2d[at + 1, :, 2]
    return resampled


def _are_even(time_s: Float[np.ndarray, " frames"]) -> bool:
    """Whether all steps are exactly equal."""
    steps = np.diff(time_s)
    return bool((steps == steps[0]).all())


def _same(from_s: np.ndarray, to_s: np.ndarray) -> bool:
    return len(from_s) == len(to_s) and bool(np.abs(from_s - to_s).max() < SAME_MOMENT_S)


def _between(
    from_s: Float[np.ndarray, " frames"], to_s: Float[np.ndarray, " resampled"]
) -> tuple[np.ndarray, Float[np.ndarray, " resampled"]]:
    """For each time, the index of the knot at or before it, and its relative position 0..1 up to the next knot."""
    left = np.clip(np.searchsorted(from_s, to_s, side="right") - 1, 0, len(from_s) - 2)
    since = to_s - from_s[left]
    step = np.diff(from_s)[left]
    part = np.clip(since / step, 0.0, 1.0)
    # A time that equals a knot up to rounding is that knot.
    part = np.where(np.abs(since) < SAME_MOMENT_S, 0.0, np.where(np.abs(since - step) < SAME_MOMENT_S, 1.0, part))
    return left, part
