"""Estimates error statistics of a detector from its output alone: errors are faster or larger than body motion.

Lengths are fractions of the standing height in the picture, as in ``hyperlift.mocap.detector_noise.DetectorNoise``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.interpolation import interpolate_missing
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.tracks import Track

_SHOULDERS_TO_ANKLES = 0.77
"""Trunk, thigh and shin of an adult as a fraction of the standing height."""
_LAGS = (1, 2, 3)
"""Lags in frames of second differences. Chosen: the minimum that separates noise from motion, and one more."""
_OUTLIER = 0.04
"""Distance to the temporal median of an outlier. Chosen: no joint moves that far and back in 0.2 s."""
_WINDOW_S = 0.1
"""Half width of the window of that median, in seconds."""
_SWAP = 0.06
"""Minimum summed jump of both sides in a swap; exchanging them must halve it. Chosen: above the motion per frame."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Reported quantiles of the confidence: median, quartiles and tails."""


@dataclass(frozen=True, eq=False)
class DetectorStatistics:
    """Error statistics of a detector; joints in the order of the skeleton."""

    seconds: float
    """Total duration of the tracks."""
    jitter: Float[np.ndarray, " joints"]
    """Standard deviation along one axis of the error that is independent between frames; median over tracks."""
    bursts_per_minute: Float[np.ndarray, " joints"]
    burst_s: float
    """Mean duration of a burst; NaN without bursts."""
    swaps_per_minute: float
    """Per pair of joints."""
    confidence: Float[np.ndarray, "joints quantiles"]
    """Quantiles ``QUANTILES`` of the confidence."""
    confidence_in_bursts: float
    """Median confidence in bursts; NaN without bursts."""
    lost: float
    """Share of points that were not detected."""


def measure_detector(tracks: Sequence[Track], fps: float, skeleton: Skeleton) -> DetectorStatistics:
    """Estimate the error statistics of a detector.

    Jitter is estimated from second differences at lags of 1, 2 and 3 frames. Their variance has a constant part, 6
    times the variance of the independent error, and a part that grows with the fourth power of the lag: motion.
    Bursts are points far from the median of a window of 0.2 s.

    Args:
        tracks: people, with or without gaps.
        fps: frame rate of the video.
        skeleton: joint order of the tracks, with shoulders, hips, knees and ankles.

    Raises:
        InputError: all tracks are shorter than 0.5 s.
    """
    pieces = [
        (points, confidence)
        for track in tracks
        for points, confidence in track_pieces(track, skeleton)
        if len(points) >= max(0.5 * fps, 8)
    ]
    if not pieces:
        raise InputError("no track is half a second long without a gap; a detector cannot be measured on these")
    frames = sum(len(points) for points, _ in pieces)
    minutes = frames / fps / 60.0
    jitter = np.median([_jitter(points) for points, _ in pieces], axis=0)
    outlying = [_outlying(points, fps) for points, _ in pieces]
    bursts = np.sum([_starts(mask).sum(0) for mask in outlying], axis=0)
    swaps = sum(_swaps(points, skeleton) for points, _ in pieces)
    confidence = np.concatenate([c for _, c in pieces])
    burst = np.concatenate(outlying)
    return DetectorStatistics(
        seconds=frames / fps,
        jitter=jitter,
        bursts_per_minute=bursts / minutes,
        burst_s=float(burst.sum() / bursts.sum() / fps) if bursts.sum() else np.nan,
        swaps_per_minute=swaps / len(skeleton.pairs) / minutes,
        confidence=np.quantile(confidence, QUANTILES, axis=0).T,
        confidence_in_bursts=float(np.median(confidence[burst])) if burst.any() else np.nan,
        lost=float((confidence <= 0).mean()),
    )


def track_pieces(track: Track, skeleton: Skeleton) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split a track at gaps: points in standing heights [T,V,2] and confidences [T,V]; missing points are interpolated.

    The result is empty if the height of the person is unknown.
    """
    keypoints = track.keypoints_px.astype(np.float64)
    points_px, confidence = keypoints[..., :2], np.nan_to_num(keypoints[..., 2])
    height_px = _height_px(points_px, skeleton)
    if not np.isfinite(height_px):
        return []
    cuts = np.flatnonzero(np.diff(track.frame) != 1) + 1
    pieces = []
    for points, sure in zip(np.split(points_px / height_px, cuts), np.split(confidence, cuts), strict=True):
        seen = np.asarray(np.isfinite(points).all(-1))
        if seen.any(0).all():
            pieces.append((interpolate_missing(points, seen), sure))
    return pieces


def _height_px(points_px: np.ndarray, skeleton: Skeleton) -> float:
    def middle(joint: str) -> np.ndarray:
        return points_px[:, skeleton.indices(("L" + joint, "R" + joint))].mean(1)

    def length(start: str, stop: str) -> np.ndarray:
        sides = [points_px[:, skeleton.index(s + stop)] - points_px[:, skeleton.index(s + start)] for s in "LR"]
        return np.linalg.norm(sides, axis=-1).max(0)

    trunk = np.linalg.norm(middle("Shoulder") - middle("Hip"), axis=-1)
    total = trunk + length("Hip", "Knee") + length("Knee", "Ankle")
    return float(np.nanpercentile(total, 75)) / _SHOULDERS_TO_ANKLES if np.isfinite(total).any() else np.nan


def _jitter(points: np.ndarray) -> Float[np.ndarray, " joints"]:
    # The median is robust to bursts; 1.4826 converts it to a standard deviation (normal distribution).
    variances = np.array(
        [
            (1.4826 * np.median(np.abs(points[2 * lag :] - 2 * points[lag:-lag] + points[: -2 * lag]), axis=(0, 2)))
            ** 2
            for lag in _LAGS
        ]
    )
    # Fit var = 6 s² + c lag⁴ by least squares of relative errors, per joint.
    s2 = np.empty(variances.shape[1])
    for joint, variance in enumerate(variances.T):
        scale = 1.0 / np.maximum(variance, 1e-16)
        design = np.stack([6.0 * scale, np.array(_LAGS) ** 4.0 * scale], axis=1)
        s2[joint] = np.linalg.lstsq(design, variance * scale, rcond=None)[0][0]
    return np.sqrt(np.clip(s2, 0.0, None))


def _outlying(points: np.ndarray, fps: float) -> Bool[np.ndarray, "frames joints"]:
    half = max(round(_WINDOW_S * fps), 2)
    padded = np.pad(points, ((half, half), (0, 0), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0)
    return np.linalg.norm(points - np.median(around, axis=-1), axis=-1) > _OUTLIER


def _starts(mask: np.ndarray) -> np.ndarray:
    return mask & ~np.concatenate([np.zeros_like(mask[:1]), mask[:-1]])


def _swaps(points: np.ndarray, skeleton: Skeleton) -> int:
    count = 0
    for pair in skeleton.pairs:
        before, after = points[:-1, list(pair)], points[1:, list(pair)]
        jump = np.linalg.norm(after - before, axis=-1).sum(-1)
        exchanged = np.linalg.norm(after[:, ::-1] - before, axis=-1).sum(-1)
        count += int(((jump > _SWAP) & (exchanged < 0.5 * jump)).sum())
    # A swap has two jumps: there and back.
    return (count + 1) // 2
