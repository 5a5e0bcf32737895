"""Repair of short left-right swaps of arms and legs.

At the beginning and the end of a swap, both sides jump, and swapping them back removes the jump. A swap is repaired
only if both ends are visible and it is short: a longer one cannot be distinguished from a person who turned around.
"""

from collections.abc import Sequence

import numpy as np

from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.association import body_sizes

LONGEST_SWAP_S = 0.3
"""Maximal duration of a swap. Chosen: motion blur and crossing limbs last some frames, and nobody turns around and back
in this time."""
LEAST_GAIN = 0.06
"""Minimal reduction of the roughness at each end of a swap, in body sizes, averaged over the joints of a limb. Chosen
above the noise of detectors."""
MAX_REMAINING_SHARE = 0.4
"""Maximal ratio of the roughness after the repair to that before. Chosen together with ``LEAST_GAIN``."""
_LIMBS = (("Shoulder", ("Elbow", "Wrist")), ("Hip", ("Knee", "Ankle")))
_LONGEST_STEP_S = 0.08
"""Maximal time between two detections that are compared. Chosen: an arm completes a swing in 0.25 s, so the motion over
a longer step is not straight."""


def repair_side_swaps(
    keypoints_px: Float[np.ndarray, "seen joints 3"],
    time_s: Float[np.ndarray, " seen"],
    skeleton: Skeleton,
) -> tuple[Float[np.ndarray, "seen joints 3"], Bool[np.ndarray, "seen joints"]]:
    """Swap back left and right arms or legs that are swapped for up to ``LONGEST_SWAP_S``.

    Args:
        keypoints_px: detections of one person; missing joints are NaN, NaN, 0.
        time_s: ascending times of the detections in seconds.
        skeleton: the joint set of ``keypoints_px``; limbs are found by name.

    Returns:
        The repaired keypoints, and a mask of the swapped ones.

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
            # Detectors often label hips and shoulders correctly while the rest is swapped: they are decided separately.
            near = slice(max(first - 2, 0), last + 2)  # the swap does not affect bends beyond
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
    """Reduction of the roughness if the sides are swapped from each detection onwards, and half the reduction if they
    are swapped in this detection only; 0 if it is not significant."""
    swapped = limbs[:, ::-1]
    kept = _bend(limbs[:-2], limbs[1:-1], limbs[2:], time_s)
    next_swapped = _bend(limbs[:-2], limbs[1:-1], swapped[2:], time_s)
    last_kept = _bend(limbs[:-2], swapped[1:-1], swapped[2:], time_s)
    one_swapped = _bend(limbs[:-2], swapped[1:-1], limbs[2:], time_s)
    edge, alone = np.zeros((2, len(time_s)))
    # Bend k belongs to detection k + 1. A swap from detection b onwards affects the bends at b - 1 and b; a swap of b
    # alone affects b + 1 as well.
    edge[2:-1] = _clear_gain(kept[:-1] + kept[1:], next_swapped[:-1] + last_kept[1:])
    around = kept[:-2] + kept[1:-1] + kept[2:], next_swapped[:-2] + one_swapped[1:-1] + last_kept[2:]
    alone[2:-2] = _clear_gain(around[0] / 2, around[1] / 2)
    return edge, alone


def _clear_gain(kept: Float[np.ndarray, " some"], changed: Float[np.ndarray, " some"]) -> Float[np.ndarray, " some"]:
    clear = (kept - changed > LEAST_GAIN) & (changed < MAX_REMAINING_SHARE * kept)
    return np.where(clear, kept - changed, 0.0)


def _bend(
    before: Float[np.ndarray, "some 2 joints 2"],
    at: Float[np.ndarray, "some 2 joints 2"],
    after: Float[np.ndarray, "some 2 joints 2"],
    time_s: Float[np.ndarray, " seen"],
) -> Float[np.ndarray, " some"]:
    """Mean distance of the joints from the straight line between the previous and the next detection; NaN if a joint is
    missing in one of the three, or a step is longer than ``_LONGEST_STEP_S``."""
    part = ((time_s[1:-1] - time_s[:-2]) / (time_s[2:] - time_s[:-2]))[:, None, None, None]
    off = np.linalg.norm(at - (1 - part) * before - part * after, axis=-1).reshape(len(at), -1)
    # All joints of both sides are required, so that all hypotheses are compared over the same joints.
    seen = np.isfinite(off)
    near = np.maximum(time_s[1:-1] - time_s[:-2], time_s[2:] - time_s[1:-1]) <= _LONGEST_STEP_S
    usable = seen.all(1) & near
    return np.where(usable, np.where(seen, off, 0.0).mean(1), np.nan)


def _roughness(limbs: Float[np.ndarray, "seen 2 joints 2"], time_s: np.ndarray, first: int, last: int) -> float:
    """Sum of the bends of a limb with the sides swapped within a run."""
    changed = limbs.copy()
    changed[first:last] = limbs[first:last, ::-1]
    return float(np.nansum(_bend(changed[:-2], changed[1:-1], changed[2:], time_s)))
