"""The tracker: gives each detection of a frame the id of its person, as the frames come in."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hyperlift.shapes import Float
from hyperlift.tracking.association import LEAST_JOINTS, Cost, Target, assign, motion_cost
from hyperlift.tracking.gaps import LONGEST_GAP_S, ROUNDING_S

JUST_SEEN_S = 0.1
"""Whoever was seen this lately is paired before those who are hidden and may be anywhere: three frames of 30 a second,
as many as a detector often misses in a row."""


class Tracker:
    """Gives each detection the id of its person, frame by frame; remembers the last ``LONGEST_GAP_S`` alone.

    The bundled detector asks it for its crops, keypoint files go through it, and live uses it.

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
        """Know nobody yet.

        Args:
            cost: of a pair of a person and a detection; ``given_id_cost`` for numbers that a tracker gave before.
        """
        self._cost = cost
        self.reset()

    def reset(self) -> None:
        """Forget everybody; ids count from 0 again."""
        self.targets: list[Target] = []
        """People seen within the last ``LONGEST_GAP_S``, in the order of their ids."""
        self._next_id = 0

    def update(
        self,
        time_s: float,
        keypoints_px: Sequence[Float[np.ndarray, "joints 3"]] | Float[np.ndarray, "people joints 3"],
        given_ids: Sequence[int | None] | None = None,
        start_new: bool = True,
    ) -> list[int | None]:
        """Identify the people of the next frame, or further people of the same one.

        Args:
            time_s: of the frame; not before that of the last call. Whoever has a detection of this time gets no other.
            keypoints_px: x, y in pixels and confidence, missing joints NaN; in any order, in one skeleton.
            given_ids: numbers of another tracker; of several people with one number, the most confident counts.
            start_new: whether somebody unknown, or unseen for more than ``LONGEST_GAP_S``, gets the next free id.

        Returns:
            One id a detection; None for those that are not tracked (fewer than ``LEAST_JOINTS`` joints, a weaker one
            with the same number, or unknown where ``start_new`` is false).
        """
        self.targets = [t for t in self.targets if time_s - t.time_s <= LONGEST_GAP_S + ROUNDING_S]
        given = given_ids or [None] * len(keypoints_px)
        ids: list[int | None] = [None] * len(keypoints_px)
        waiting = _worth_tracking(keypoints_px, given)
        recent = [target for target in self.targets if 0 < time_s - target.time_s <= JUST_SEEN_S]
        hidden = [target for target in self.targets if time_s - target.time_s > JUST_SEEN_S]
        for targets in (recent, hidden):
            if not targets or not waiting:
                continue
            people = np.stack([keypoints_px[person] for person in waiting])
            for row, column in assign(self._cost(targets, time_s, people, [given[person] for person in waiting])):
                targets[row].update(time_s, people[column], given[waiting[column]])
                ids[waiting[column]] = targets[row].id
            waiting = [person for person in waiting if ids[person] is None]
        for person in waiting if start_new else []:
            ids[person] = self._next_id
            self.targets.append(Target(self._next_id, time_s, np.array(keypoints_px[person]), given[person]))
            self._next_id += 1
        return ids

    def state(self) -> dict[str, Any]:
        """Everything that is remembered, as plain JSON values; doubles survive JSON to the last bit."""
        people = [
            {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(target).items()}
            for target in self.targets
        ]
        return {"next_id": self._next_id, "targets": people}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``state`` was returned."""
        self._next_id = state["next_id"]
        people: list[dict[str, Any]] = [
            {name: np.array(value) if isinstance(value, list) else value for name, value in target.items()}
            for target in state["targets"]
        ]
        self.targets = [Target(**person) for person in people]


def _worth_tracking(keypoints_px: Sequence[np.ndarray] | np.ndarray, given_ids: Sequence[int | None]) -> list[int]:
    """Who has enough joints; of several with one number the most confident."""
    worth: dict[object, int] = {}
    for index, (keypoints, given) in enumerate(zip(keypoints_px, given_ids, strict=True)):
        if np.isfinite(keypoints[:, 0]).sum() < LEAST_JOINTS:
            continue
        key = ("alone", index) if given is None else given
        if key not in worth or np.nansum(keypoints[:, 2]) > np.nansum(keypoints_px[worth[key]][:, 2]):
            worth[key] = index
    return sorted(worth.values())
