"""Lifting a clip of any length through overlapping windows that are cross-faded."""

import numpy as np

from hyperlift.contract import Predictor
from hyperlift.shapes import Float

MAX_FRAMES_PER_CALL = 486
"""Bound on the frames, and so on the memory, of one call of the predictor: two windows of 243 frames."""


def lift_windows(
    predict: Predictor,
    pose2d_norm: Float[np.ndarray, "frames joints 3"],
    n_frames: int | None,
    *,
    align_depth: bool = False,
) -> Float[np.ndarray, "frames joints 3"]:
    """Lift one clip.

    Windows of ``n_frames`` overlap by half; the last one ends with the clip. Each is weighted with a raised cosine,
    normalised over the windows that cover a frame. A clip of up to ``n_frames`` frames, or with ``n_frames`` None, is
    one window.

    Args:
        predict: the lifter.
        pose2d_norm: x, y in normalised picture space and confidence; finite.
        n_frames: the longest window of the lifter (``LifterSpec.longest_clip``).
        align_depth: shift each window in depth to agree with the previous one where they overlap. Set it if the depth
            of the lifter is relative to the root in the first frame of a window (label space "image", not
            root-relative).

    Returns:
        float32, in the label space of the lifter; with ``align_depth``, depth is relative to the root in the first
        frame of the clip.

    Example:
        >>> import numpy as np
        >>> from hyperlift.lifting.windows import lift_windows
        >>> clip = np.random.default_rng(0).uniform(-0.3, 0.3, (100, 17, 3))
        >>> lifted = lift_windows(lambda windows: windows, clip, n_frames=27)  # a lifter that changes nothing
        >>> bool(np.abs(lifted - clip).max() < 1e-6)
        True
    """
    clip = np.ascontiguousarray(pose2d_norm, dtype=np.float32)
    frames = len(clip)
    window = frames if n_frames is None else min(frames, n_frames)
    starts = window_starts(frames, window)
    fade = np.sin(np.pi * (np.arange(window) + 0.5) / window) ** 2

    # Weighted sums of the windows that cover unfinished frames; at most as long as two calls of the predictor.
    batch = max(1, MAX_FRAMES_PER_CALL // window)
    total = np.zeros((0, *clip.shape[1:]))
    weight = np.zeros((0, 1, 1))
    joined = np.empty_like(clip)
    done = 0
    previous: tuple[int, np.ndarray] | None = None
    for first in range(0, len(starts), batch):
        some = starts[first : first + batch]
        more = some[-1] + window - done - len(total)
        total = np.concatenate([total, np.zeros((more, *total.shape[1:]))])
        weight = np.concatenate([weight, np.zeros((more, 1, 1))])
        lifted = predict(np.stack([clip[start : start + window] for start in some])).astype(np.float64)
        for start, pose in zip(some, lifted, strict=True):
            if align_depth and previous is not None:
                pose[..., 2] += _depth_step(*previous, start, pose)
            total[start - done : start - done + window] += fade[:, None, None] * pose
            weight[start - done : start - done + window] += fade[:, None, None]
            previous = start, pose
        following = starts[first + batch] if first + batch < len(starts) else frames
        joined[done:following] = total[: following - done] / weight[: following - done]
        total, weight, done = total[following - done :], weight[following - done :], following
    return joined


def window_starts(frames: int, window: int) -> list[int]:
    """First frames of windows that overlap by half and cover a clip, the last ending with it."""
    return [*range(0, frames - window, max(1, window // 2)), frames - window]


def _depth_step(
    before_start: int,
    before: Float[np.ndarray, "window joints 3"],
    start: int,
    pose: Float[np.ndarray, "window joints 3"],
) -> float:
    """Depth to add to ``pose`` so that it agrees with the previous window."""
    overlap = len(before) - (start - before_start)
    if overlap <= 0:  # windows of one frame
        return 0.0
    return float(np.median(before[-overlap:, :, 2] - pose[:overlap, :, 2]))
