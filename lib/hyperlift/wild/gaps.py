"""Frames and joints that the detector missed: bridged over time, marked where the bridge is too long to
believe."""

from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Bool, Float, Int
from hyperlift.skeletons import Skeleton

LONGEST_BRIDGE_S = 1.0
"""A joint unseen for longer is not valid in between."""


@dataclass(frozen=True, eq=False)
class FilledTrack:
    """A person at every frame from first to last, with a finite place for every joint."""

    frame: Int[np.ndarray, " frames"]
    keypoints_px: Float[np.ndarray, "frames joints 3"]
    """x, y in pixels and confidence; where the joint was not seen, a place by interpolation with confidence
    0."""
    valid: Bool[np.ndarray, "frames joints"]
    """True where the joint was seen, or lies between two sightings at most ``LONGEST_BRIDGE_S`` apart."""


def fill_gaps(
    frame: Int[np.ndarray, " seen"],
    keypoints_px: Float[np.ndarray, "seen joints 3"],
    skeleton: Skeleton,
    fps: float,
) -> FilledTrack:
    """Give every frame from first to last and every joint a finite place.

    Each joint is interpolated linearly over time between its sightings and held before the first and after
    the last. A joint that is never seen is put on its nearest seen joint towards the root, else on the middle
    of the person.

    Args:
        frame: ascending frame numbers in which the person was seen.
        keypoints_px: missing joints as NaN with confidence 0; at least one joint is seen at least once.
        skeleton: the joints of ``keypoints_px``.
        fps: frames a second.
    """
    every = np.arange(frame[0], frame[-1] + 1)
    filled = np.zeros((len(every), len(skeleton), 3))
    valid = np.zeros(filled.shape[:2], bool)
    seen = np.asarray(np.isfinite(keypoints_px[..., :2]).all(-1))
    assert seen.any(), "a track without a single joint"
    for joint in range(len(skeleton)):
        at = frame[seen[:, joint]]
        points = keypoints_px[seen[:, joint], joint]
        if not len(at):
            continue
        for axis in range(2):
            filled[:, joint, axis] = np.interp(every, at, points[:, axis])
        filled[at - frame[0], joint, 2] = points[:, 2]
        valid[:, joint] = _bridged(every, at, fps)
    _place_unseen(filled, np.asarray(seen.any(0)), skeleton)
    return FilledTrack(frame=every, keypoints_px=filled.astype(keypoints_px.dtype), valid=valid)


def _bridged(
    every: Int[np.ndarray, " frames"], at: Int[np.ndarray, " seen"], fps: float
) -> Bool[np.ndarray, " frames"]:
    before = np.searchsorted(at, every, side="right") - 1
    after = np.searchsorted(at, every, side="left")
    between = (before >= 0) & (after < len(at))
    width = at[np.minimum(after, len(at) - 1)] - at[np.maximum(before, 0)]
    return between & (width <= LONGEST_BRIDGE_S * fps)


def _place_unseen(
    filled: Float[np.ndarray, "frames joints 3"], ever_seen: Bool[np.ndarray, " joints"], skeleton: Skeleton
) -> None:
    middle = filled[:, ever_seen, :2].mean(1)
    for joint in np.flatnonzero(~ever_seen):
        ancestor = skeleton.parents[joint]
        while ancestor >= 0 and not ever_seen[ancestor]:
            ancestor = skeleton.parents[ancestor]
        filled[:, joint, :2] = filled[:, ancestor, :2] if ancestor >= 0 else middle
