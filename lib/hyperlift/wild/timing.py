"""From the video's frame rate to the model's and back.

Both grids are even, and the model's is stretched so that its first and last frames fall on the video's: over
a clip its rate is right to within half a frame, nothing is extrapolated, and equal rates change nothing.
"""

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float

_SLOWEST_FPS, _FASTEST_FPS = 1.0, 1000.0


def check_fps(fps: float) -> None:
    """Refuse a frame rate that no video has.

    Raises:
        InputError: it is not between 1 and 1000 frames a second.
    """
    if not _SLOWEST_FPS <= fps <= _FASTEST_FPS:
        raise InputError(f"the frame rate is {fps:g}; give the video's frames a second, between 1 and 1000 (--fps 30)")


def frames_at(frames: int, from_fps: float, to_fps: float) -> int:
    """How many frames a clip of ``frames`` has at another rate; a clip of several frames keeps at least
    two."""
    if frames == 1:
        return 1
    return max(2, round((frames - 1) * to_fps / from_fps) + 1)


def resample(values: Float[np.ndarray, "frames ..."], frames: int) -> Float[np.ndarray, "resampled ..."]:
    """Spread a clip evenly over another number of frames, by cubic interpolation (Catmull and Rom 1974).

    Passes through the given values and reproduces straight motion exactly; the ends are kept. NaN spreads to
    the results that lean on it.
    """
    if len(values) in (1, frames):
        return np.repeat(values, frames, axis=0) if len(values) == 1 else values
    position = np.linspace(0, len(values) - 1, frames)
    left = np.minimum(position.astype(int), len(values) - 2)
    t = (position - left).reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
    slope = np.gradient(values, axis=0)
    a, b = values[left], values[left + 1]
    slope_a, slope_b = slope[left], slope[left + 1]
    curve = a + t * (slope_a + t * (3 * (b - a) - 2 * slope_a - slope_b + t * (2 * (a - b) + slope_a + slope_b)))
    # At a given value, its neighbour must not matter, not even as 0 * NaN.
    return np.where(t == 0, a, np.where(t == 1, b, curve))


def resample_pose2d(
    pose2d: Float[np.ndarray, "frames joints 3"], frames: int
) -> Float[np.ndarray, "resampled joints 3"]:
    """``resample`` for x, y, confidence: the confidence runs linearly, so it stays within that of its
    neighbours."""
    if len(pose2d) in (1, frames):
        return resample(pose2d, frames)
    position = np.linspace(0, len(pose2d) - 1, frames)
    left = np.minimum(position.astype(int), len(pose2d) - 2)
    t = (position - left)[:, None].astype(pose2d.dtype)
    confidence = (1 - t) * pose2d[left, :, 2] + t * pose2d[left + 1, :, 2]
    return np.concatenate([resample(pose2d[..., :2], frames), confidence[..., None]], axis=-1)
