"""Telling people apart from frame to frame, as the frames come in.

Two detections are the same person when their joints lie close together, measured in the person's own size and in what
a body can move in the time between, and when they are about equally large. The detector's own track numbers count as
evidence, not as truth: a number that jumps to another body is not followed there. No appearance is used.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hyperlift.shapes import Bool, Float, Int
from hyperlift.wild.keypoints import Detection

LONGEST_GAP_S = 1.0
"""Someone unseen for longer comes back as another person."""
REST_REACH = 0.2
"""How far joints may lie apart at no time between: detector errors, in body sizes."""
SPEED_REACH = 4.0
"""Body sizes a second that joints may move on the whole (a sprinter makes five heights a second), beyond the
straight course so far."""
WIDEST_REACH = 0.8
"""However long someone was unseen, a detection farther off than this is somebody else."""
SCALE_REACH = 0.4
"""Natural logarithm of the ratio of two sizes of one body in neighbouring frames (a factor of 1.5)."""
SCALE_SPEED_REACH = 1.0
"""What is added to ``SCALE_REACH`` for each second unseen, in which people bend and come nearer."""
OTHER_NUMBER = 0.4
"""What a track number of the detector that contradicts a pairing adds to its cost, where 1 means impossible."""
LEAST_JOINTS = 3
_COURSE_MEMORY_S = 0.2
_JUST_SEEN_S = 0.1
"""Whoever was seen this lately is paired before those who have been hidden for longer and may be anywhere."""
_ROUNDING_S = 1e-9


@dataclass
class _Trail:
    """A person while being followed: where last seen, and the course."""

    number: int
    time_s: float
    detection: Detection
    track_id: int | None
    velocity_px_s: Float[np.ndarray, " 2"] = field(default_factory=lambda: np.zeros(2))
    """Of the body on the whole, smoothed."""

    def add(self, time_s: float, detection: Detection) -> None:
        gap_s = time_s - self.time_s
        moved = _shared_offsets(self.detection, detection)
        if len(moved):
            keep = math.exp(-gap_s / _COURSE_MEMORY_S)
            self.velocity_px_s = keep * self.velocity_px_s + (1 - keep) * np.median(moved, axis=0) / gap_s
        self.time_s, self.detection = time_s, detection
        if detection.track_id is not None:
            self.track_id = detection.track_id


class Follower:
    """Gives each detection the number of its person, frame by frame; remembers the last second only."""

    def __init__(self) -> None:
        self._trails: list[_Trail] = []
        self._known = 0

    def follow(self, time_s: float, people: Sequence[Detection]) -> list[int | None]:
        """Number everybody in the next frame.

        Somebody new, and somebody unseen for more than ``LONGEST_GAP_S``, gets the next free number from 0.

        Args:
            time_s: of this frame; later than that of the frame before.
            people: in any order, in one skeleton. Of several with the same track number of the detector, the most
                confident counts.

        Returns:
            One number a detection; None for those that are not followed (fewer than ``LEAST_JOINTS`` joints, or
            a weaker namesake).
        """
        self._trails = [t for t in self._trails if time_s - t.time_s <= LONGEST_GAP_S + _ROUNDING_S]
        numbers: list[int | None] = [None] * len(people)
        waiting = _worth_following(people)
        recent = [trail for trail in self._trails if time_s - trail.time_s <= _JUST_SEEN_S]
        hidden = [trail for trail in self._trails if time_s - trail.time_s > _JUST_SEEN_S]
        for trails in (recent, hidden):
            cost = _costs(trails, time_s, [people[person] for person in waiting])
            for row, column in cheapest_pairs(cost, 1.0):
                trails[row].add(time_s, people[waiting[column]])
                numbers[waiting[column]] = trails[row].number
            waiting = [person for person in waiting if numbers[person] is None]
        for person in waiting:
            numbers[person] = self._known
            self._trails.append(_Trail(self._known, time_s, people[person], people[person].track_id))
            self._known += 1
        return numbers


def cheapest_pairs(cost: Float[np.ndarray, "rows columns"], unmatched_cost: float) -> list[tuple[int, int]]:
    """Pairs (row, column) that minimise the summed cost, where leaving a row alone costs ``unmatched_cost``.

    Args:
        cost: cost of every pair; infinite where a pair is impossible.
        unmatched_cost: pairs at or above it are never made.
    """
    rows, columns = cost.shape
    # A private way out for every row lets the plain assignment leave it alone.
    ways_out = np.full((rows, rows), np.inf)
    np.fill_diagonal(ways_out, unmatched_cost)
    full = np.concatenate([np.where(cost < unmatched_cost, cost, np.inf), ways_out], axis=1)
    choice = full.argmin(1) if rows else np.empty(0, int)
    if len(set(choice.tolist())) < rows:  # two rows want one column: only then is there something to weigh up
        from scipy.optimize import linear_sum_assignment  # a second to import, and most videos never need it

        choice = linear_sum_assignment(full)[1]
    return [(row, int(column)) for row, column in enumerate(choice) if column < columns]


def body_size(keypoints_px: Float[np.ndarray, "joints 3"]) -> float:
    """Diagonal of the box around the joints, in pixels; never 0."""
    points = keypoints_px[np.isfinite(keypoints_px[:, 0]), :2]
    return max(float(np.linalg.norm(np.ptp(points, axis=0))), 1.0) if len(points) else 1.0


def _worth_following(people: Sequence[Detection]) -> list[int]:
    strongest: dict[int, int] = {}
    free = []
    for index, person in enumerate(people):
        if np.isfinite(person.keypoints_px[:, 0]).sum() < LEAST_JOINTS:
            continue
        if person.track_id is None:
            free.append(index)
        elif person.track_id not in strongest or _trust(person) > _trust(people[strongest[person.track_id]]):
            strongest[person.track_id] = index
    return sorted([*free, *strongest.values()])


def _trust(person: Detection) -> float:
    return float(np.nansum(person.keypoints_px[:, 2]))


def _costs(trails: list[_Trail], time_s: float, people: Sequence[Detection]) -> Float[np.ndarray, "trails people"]:
    """Distance of everybody from where each trail should be over what is possible; 1 and more is another person."""
    if not trails or not people:
        return np.empty((len(trails), len(people)))
    gap_s = np.array([[time_s - trail.time_s] for trail in trails])
    last = np.stack([trail.detection.keypoints_px for trail in trails])[:, None, :, :2]
    now = np.stack([person.keypoints_px for person in people])[None, :, :, :2]
    shared = np.asarray(np.isfinite(last).all(-1) & np.isfinite(now).all(-1))
    count = shared.sum(-1)
    moved = np.where(shared[..., None], now - last, np.inf)
    expected = np.stack([trail.velocity_px_s for trail in trails])[:, None, None] * gap_s[..., None, None]
    # Whoever stops while hidden has not kept to the course: the nearer of both guesses counts.
    distance = np.minimum(_median_length(moved - expected, count), _median_length(moved, count))
    sizes = np.array([[body_size(trail.detection.keypoints_px)] for trail in trails])
    size = np.maximum(sizes, [[body_size(person.keypoints_px) for person in people]])
    cost = distance / size / np.minimum(REST_REACH + SPEED_REACH * gap_s, WIDEST_REACH)
    growth = np.abs(np.log(_spread(now, shared) / _spread(last, shared)))
    cost = np.maximum(cost, growth / (SCALE_REACH + SCALE_SPEED_REACH * gap_s))
    for row, trail in enumerate(trails):
        for column, person in enumerate(people):
            if trail.track_id is not None and person.track_id not in (None, trail.track_id):
                cost[row, column] += OTHER_NUMBER
    return np.where(count < LEAST_JOINTS, np.inf, cost)


def _median_length(
    offsets: Float[np.ndarray, "trails people joints 2"], count: Int[np.ndarray, "trails people"]
) -> Float[np.ndarray, "trails people"]:
    """Median over the finite ones (the upper one of two), of which there are ``count``."""
    lengths = np.sort(np.hypot(offsets[..., 0], offsets[..., 1]), axis=-1)
    return np.take_along_axis(lengths, np.minimum(count // 2, lengths.shape[-1] - 1)[..., None], axis=-1)[..., 0]


def _spread(
    points: Float[np.ndarray, "*some joints 2"], shared: Bool[np.ndarray, "trails people joints"]
) -> Float[np.ndarray, "trails people"]:
    """Root mean square distance of the shared joints from their middle, in pixels; at least 1."""
    weight = shared / np.maximum(shared.sum(-1, keepdims=True), 1)
    points = np.where(shared[..., None], points, 0.0)
    middle = (weight[..., None] * points).sum(-2, keepdims=True)
    return np.maximum(np.sqrt((weight * np.square(points - middle).sum(-1)).sum(-1)), 1.0)


def _shared_offsets(before: Detection, after: Detection) -> Float[np.ndarray, "shared 2"]:
    """What every joint that both have has moved, in pixels."""
    moved = after.keypoints_px[:, :2] - before.keypoints_px[:, :2]
    return moved[np.isfinite(moved).all(-1)]
