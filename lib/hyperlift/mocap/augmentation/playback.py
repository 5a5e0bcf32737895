"""Plays a part of a recording at a smoothly varying speed."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from hyperlift.mocap.augmentation.smooth_noise import smooth_noise
from hyperlift.mocap.recording import Recording
from hyperlift.shapes import Float

_TURN_S = 0.12
"""Deceleration time at the turning points of a motion played back and forth. Chosen: a natural stop."""


def played_back(
    recording: Recording,
    frames: int,
    fps: float,
    speed: tuple[float, float],
    rng: np.random.Generator,
) -> Float[np.ndarray, "frames joints 3"]:
    """Play a random part of a recording.

    The speed has a part that stays and a part that changes over one or two seconds. A recording that is too short
    is played back and forth.

    Args:
        recording: the motion.
        frames: number of frames of the result.
        fps: frame rate of the result.
        speed: slowest and fastest playback; 1 is as recorded.
        rng: random generator.

    Returns:
        World metres; between recorded frames read off cubic curves, which do not quite keep bone lengths.
    """
    low, high = np.log(speed)
    rate = rng.uniform(low, high) + 0.35 * (high - low) * smooth_noise(frames, 1.5 * fps, 1, rng)[:, 0]
    steps = np.exp(np.clip(rate, low, high)) * (recording.fps / fps)
    position = np.concatenate([[0.0], steps[1:].cumsum()])
    last = len(recording.joints_m) - 1.0
    spare = last - position[-1]
    if spare >= 0:
        position += rng.uniform(0.0, spare)
    else:
        position += rng.uniform(0.0, 2.0 * last)
        position = np.abs((position + last) % (2.0 * last) - last)
        position = gaussian_filter1d(position, _TURN_S * fps, mode="nearest")
    return _cubic(recording.joints_m, position)


def _cubic(joints_m: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Catmull-Rom curves through evenly spaced frames."""
    count = len(joints_m)
    left = np.clip(np.floor(position).astype(np.int64), 0, count - 2)
    t = (position - left)[:, None, None]
    around = joints_m[np.clip(left[:, None] + np.arange(-1, 3), 0, count - 1)].astype(np.float64)
    before, start, stop, after = np.moveaxis(around, 1, 0)
    slope_start, slope_stop = (stop - before) / 2.0, (after - start) / 2.0
    return (
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * slope_start
        + (3 * t**2 - 2 * t**3) * stop
        + (t**3 - t**2) * slope_stop
    )
