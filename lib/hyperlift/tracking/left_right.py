"""Moments in which a detector takes the left arm or leg for the right one, and back.

Such an exchange shows as a jump of both sides at once that exchanging them undoes. It is repaired only where both its
beginning and its end show so, and where it is short: what lasts longer cannot be told from a person who turned round.
"""

from collections.abc import Sequence

import numpy as np

from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.association import body_sizes

LONGEST_SWAP_S = 0.3
"""Detectors lose the side in blur and where limbs cross, for some frames; in this time nobody turns round and back."""
LEAST_GAIN = 0.06
"""Body sizes by which exchanging the sides must make a limb's joints move more smoothly, on average over them, at each
end ..."""
LARGEST_SHARE = 0.4
"""... and the share of roughness that may be left."""
_LIMBS = (("Shoulder", ("Elbow", "Wrist")), ("Hip", ("Knee", "Ankle")))
_LONGEST_STEP_S = 0.08
"""Detections farther apart say too little about motion: an arm swings to its end in a quarter of a second."""


def repair_side_swaps(
    keypoints_px: Float[np.ndarray, "seen joints 3"],
    time_s: Float[np.ndarray, " seen"],
    skeleton: Skeleton,
) -> tuple[Float[np.ndarray, "seen joints 3"], Bool[np.ndarray, "seen joints"]]:
    """Exchange left and right arms or legs where they are swapped for up to ``LONGEST_SWAP_S``.

    Args:
        keypoints_px: one person where seen; missing joints are NaN, NaN, 0.
        time_s: ascending seconds of these detections.
        skeleton: the joints of ``keypoints_px``; limbs are found by name.

    Returns:
        The repaired keypoints, and which of them were exchanged.

    Example:
        >>> import numpy as np
        >>> from hyperlift.skeletons.joint_sets import COCO_17
        >>> from hyperlift.tracking.left_right import repair_side_swaps
        >>> body_px = np.random.default_rng(0).uniform(0, 400, (17, 3))
        >>> recording_px = np.repeat(body_px[None], 30, axis=0)
        >>> recording_px[10] = body_px[COCO_17.mirror]  # one frame with the sides exchanged
        >>> repaired_px, exchanged = repair_side_swaps(recording_px, np.arange(30) / 30, COCO_17)
        >>> exchanged.any(axis=1).nonzero()[0]
        array([10])
    """
    repaired = keypoints_px.copy()
    exchanged = np.zeros(keypoints_px.shape[:2], bool)
    if len(time_s) < 5:
        return repaired, exchanged
    size_px = float(np.median(body_sizes(keypoints_px[..., :2])))
    for root, tips in _LIMBS:
        sides = [[f"{side}{joint}" for joint in (root, *tips)] for side in "RL"]
        if not set(sides[0] + sides[1]) <= set(skeleton.joints):
            continue
        right, left = (skeleton.indices(side) for side in sides)
        pair = keypoints_px[:, [right, left], :2] / size_px
        for first, last in _swapped_runs(pair[:, :, 1:], time_s):
            # The roots lie close together and are often told apart where the rest is not: they decide for themselves.
            near = slice(max(first - 2, 0), last + 2)  # beyond, an exchange changes nothing
            around, run = pair[near, :, :1], (first - near.start, last - near.start)
            roots_too = _roughness(around, time_s[near], *run) < _roughness(around, time_s[near], 0, 0)
            joints = slice(0 if roots_too else 1, None)
            a, b = right[joints], left[joints]
            repaired[first:last, a], repaired[first:last, b] = keypoints_px[first:last, b], keypoints_px[first:last, a]
            exchanged[first:last, a + b] = True
    return repaired, exchanged


def _swapped_runs(
    limbs: Float[np.ndarray, "seen 2 joints 2"], time_s: Float[np.ndarray, " seen"]
) -> Sequence[tuple[int, int]]:
    """Runs of detections ``first:last`` in which the two sides are exchanged, best first, none touching another."""
    edge, alone = _gains(limbs, time_s)
    found = [(2 * gain, at, at + 1) for at, gain in enumerate(alone.tolist()) if gain > 0]
    for first in np.flatnonzero(edge > 0).tolist():
        for last in range(first + 2, len(time_s)):
            if time_s[last] - time_s[first] > LONGEST_SWAP_S:
                break
            if edge[last] > 0:
                found.append((edge[first] + edge[last], first, last))
    runs: list[tuple[int, int]] = []
    taken = np.zeros(len(time_s) + 1, bool)
    for _, first, last in sorted(found, reverse=True):
        if not taken[first : last + 1].any():
            runs.append((first, last))
            taken[first : last + 1] = True
    return runs


def _gains(
    limbs: Float[np.ndarray, "seen 2 joints 2"], time_s: Float[np.ndarray, " seen"]
) -> tuple[Float[np.ndarray, " seen"], Float[np.ndarray, " seen"]]:
    """How much smoother the motion is if the sides change places from each detection on, and, half, if they do so in
    this detection alone; 0 where it is not clear."""
    swapped = limbs[:, ::-1]
    kept = _bend(limbs[:-2], limbs[1:-1], limbs[2:], time_s)
    next_swapped = _bend(limbs[:-2], limbs[1:-1], swapped[2:], time_s)
    last_kept = _bend(limbs[:-2], swapped[1:-1], swapped[2:], time_s)
    one_swapped = _bend(limbs[:-2], swapped[1:-1], limbs[2:], time_s)
    edge, alone = np.zeros((2, len(time_s)))
    # Bend k is that at detection k + 1. A change at detection b bends at b - 1 and b; one back at once, at b + 1 too.
    edge[2:-1] = _clear_gain(kept[:-1] + kept[1:], next_swapped[:-1] + last_kept[1:])
    around = kept[:-2] + kept[1:-1] + kept[2:], next_swapped[:-2] + one_swapped[1:-1] + last_kept[2:]
    alone[2:-2] = _clear_gain(around[0] / 2, around[1] / 2)
    return edge, alone


def _clear_gain(kept: Float[np.ndarray, " some"], changed: Float[np.ndarray, " some"]) -> Float[np.ndarray, " some"]:
    clear = (kept - changed > LEAST_GAIN) & (changed < LARGEST_SHARE * kept)
    return np.where(clear, kept - changed, 0.0)


def _bend(
    before: Float[np.ndarray, "some 2 joints 2"],
    at: Float[np.ndarray, "some 2 joints 2"],
    after: Float[np.ndarray, "some 2 joints 2"],
    time_s: Float[np.ndarray, " seen"],
) -> Float[np.ndarray, " some"]:
    """How far the joints lie from the straight way between the detections before and after: mean over those that are
    seen in all three; NaN where one is too far off in time or no joint is seen."""
    part = ((time_s[1:-1] - time_s[:-2]) / (time_s[2:] - time_s[:-2]))[:, None, None, None]
    off = np.linalg.norm(at - (1 - part) * before - part * after, axis=-1).reshape(len(at), -1)
    # Both sides or none: exchanging must be weighed over the same joints as keeping.
    seen = np.isfinite(off)
    near = np.maximum(time_s[1:-1] - time_s[:-2], time_s[2:] - time_s[1:-1]) <= _LONGEST_STEP_S
    usable = seen.all(1) & near
    return np.where(usable, np.where(seen, off, 0.0).mean(1), np.nan)


def _roughness(limbs: Float[np.ndarray, "seen 2 joints 2"], time_s: np.ndarray, first: int, last: int) -> float:
    """Summed bends around a run, with the sides exchanged in it."""
    changed = limbs.copy()
    changed[first:last] = limbs[first:last, ::-1]
    return float(np.nansum(_bend(changed[:-2], changed[1:-1], changed[2:], time_s)))
