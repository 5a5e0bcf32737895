"""Initial view of the page: an azimuth from which people do not occlude each other."""

import numpy as np

from hyperlift.rendering.staging import Staged
from hyperlift.shapes import Float

AZIMUTH_DEG = 35.0
"""Default azimuth about the vertical, counter-clockwise from the camera of the video. Chosen: depth becomes visible."""
_OTHERS_DEG = (20.0, 50.0, 5.0, 65.0, -10.0, 80.0, -25.0, -40.0)
"""Alternatives, nearest to the default first. Chosen: steps of 15° within the front."""
_APART_M = 0.8
"""Distance across the picture at which bodies do not occlude each other. Chosen: wider than shoulders with arms."""


def initial_azimuth_deg(staged: Staged) -> float:
    """The azimuth from which people do not occlude each other in the first frame with two people.

    It is the first of the default and the alternatives that shows them at least ``_APART_M`` apart; if there is none,
    the one with the largest minimum distance. Perspective is ignored.
    """
    places_m = _first_common_frame(staged)
    if len(places_m) < 2:
        return AZIMUTH_DEG
    turns = np.radians([AZIMUTH_DEG, *_OTHERS_DEG])
    across_m = np.sort(places_m @ np.stack([np.cos(turns), np.sin(turns)]), axis=0)
    nearest_m = np.diff(across_m, axis=0).min(0)
    apart = np.flatnonzero(nearest_m >= _APART_M)
    best = apart[0] if len(apart) else nearest_m.argmax()
    return (AZIMUTH_DEG, *_OTHERS_DEG)[best]


def _first_common_frame(staged: Staged) -> Float[np.ndarray, "people 2"]:
    """Positions on the floor in the first frame with at least two people."""
    seen: dict[int, list[np.ndarray]] = {}
    for person in staged.people:
        joints_m = person.world_m
        known = np.isfinite(joints_m[..., 0])
        for index in np.flatnonzero(known.any(1)):
            seen.setdefault(int(person.frame[index]), []).append(joints_m[index, known[index], :2].mean(0))
    together = min((frame for frame, places in seen.items() if len(places) > 1), default=None)
    return np.empty((0, 2)) if together is None else np.stack(seen[together])
