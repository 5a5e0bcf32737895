"""Moments in which a detector takes the left arm or leg for the right one, and back.

Such an exchange shows as a jump of both sides at once that exchanging them undoes. It is repaired only where both its
beginning and its end show so, and where it is short: what lasts longer cannot be told from a person who turned round.
"""

from collections.abc import Sequence

import numpy as np

from hyperlift.shapes import Bool, Float
from hyperlift.skeletons import Skeleton
from hyperlift.tracking.association import body_sizes

LONGEST_SWAP_S = 0.3
LEAST_GAIN = 0.06
"""Body sizes by which exchanging the sides must make a limb's joints move more smoothly, on average over them, at each
end ..."""
LARGEST_SHARE = 0.4
"""... and the share of roughness that may be left."""
_LIMBS = (("Shoulder", ("Elbow", "Wrist")), ("Hip", ("Knee", "Ankle")))
_LONGEST_STEP_S = 0.08
"""Farther apart, sightings say too little about motion."""


def repair_side_swaps(
    keypoints_px: Float[np.ndarray, "seen joints 3"],
    at_s: Float[np.ndarray, " seen"],
    skeleton: Skeleton,
) -> tuple[Float[np.ndarray, "seen joints 3"], Bool[np.ndarray, "seen joints"]]:
    """Exchange left and right arms or legs where they are swapped for up to ``LONGEST_SWAP_S``.

    Args:
        keypoints_px: one person where seen; missing joints are NaN, NaN, 0.
        at_s: ascending seconds of these sightings.
        skeleton: the joints of ``keypoints_px``; limbs are found by name.

    Returns:
        The repaired keypoints, and which of them were exchanged.
    """
    repaired = keypoints_px.copy()
    exchanged = np.zeros(keypoints_px.shape[:2], bool)
    if len(at_s) < 5:
        return repaired, exchanged
    size_px = float(np.median(body_sizes(keypoints_px[..., :2])))
    for root, tips in _LIMBS:
        sides = [[f"{side}{joint}" for joint in (root, *tips)] for side in "RL"]
        if not set(sides[0] + sides[1]) <= set(skeleton.joints):
            continue
        right, left = (skeleton.indices(side) for side in sides)
        pair = keypoints_px[:, [right, left], :2] / size_px
        for first, last in _swapped_runs(pair[:, :, 1:], at_s):
            # The roots lie close together and are often told apart where the rest is not: they decide for themselves.
            near = slice(max(first - 2, 0), last + 2)  # beyond, an exchange changes nothing
            around, run = pair[near, :, :1], (first - near.start, last - near.start)
            roots_too = _roughness(around, at_s[near], *run) < _roughness(around, at_s[near], 0, 0)
            joints = slice(0 if roots_too else 1, None)
            a, b = right[joints], left[joints]
            repaired[first:last, a], repaired[first:last, b] = keypoints_px[first:last, b], keypoints_px[first:last, a]
            exchanged[first:last, a + b] = True
    return repaired, exchanged


def _swapped_runs(
    limbs: Float[np.ndarray, "seen 2 joints 2"], at_s: Float[np.ndarray, " seen"]
) -> Sequence[tuple[int, int]]:
    """Runs of sightings ``first:last`` in which the two sides are exchanged, best first, none touching another."""
    gain = _gains(limbs, limbs[:, ::-1], at_s)
    found = []
    for first in np.flatnonzero(gain > 0):
        for last in range(first + 2, len(at_s)):
            if at_s[last] - at_s[first] > LONGEST_SWAP_S:
                break
            if gain[last] > 0:
                found.append((gain[first] + gain[last], int(first), last))
    found += [(2 * single, at, at + 1) for at, single in enumerate(_single_gains(limbs, at_s)) if single > 0]
    runs: list[tuple[int, int]] = []
    taken = np.zeros(len(at_s) + 1, bool)
    for _, first, last in sorted(found, reverse=True):
        if not taken[first : last + 1].any():
            runs.append((first, last))
            taken[first : last + 1] = True
    return runs


def _gains(
    limbs: Float[np.ndarray, "seen 2 joints 2"], swapped: Float[np.ndarray, "seen 2 joints 2"], at_s: np.ndarray
) -> Float[np.ndarray, " seen"]:
    """How much smoother the motion is at each sighting if the sides change places from there on; 0 if not clearly."""
    kept = _bend(limbs[:-2], limbs[1:-1], limbs[2:], at_s)
    joining = _bend(limbs[:-2], limbs[1:-1], swapped[2:], at_s)
    leaving = _bend(limbs[:-2], swapped[1:-1], swapped[2:], at_s)
    # Bend k is that at sighting k + 1; a change at sighting b bends at b - 1 and b.
    gain = np.zeros(len(at_s))
    gain[2:-1] = _clear_gain(kept[:-1] + kept[1:], joining[:-1] + leaving[1:])
    return gain


def _single_gains(
    limbs: Float[np.ndarray, "seen 2 joints 2"], at_s: Float[np.ndarray, " seen"]
) -> Float[np.ndarray, " seen"]:
    """The same, half, for a change at each sighting alone."""
    swapped = limbs[:, ::-1]
    kept = _bend(limbs[:-2], limbs[1:-1], limbs[2:], at_s)
    before = _bend(limbs[:-2], limbs[1:-1], swapped[2:], at_s)
    at = _bend(limbs[:-2], swapped[1:-1], limbs[2:], at_s)
    after = _bend(swapped[:-2], limbs[1:-1], limbs[2:], at_s)
    gain = np.zeros(len(at_s))
    gain[2:-2] = _clear_gain((kept[:-2] + kept[1:-1] + kept[2:]) / 2, (before[:-2] + at[1:-1] + after[2:]) / 2)
    return gain


def _clear_gain(kept: Float[np.ndarray, " some"], changed: Float[np.ndarray, " some"]) -> Float[np.ndarray, " some"]:
    clear = (kept - changed > LEAST_GAIN) & (changed < LARGEST_SHARE * kept)
    return np.where(clear, kept - changed, 0.0)


def _bend(
    before: Float[np.ndarray, "some 2 joints 2"],
    at: Float[np.ndarray, "some 2 joints 2"],
    after: Float[np.ndarray, "some 2 joints 2"],
    at_s: Float[np.ndarray, " seen"],
) -> Float[np.ndarray, " some"]:
    """How far the joints lie from the straight way between the sightings before and after: mean over those that are
    seen in all three; NaN where one is too far off in time or no joint is seen."""
    part = ((at_s[1:-1] - at_s[:-2]) / (at_s[2:] - at_s[:-2]))[:, None, None, None]
    off = np.linalg.norm(at - (1 - part) * before - part * after, axis=-1).reshape(len(at), -1)
    # Both sides or none: exchanging must be weighed over the same joints as keeping.
    seen = np.isfinite(off)
    near = np.maximum(at_s[1:-1] - at_s[:-2], at_s[2:] - at_s[1:-1]) <= _LONGEST_STEP_S
    usable = seen.all(1) & near
    return np.where(usable, np.where(seen, off, 0.0).mean(1), np.nan)


def _roughness(limbs: Float[np.ndarray, "seen 2 joints 2"], at_s: np.ndarray, first: int, last: int) -> float:
    """Summed bends around a run, with the sides exchanged in it."""
    changed = limbs.copy()
    changed[first:last] = limbs[first:last, ::-1]
    return float(np.nansum(_bend(changed[:-2], changed[1:-1], changed[2:], at_s)))
