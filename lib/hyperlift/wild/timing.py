"""From the time stamps of a video to the even frame rate of the model, and back.

A video is described by the seconds of each of its frames, ``time_s``: evenly spaced or not (telephones record with a
variable rate). The model's grid is even, and stretched so that its first and last frames fall on the clip's: over a
clip its rate is right to within half a frame, nothing is extrapolated, and equal rates change nothing.
"""

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float

_SLOWEST_FPS, _FASTEST_FPS = 1.0, 1000.0
SAME_MOMENT_S = 1e-6


def check_fps(fps: float) -> None:
    """Refuse a frame rate that no video has.

    Raises:
        InputError: it is not between 1 and 1000 frames a second.
    """
    if not _SLOWEST_FPS <= fps <= _FASTEST_FPS:
        raise InputError(
            f"the frame rate is {fps:g}; give the video's frames a second, between 1 and 1000 (fps=30, --fps 30)"
        )


def even_times(frames: int, fps: float) -> Float[np.ndarray, " frames"]:
    """Seconds of every frame of a video of constant frame rate, from 0.

    Raises:
        InputError: the frame rate is not between 1 and 1000 frames a second.
    """
    check_fps(fps)
    return np.arange(frames) / fps


def check_times(time_s: Float[np.ndarray, " frames"], last_frame: int = 0) -> None:
    """Refuse time stamps that do not order the frames of a video, or do not reach the frames that are asked for.

    Args:
        time_s: seconds of every frame of the video.
        last_frame: the highest frame number that will be looked up.

    Raises:
        InputError: there are too few, they are not finite, do not ascend, or are those of no video.
    """
    if last_frame >= len(time_s):
        raise InputError(
            f"keypoints reach frame {last_frame} (the first is 0), the video has {len(time_s)} frames; "
            "check that they belong to this video"
        )
    steps = np.diff(time_s)
    if not np.isfinite(time_s).all() or (steps <= 0).any():
        raise InputError(
            "the time stamps of the video do not ascend from frame to frame; give its rate (fps=30, --fps 30)"
        )
    if len(steps):
        check_fps(1.0 / float(np.median(steps)))


def grid_times(time_s: Float[np.ndarray, " frames"], fps: float) -> Float[np.ndarray, " resampled"]:
    """The even moments of about ``fps`` frames a second that share their first and last with ``time_s``; at least two
    for a clip of several frames."""
    if len(time_s) == 1:
        return time_s
    return np.linspace(time_s[0], time_s[-1], max(2, round((time_s[-1] - time_s[0]) * fps) + 1))


def resample(
    values: Float[np.ndarray, "frames ..."],
    from_s: Float[np.ndarray, " frames"],
    to_s: Float[np.ndarray, " resampled"],
) -> Float[np.ndarray, "resampled ..."]:
    """Values at other moments, by cubic interpolation (Catmull and Rom 1974) over uneven knots.

    Passes through the given values and reproduces straight motion exactly. NaN spreads to the results that lean on it.

    Args:
        values: one entry a moment of ``from_s``.
        from_s: ascending seconds.
        to_s: ascending seconds, from the first to the last of ``from_s``; beyond them the end values are kept.
    """
    if len(from_s) == 1:
        return np.repeat(values, len(to_s), axis=0)
    if _same(from_s, to_s):
        return values
    left, part = _between(from_s, to_s)
    t = part.reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
    step = np.diff(from_s)[left].reshape(t.shape).astype(values.dtype)
    slope = np.gradient(values, from_s, axis=0).astype(values.dtype)
    a, b = values[left], values[left + 1]
    slope_a, slope_b = step * slope[left], step * slope[left + 1]
    curve = a + t * (slope_a + t * (3 * (b - a) - 2 * slope_a - slope_b + t * (2 * (a - b) + slope_a + slope_b)))
    # At a given value, its neighbour must not matter, not even as 0 * NaN.
    return np.where(t == 0, a, np.where(t == 1, b, curve))


def resample_pose2d(
    pose2d: Float[np.ndarray, "frames joints 3"],
    from_s: Float[np.ndarray, " frames"],
    to_s: Float[np.ndarray, " resampled"],
) -> Float[np.ndarray, "resampled joints 3"]:
    """``resample`` for x, y, confidence: the confidence runs linearly, so it stays within that of its
    neighbours."""
    if len(from_s) == 1 or _same(from_s, to_s):
        return resample(pose2d, from_s, to_s)
    left, part = _between(from_s, to_s)
    t = part[:, None].astype(pose2d.dtype)
    confidence = (1 - t) * pose2d[left, :, 2] + t * pose2d[left + 1, :, 2]
    return np.concatenate([resample(pose2d[..., :2], from_s, to_s), confidence[..., None]], axis=-1)


def _same(from_s: np.ndarray, to_s: np.ndarray) -> bool:
    return len(from_s) == len(to_s) and bool(np.abs(from_s - to_s).max() < SAME_MOMENT_S)


def _between(
    from_s: Float[np.ndarray, " frames"], to_s: Float[np.ndarray, " resampled"]
) -> tuple[np.ndarray, Float[np.ndarray, " resampled"]]:
    """The moment at or before each asked one, and how far it lies on the way to the next, 0..1."""
    left = np.clip(np.searchsorted(from_s, to_s, side="right") - 1, 0, len(from_s) - 2)
    since = to_s - from_s[left]
    step = np.diff(from_s)[left]
    part = np.clip(since / step, 0.0, 1.0)
    # Rounding must not turn a given moment into one just beside it.
    part = np.where(np.abs(since) < SAME_MOMENT_S, 0.0, np.where(np.abs(since - step) < SAME_MOMENT_S, 1.0, part))
    return left, part
