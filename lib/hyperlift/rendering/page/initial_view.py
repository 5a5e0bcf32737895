"""From where the page first looks: a side from which people stand apart."""

import numpy as np

from hyperlift.rendering.staging import Staged
from hyperlift.shapes import Float

AZIMUTH_DEG = 35.0
"""Of the eye about the vertical, counter-clockwise from where the video's camera is."""
_OTHERS_DEG = (20.0, 50.0, 5.0, 65.0, -10.0, 80.0, -25.0, -40.0)
"""Nearest first."""
_APART_M = 0.8
"""Two bodies side by side do not cover each other."""


def first_azimuth_deg(staged: Staged) -> float:
    """The azimuth from which nobody stands behind somebody else in the page's first picture.

    The usual one where people are seen far enough apart from it, else the nearest other one, else that from which the
    smallest distance across the picture is largest. What counts is the first moment at which two people are there.
    Perspective is left out of account.

    Args:
        staged: everybody on the page.
    """
    places_m = _first_together(staged)
    if len(places_m) < 2:
        return AZIMUTH_DEG
    turns = np.radians([AZIMUTH_DEG, *_OTHERS_DEG])
    across_m = np.sort(places_m @ np.stack([np.cos(turns), np.sin(turns)]), axis=0)
    nearest_m = np.diff(across_m, axis=0).min(0)
    apart = np.flatnonzero(nearest_m >= _APART_M)
    best = apart[0] if len(apart) else nearest_m.argmax()
    return (AZIMUTH_DEG, *_OTHERS_DEG)[best]


def _first_together(staged: Staged) -> Float[np.ndarray, "people 2"]:
    """Where everybody stands on the floor at the first moment at which two people or more are there."""
    seen: dict[int, list[np.ndarray]] = {}
    for person in staged.people:
        joints_m = person.world_m
        known = np.isfinite(joints_m[..., 0])
        for index in np.flatnonzero(known.any(1)):
            seen.setdefault(int(person.frame[index]), []).append(joints_m[index, known[index], :2].mean(0))
    together = min((frame for frame, places in seen.items() if len(places) > 1), default=None)
    return np.empty((0, 2)) if together is None else np.stack(seen[together])
