"""Cuts videos into windows of a fixed number of frames.

There are two slicings. ``published`` is that of published Human3.6M results: it drops the remainder of a video that is
shorter than a window, about a tenth of the test frames. ``complete`` adds a window of the last T frames of each video,
so that every frame is scored. Both use a video shorter than T as one clip, to be resampled to T.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

import numpy as np

from hyperlift.choices import Slicing
from hyperlift.errors import InputError
from hyperlift.shapes import Int

SLICINGS: tuple[Slicing, ...] = get_args(Slicing)


def downsample(arrays: Mapping[str, np.ndarray], every: int) -> dict[str, np.ndarray]:
    """Keep every n-th frame of all per-frame arrays.

    Raises:
        InputError: ``every`` is not positive.
    """
    if every < 1:
        raise InputError(f"the temporal down-sampling is {every}; give 1 or more")
    return {name: array[::every] for name, array in arrays.items()}


def runs(sources: Sequence[str] | np.ndarray) -> Int[np.ndarray, "videos 2"]:
    """Videos as runs of frames with equal source: rows of first frame and frame count."""
    names = np.asarray(sources)
    if not len(names):
        return np.zeros((0, 2), np.int64)
    first = np.concatenate([[0], np.flatnonzero(names[1:] != names[:-1]) + 1]).astype(np.int64)
    return np.stack([first, np.diff(first, append=len(names))], axis=1)


def window_starts(count: int, n_frames: int, stride: int, slicing: Slicing) -> list[int]:
    """First frames of the windows of a video with at least ``n_frames`` frames, relative to the video."""
    last = count - n_frames
    starts = list(range(0, last + 1, stride))
    if slicing == "complete" and starts[-1] != last:
        starts.append(last)
    return starts


def clip_rows(
    videos: Iterable[tuple[int, int]] | Int[np.ndarray, "videos 2"],
    n_frames: int,
    stride: int,
    slicing: Slicing,
) -> Int[np.ndarray, "clips 3"]:
    """Windows of all videos; no window spans two videos.

    Args:
        videos: first frame and frame count of each video.
        n_frames: T, the length of a window.
        stride: frames between the starts of consecutive windows.
        slicing: whether the remainder of a video is dropped (``published``) or covered (``complete``).

    Returns:
        Rows of first frame, frame count and video number. The count is T, or less for the single clip of a video
        shorter than T, which ``resample_index`` resamples.

    Raises:
        InputError: T or the stride is not positive, or a complete slicing has gaps between windows.
    """
    if n_frames < 1 or stride < 1:
        raise InputError(f"windows of {n_frames} frames with stride {stride}; both must be 1 or more")
    if slicing == "complete" and stride > n_frames:
        raise InputError(
            f"stride {stride} leaves gaps between windows of {n_frames} frames; slicing 'complete' has none"
        )
    rows: list[tuple[int, int, int]] = []
    for number, (first, count) in enumerate(videos):
        if count >= n_frames:
            rows += [(first + start, n_frames, number) for start in window_starts(count, n_frames, stride, slicing)]
        elif count:
            rows.append((first, count, number))
    return np.array(rows, np.int64).reshape(-1, 3)


def resample_index(count: int | Int[np.ndarray, " clips"], n_frames: int) -> Int[np.ndarray, "*clips n_frames"]:
    """Indices that resample ``count`` frames to T: floor(i * count / T); all frames occur if count <= T."""
    return np.arange(n_frames) * np.asarray(count)[..., None] // n_frames
