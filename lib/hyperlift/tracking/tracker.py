"""Online tracker: assigns an identity to each detection, frame by frame."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hyperlift.shapes import Float
from hyperlift.tracking.association import LEAST_JOINTS, Cost, Target, assign, motion_cost
from hyperlift.tracking.gaps import LONGEST_GAP_S, ROUNDING_S

RECENT_S = 0.1
"""Targets seen within this time are matched before all others, whose position is less certain. Chosen: detectors often
miss up to three successive frames at 30 fps."""


class Tracker:
    """Assigns an identity to each detection, frame by frame; people are forgotten after ``LONGEST_GAP_S``.

    Detection (for its crops), keypoint files and live use the same tracker.

    Example:
        >>> import numpy as np
        >>> from hyperlift.tracking.tracker import Tracker
        >>> rng = np.random.default_rng(0)
        >>> left, right = rng.uniform(0, 200, (17, 3)), rng.uniform(600, 800, (17, 3))
        >>> tracker = Tracker()
        >>> tracker.update(0.00, [left, right]), tracker.update(0.04, [right, left])
        ([0, 1], [1, 0])
    """

    def __init__(self, cost: Cost = motion_cost) -> None:
        """Create a tracker without targets.

        Args:
            cost: cost of a pair; ``given_id_cost`` for detections whose identities a ``Tracker`` has assigned.
        """
        self._cost = cost
        self.reset()

    def reset(self) -> None:
        """Remove all targets; ids start from 0 again."""
        self.targets: list[Target] = []
        """People detected within the last ``LONGEST_GAP_S``, in the order of their ids."""
        self._next_id = 0

    def update(
        self,
        time_s: float,
        keypoints_px: Sequence[Float[np.ndarray, "joints 3"]] | Float[np.ndarray, "people joints 3"],
        given_ids: Sequence[int | None] | None = None,
        start_new: bool = True,
    ) -> list[int | None]:
        """Identify the detections of the next frame, or further detections of the same frame.

        Args:
            time_s: time of the frame, not before the previous call. A target with a detection of this time is not
                matched again.
            keypoints_px: x, y in pixels and confidence; missing joints are NaN.
            given_ids: track numbers of an external tracker; of detections with the same number, the most confident one
                is used.
            start_new: True gives unmatched detections a new id.

        Returns:
            The id of each detection; None if it has fewer than ``LEAST_JOINTS`` joints, is a less confident one of the
            same number, or is unmatched and ``start_new`` is False.
        """
        self.targets = [t for t in self.targets if time_s - t.time_s <= LONGEST_GAP_S + ROUNDING_S]
        given = given_ids or [None] * len(keypoints_px)
        ids: list[int | None] = [None] * len(keypoints_px)
        unmatched = _trackable(keypoints_px, given)
        recent = [target for target in self.targets if 0 < time_s - target.time_s <= RECENT_S]
        hidden = [target for target in self.targets if time_s - target.time_s > RECENT_S]
        for targets in (recent, hidden):
            if not targets or not unmatched:
                continue
            people = np.stack([keypoints_px[person] for person in unmatched])
            for row, column in assign(self._cost(targets, time_s, people, [given[person] for person in unmatched])):
                targets[row].update(time_s, people[column], given[unmatched[column]])
                ids[unmatched[column]] = targets[row].id
            unmatched = [person for person in unmatched if ids[person] is None]
        for person in unmatched if start_new else []:
            ids[person] = self._next_id
            self.targets.append(Target(self._next_id, time_s, np.array(keypoints_px[person]), given[person]))
            self._next_id += 1
        return ids

    def state(self) -> dict[str, Any]:
        """The state as JSON values, for ``restore``; the round trip through JSON is exact."""
        people = [
            {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(target).items()}
            for target in self.targets
        ]
        return {"next_id": self._next_id, "targets": people}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore a state that ``state`` returned."""
        self._next_id = state["next_id"]
        people: list[dict[str, Any]] = [
            {name: np.array(value) if isinstance(value, list) else value for name, value in target.items()}
            for target in state["targets"]
        ]
        self.targets = [Target(**person) for person in people]


def _trackable(keypoints_px: Sequence[np.ndarray] | np.ndarray, given_ids: Sequence[int | None]) -> list[int]:
    """Indices of the detections with enough joints; of those with the same track number, the most confident one."""
    best: dict[object, int] = {}
    for index, (keypoints, given) in enumerate(zip(keypoints_px, given_ids, strict=True)):
        if np.isfinite(keypoints[:, 0]).sum() < LEAST_JOINTS:
            continue
        key = ("without number", index) if given is None else given
        if key not in best or np.nansum(keypoints[:, 2]) > np.nansum(keypoints_px[best[key]][:, 2]):
            best[key] = index
    return sorted(best.values())
