"""Temporal smoothing of 3D joints after lifting: One-Euro (causal) and Savitzky–Golay (acausal).

Both filters accept uneven time stamps and any unit of length. They restart after a gap, that is after frames in which
the joint is not valid.
"""

import math
from itertools import pairwise
from typing import get_args

import numpy as np

from hyperlift.choices import Smoothing
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.keypoints.timestamps import resample
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton

MIN_CUTOFF_HZ = 3.0
"""Chosen: above the 1–2 Hz of a stride, so that walking passes nearly unchanged; lower is smoother and lags more."""
BETA = 10.0
"""Cutoff in Hz added per m/s of speed. Chosen: a hand at 1 m/s is filtered at 13 Hz, about half of a 25 Hz rate."""
SPEED_CUTOFF_HZ = 1.0
"""The value that Casiez, Roussel and Vogel (2012) recommend for the velocity."""
WINDOW_S = 0.28
"""7 frames at 25 frames a second. Chosen: short against a stride of about 1 s."""
ORDER = 2
"""Chosen: the lowest order that keeps constant acceleration."""


def smooth(
    joints: Float[np.ndarray, "frames joints 3"],
    time_s: Float[np.ndarray, " frames"],
    method: str,
    valid: Bool[np.ndarray, "frames joints"] | None = None,
) -> Float[np.ndarray, "frames joints 3"]:
    """Smooth with a filter, chosen by name, and its default settings.

    Args:
        joints: finite positions; in metres for One-Euro, whose settings are in metres.
        time_s: ascending seconds.
        method: one of ``Smoothing``.
        valid: joints that are not valid are unchanged; the filter restarts after them.

    Raises:
        InputError: there is no such filter.

    Example:
        >>> import numpy as np
        >>> from hyperlift.lifting.smoothing import smooth
        >>> noise_m = np.random.default_rng(0).normal(0.0, 0.01, (100, 17, 3))
        >>> bool(smooth(noise_m, np.arange(100) / 25, "savgol").std() < noise_m.std())
        True
    """
    if method == "one-euro":
        return one_euro(joints, time_s, valid=valid)
    if method == "savgol":
        return savitzky_golay(joints, time_s, valid=valid)
    raise InputError(f"`smooth` is {method}: there is no such filter; choose from {', '.join(get_args(Smoothing))}")


def smooth_poses(
    pose: Float[np.ndarray, "frames joints 3"],
    time_s: Float[np.ndarray, " frames"],
    method: Smoothing,
    valid: Bool[np.ndarray, "frames joints"],
    skeleton: Skeleton,
) -> Float[np.ndarray, "frames joints 3"]:
    """Smooth poses of any unit: they are scaled to a body of reference size in metres, smoothed, and scaled back.

    Args:
        pose: finite poses in a lifter's label space.
        time_s: ascending seconds.
        method: the filter.
        valid: as for ``smooth``.
        skeleton: of the joints.
    """
    to_m = REFERENCE_BONE_SUM_M / float(np.median(bone_lengths(pose, skeleton).sum(-1)))
    return (smooth(pose * to_m, time_s, method, valid) / to_m).astype(pose.dtype)


def one_euro(
    joints: Float[np.ndarray, "frames joints 3"],
    time_s: Float[np.ndarray, " frames"],
    *,
    min_cutoff_hz: float = MIN_CUTOFF_HZ,
    beta: float = BETA,
    speed_cutoff_hz: float = SPEED_CUTOFF_HZ,
    valid: Bool[np.ndarray, "frames joints"] | None = None,
) -> Float[np.ndarray, "frames joints 3"]:
    """The One-Euro filter (Casiez, Roussel and Vogel 2012): a low-pass whose cutoff rises with the speed.

    It is causal, suits live use, and lags by about 1 / (2 pi cutoff) seconds. The speed is the norm of the 3D velocity,
    so the filter is isotropic.

    Args:
        joints: finite positions.
        time_s: ascending seconds.
        min_cutoff_hz: cutoff at rest; lower is smoother and lags more.
        beta: Hz added for a speed of one unit of ``joints`` per second.
        speed_cutoff_hz: cutoff of the low-pass on the velocity.
        valid: joints that are not valid are unchanged; the filter restarts after them.
    """
    follows = _follows(joints, valid)
    smoothed = joints.astype(np.float64)
    velocity = np.zeros(joints.shape[1:])
    for frame in range(1, len(joints)):
        step_s = float(time_s[frame] - time_s[frame - 1])
        continues = follows[frame][:, None]
        measured = (joints[frame] - joints[frame - 1]) / step_s
        velocity = np.where(continues, velocity + _share(speed_cutoff_hz, step_s) * (measured - velocity), 0.0)
        cutoff_hz = min_cutoff_hz + beta * np.linalg.norm(velocity, axis=-1, keepdims=True)
        before = smoothed[frame - 1]
        filtered = before + _share(cutoff_hz, step_s) * (joints[frame] - before)
        smoothed[frame] = np.where(continues, filtered, joints[frame])
    return smoothed.astype(joints.dtype)


def savitzky_golay(
    joints: Float[np.ndarray, "frames joints 3"],
    time_s: Float[np.ndarray, " frames"],
    *,
    window_s: float = WINDOW_S,
    order: int = ORDER,
    valid: Bool[np.ndarray, "frames joints"] | None = None,
) -> Float[np.ndarray, "frames joints 3"]:
    """Local polynomials by least squares (Savitzky and Golay 1964), without lag.

    Uneven time stamps are resampled to an even grid with the same number of frames and back. Runs of valid frames that
    are too short for the polynomial are unchanged.

    Args:
        joints: finite positions.
        time_s: ascending seconds.
        window_s: length of the window; rounded to an odd number of frames, shortened for short runs.
        order: of the polynomial; motion of up to that order is unchanged.
        valid: joints that are not valid are unchanged; windows end there.
    """
    follows = _follows(joints, valid)
    smoothed = joints.astype(np.float64)
    for joint in range(joints.shape[1]):
        # A run of valid frames starts where a frame does not follow the one before.
        starts = [*np.flatnonzero(~follows[:, joint]).tolist(), len(joints)]
        for first, last in pairwise(starts):
            smoothed[first:last, joint] = _fitted(smoothed[first:last, joint], time_s[first:last], window_s, order)
    return smoothed.astype(joints.dtype)


def _fitted(
    path: Float[np.ndarray, "frames 3"], time_s: Float[np.ndarray, " frames"], window_s: float, order: int
) -> Float[np.ndarray, "frames 3"]:
    if len(path) <= order + 1:
        return path
    from scipy.signal import savgol_filter  # slow to import (2 s) and rarely needed

    even_s = np.linspace(time_s[0], time_s[-1], len(time_s))
    step_s = even_s[1] - even_s[0]
    window = min(2 * round(window_s / step_s / 2 - 0.5) + 1, len(path) - 1 + len(path) % 2)
    if window <= order:
        return path
    fitted = savgol_filter(resample(path, time_s, even_s), window, order, axis=0, mode="interp")
    return resample(np.asarray(fitted), even_s, time_s)


def _follows(joints: np.ndarray, valid: Bool[np.ndarray, "frames joints"] | None) -> Bool[np.ndarray, "frames joints"]:
    """Whether each joint is valid in this frame and in the previous one."""
    usable = np.ones(joints.shape[:2], bool) if valid is None else valid
    return np.concatenate([np.zeros_like(usable[:1]), usable[1:] & usable[:-1]])


def _share(cutoff_hz, step_s: float):
    """Weight of a new value in a first-order low-pass."""
    return 1.0 / (1.0 + 1.0 / (2 * math.pi * cutoff_hz * step_s))
