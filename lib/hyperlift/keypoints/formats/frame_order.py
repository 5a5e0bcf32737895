"""Plausibility check of frame numbers: does the order of the file give smoother motion than the frame numbers?"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from hyperlift.keypoints.people_by_frame import PeopleByFrame

_LEAST_FRAMES = 10
"""Minimal number of frames. Chosen: the median step of fewer frames is not reliable."""
_MOST_PAIRS = 1000
"""Maximal number of frame pairs that are compared. Chosen: bounds the computing time."""
_ROUGHER = 3.0
"""Ratio of the median steps that causes a warning. Chosen: in the right order the ratio is about 1."""


def frame_order_warnings(people: PeopleByFrame, file_order: Sequence[int]) -> list[str]:
    """Warn if people move much further between successive frame numbers than between successive frames of the file.

    Args:
        people: all people of the file.
        file_order: frame numbers in the order of the file.
    """
    ascending = sorted(file_order)
    if len(ascending) < _LEAST_FRAMES or ascending == list(file_order):
        return []
    by_number, by_file = _step(people, ascending), _step(people, file_order)
    if by_number <= _ROUGHER * max(by_file, 1e-3):
        return []
    return [
        f"frame numbers are not in the order of the file, and people move {by_number / max(by_file, 1e-3):.0f} times "
        "as far from frame to frame as they do in that order; check which number in the names counts the frames"
    ]


def _step(people: PeopleByFrame, order: Sequence[int]) -> float:
    """Median distance of a person to the nearest one in the next frame, in body sizes."""
    steps = []
    for one, other in list(pairwise(order))[:_MOST_PAIRS]:
        before, after = (
            np.array([_centre_and_size(person.keypoints_px) for person in people[n]]) for n in (one, other)
        )
        if len(before) and len(after):
            apart = np.linalg.norm(before[:, None, :2] - after[None, :, :2], axis=-1)
            steps += (apart.min(1) / before[:, 2]).tolist()
    return float(np.median(steps)) if steps else 0.0


def _centre_and_size(keypoints_px: np.ndarray) -> tuple[float, float, float]:
    points = keypoints_px[np.isfinite(keypoints_px[:, 0]), :2]
    x, y = np.median(points, axis=0)
    return float(x), float(y), max(float(np.linalg.norm(np.ptp(points, axis=0))), 1.0)
