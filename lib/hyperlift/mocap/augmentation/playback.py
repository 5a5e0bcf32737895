"""Part of a recording, played at a speed that changes smoothly."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from hyperlift.mocap.augmentation.smooth_noise import smooth_noise
from hyperlift.mocap.recording import Recording
from hyperlift.shapes import Float

_TURN_S = 0.12
"""Over about this time a motion that is played back and forth comes to rest at the turning point."""


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
        frames: how many frames to make.
        fps: their rate.
        speed: slowest and fastest playback; 1 is as recorded.
        rng: source of every draw.

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
