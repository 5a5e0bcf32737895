"""Smooth random curves."""

from functools import lru_cache

import numpy as np

from hyperlift.shapes import Float


def smooth_noise(
    frames: int, time_frames: float, columns: int, rng: np.random.Generator
) -> Float[np.ndarray, "frames columns"]:
    """Independent smooth curves of unit variance in every frame.

    Bumps of Gaussian shape, ``time_frames`` apart, are added with normal weights; the correlation falls to 1/e
    within about 1.7 times that distance.

    Args:
        frames: length of the curves.
        time_frames: distance of the bumps, in frames.
        columns: number of curves.
        rng: random generator.
    """
    bumps = _bumps(frames, float(time_frames))
    return bumps @ rng.normal(size=(bumps.shape[1], columns))


@lru_cache(maxsize=64)
def _bumps(frames: int, time_frames: float) -> np.ndarray:
    centres = np.arange(-2.0, frames / time_frames + 3.0) * time_frames
    width = 0.85 * time_frames
    bumps = np.exp(-0.5 * ((np.arange(frames)[:, None] - centres) / width) ** 2)
    bumps /= np.linalg.norm(bumps, axis=1, keepdims=True)
    bumps.setflags(write=False)
    return bumps
