"""Interpolation of frames and joints that the detector missed; joints in long gaps are marked as invalid."""

from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.interpolation import interpolate_missing
from hyperlift.shapes import Bool, Float, Int
from hyperlift.skeletons.skeleton import Skeleton

LONGEST_GAP_S = 1.0
"""Maximal gap in seconds: joints in a longer gap are invalid, and a person who reappears later gets a new identity.
Chosen: a stride takes a second, and linear interpolation over a whole stride does not describe the motion of a body."""
ROUNDING_S = 1e-9
"""Tolerance of a difference of two time stamps. Chosen: float64 resolves 1e-12 s after an hour."""


_STRONG = 0.2
"""A joint counts as seen where its confidence reaches this within ``_STRONG_WITHIN_S``. Chosen above the 0.04 to 0.15
at which the legs of people behind a desk flicker in webcam recordings."""
_STRONG_SHARE = 0.5
"""The same as a part of the median confidence of the person, for detectors that are never sure."""
_STRONG_WITHIN_S = 0.5
"""Maximal time between a weak and a strong detection of a joint. Chosen: half of ``LONGEST_GAP_S``."""


@dataclass(frozen=True, eq=False)
class FilledTrack:
    """A track with a finite position for every joint in every frame from the first to the last."""

    frame: Int[np.ndarray, " frames"]
    time_s: Float[np.ndarray, " frames"]
    keypoints_px: Float[np.ndarray, "frames joints 3"]
    """x, y in pixels and confidence; a joint that was not detected has an interpolated position and confidence 0."""
    valid: Bool[np.ndarray, "frames joints"]
    """True if the joint was detected, or lies between two detections at most ``LONGEST_GAP_S`` apart."""
    bridged: Bool[np.ndarray, "frames joints"]
    """True if the joint is valid and was not detected."""


def drop_weak_joints(
    keypoints_px: Float[np.ndarray, "seen joints 3"], time_s: Float[np.ndarray, " seen"]
) -> Float[np.ndarray, "seen joints 3"]:
    """Mark a joint as missing where it is only ever weak: hysteresis over confidence.

    A weak sighting counts if a strong one of the same joint is at most 0.5 s away.

    Args:
        keypoints_px: x, y and confidence of one person; missing joints are NaN, NaN, 0.
        time_s: ascending seconds of the sightings.
    """
    confidence = keypoints_px[..., 2]
    seen = np.isfinite(keypoints_px[..., 0])
    if not seen.any():
        return keypoints_px
    strong = seen & (confidence >= min(_STRONG, _STRONG_SHARE * float(np.median(confidence[seen]))))
    if (strong == seen).all():
        return keypoints_px
    before = np.searchsorted(time_s, time_s - _STRONG_WITHIN_S - ROUNDING_S)
    after = np.searchsorted(time_s, time_s + _STRONG_WITHIN_S + ROUNDING_S, side="right")
    count = np.concatenate([np.zeros((1, strong.shape[1]), int), np.cumsum(strong, axis=0)])
    weak = seen & (count[after] == count[before])
    return np.where(weak[..., None], np.array([np.nan, np.nan, 0.0], keypoints_px.dtype), keypoints_px)


def fill_gaps(
    frame: Int[np.ndarray, " seen"],
    keypoints_px: Float[np.ndarray, "seen joints 3"],
    skeleton: Skeleton,
    time_s: Float[np.ndarray, " all_frames"],
) -> FilledTrack:
    """Fill the gaps of a track.

    Each joint is interpolated linearly in time between detections, and held before the first and after the last. A
    joint that is never detected gets the position of its nearest detected ancestor, or else the mean of the body.

    Args:
        frame: ascending frame numbers of the detections.
        keypoints_px: missing joints are NaN with confidence 0; at least one joint is detected at least once.
        skeleton: the joint set of ``keypoints_px``.
        time_s: time of every frame of the video in seconds, indexed by frame number.
    """
    every = np.arange(frame[0], frame[-1] + 1)
    every_s = time_s[every]
    filled = np.zeros((len(every), len(skeleton), 3))
    seen_at_all = np.zeros(filled.shape[:2], bool)
    seen = np.asarray(np.isfinite(keypoints_px[..., :2]).all(-1))
    assert seen.any(), "a track without a single joint"
    seen_at_all[frame - frame[0]] = seen
    filled[seen_at_all] = keypoints_px[seen]
    filled[..., :2] = interpolate_missing(filled[..., :2], seen_at_all, every_s)
    valid = np.stack([_in_short_gap(every_s, every_s[detected]) for detected in seen_at_all.T], axis=1)
    place_unseen(filled, np.asarray(seen.any(0)), skeleton)
    return FilledTrack(
        frame=every,
        time_s=every_s,
        keypoints_px=filled.astype(keypoints_px.dtype, copy=False),
        valid=valid,
        bridged=valid & ~seen_at_all,
    )


def _in_short_gap(
    every_s: Float[np.ndarray, " frames"], seen_s: Float[np.ndarray, " seen"]
) -> Bool[np.ndarray, " frames"]:
    """True for times of a detection and times between two detections at most ``LONGEST_GAP_S`` apart."""
    if not len(seen_s):
        return np.zeros(len(every_s), bool)
    before = np.searchsorted(seen_s, every_s, side="right") - 1
    after = np.searchsorted(seen_s, every_s, side="left")
    between = (before >= 0) & (after < len(seen_s))
    width_s = seen_s[np.minimum(after, len(seen_s) - 1)] - seen_s[np.maximum(before, 0)]
    return between & (width_s <= LONGEST_GAP_S + ROUNDING_S)


def place_unseen(
    filled: Float[np.ndarray, "frames joints 3"], ever_seen: Bool[np.ndarray, " joints"], skeleton: Skeleton
) -> None:
    """Set joints that are never detected to their nearest detected ancestor, or else to the mean of the body; in
    place."""
    middle = filled[:, ever_seen, :2].mean(1)
    for joint in np.flatnonzero(~ever_seen):
        ancestor = skeleton.parents[joint]
        while ancestor >= 0 and not ever_seen[ancestor]:
            ancestor = skeleton.parents[ancestor]
        filled[:, joint, :2] = filled[:, ancestor, :2] if ancestor >= 0 else middle
