"""Which detection goes on with which track: what a pair costs, and the pairs of the least total cost.

Two detections can be one body where their joints lie close together, measured in body sizes and in what a body can
move in the time between, and where they are about equally large. No appearance is used. Body size is the diagonal of
the box around the joints; distances are medians over the joints that both show, so that a few wild joints decide
nothing. Missing joints are NaN everywhere.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hyperlift.shapes import Bool, Float

IMPOSSIBLE = 1.0
"""Pairs of this cost and above are never made: it is the cost of leaving a track alone."""
LEAST_JOINTS = 3
"""Joints that two detections must share to be compared: fewer say nothing about a body's place and size."""
REST_REACH = 0.2
"""Body sizes that joints may lie apart at no time between: errors of detectors."""
SPEED_REACH = 4.0
"""Body sizes a second that a body may stray from its straight course (a sprinter makes five heights a second)."""
WIDEST_REACH = 0.8
"""However long someone was unseen, a detection farther off than this many body sizes is somebody else: people who
stand side by side are about one body size apart."""
SCALE_REACH = 0.4
"""Natural logarithm of the ratio of two sizes of one body in neighbouring frames (a factor of 1.5)."""
SCALE_SPEED_REACH = 1.0
"""What is added to ``SCALE_REACH`` for each second unseen, in which people bend and come nearer."""
OTHER_ID = 0.4
"""What a given track number that contradicts a pair adds to its cost: it decides between pairs that are about equally
likely, and does not forbid a likely one."""
MEMORY_S = 0.2
"""Time constant of the smoothed velocity and extent: a step of a walk takes 0.5 s."""
OPENING = 0.88
"""The smoothed extent is at least this share of the newest one, so that a body that opens up stays inside its crop."""


@dataclass
class Target:
    """A person while being tracked: the latest detection, and how it moved."""

    id: int
    time_s: float
    keypoints_px: Float[np.ndarray, "joints 3"]
    """x, y in pixels and confidence, missing joints NaN."""
    given_id: int | None
    """The latest number that a detector's own tracker gave."""
    velocity_px_s: Float[np.ndarray, " 2"] = field(default_factory=lambda: np.zeros(2))
    """Of the body on the whole, smoothed over ``MEMORY_S``."""
    extent_px: float = 0.0
    """Longer side of the box around the joints, smoothed over ``MEMORY_S``; that of the first detection at first."""

    def __post_init__(self) -> None:
        self.extent_px = self.extent_px or box_around(self.keypoints_px)[1]

    def update(self, time_s: float, keypoints_px: Float[np.ndarray, "joints 3"], given_id: int | None) -> None:
        """Go on from a later detection."""
        gap_s = time_s - self.time_s
        keep = math.exp(-gap_s / MEMORY_S)
        moved = keypoints_px[:, :2] - self.keypoints_px[:, :2]
        moved = moved[np.isfinite(moved).all(-1)]
        if len(moved) >= LEAST_JOINTS:
            self.velocity_px_s = keep * self.velocity_px_s + (1 - keep) * (np.median(moved, axis=0) / gap_s)
        extent = box_around(keypoints_px)[1]
        self.extent_px = max(keep * self.extent_px + (1 - keep) * extent, OPENING * extent)
        self.time_s, self.keypoints_px = time_s, keypoints_px
        self.given_id = self.given_id if given_id is None else given_id

    def expected(self, time_s: float) -> tuple[Float[np.ndarray, " 2"], float]:
        """Middle and longer side, in pixels, of the box in which this person should be at a later time."""
        middle, _ = box_around(self.keypoints_px)
        return middle + self.velocity_px_s * (time_s - self.time_s), self.extent_px


Cost = Callable[
    [Sequence[Target], float, Float[np.ndarray, "people joints 3"], Sequence[int | None]],
    Float[np.ndarray, "targets people"],
]
"""Cost of every pair of a target and a detection: of targets, the time of the frame in seconds, the frame's keypoints
in pixels, and the numbers that a detector's own tracker gave. ``IMPOSSIBLE`` and above is another person."""


def motion_cost(
    targets: Sequence[Target],
    time_s: float,
    keypoints_px: Float[np.ndarray, "people joints 3"],
    given_ids: Sequence[int | None],
) -> Float[np.ndarray, "targets people"]:
    """Distance from where each target should be, and change of size, over what is possible.

    Numbers of another tracker are evidence, not truth: one that contradicts a pair adds ``OTHER_ID``.
    """
    gap_s = np.array([[time_s - target.time_s] for target in targets])
    last = np.stack([target.keypoints_px[:, :2] for target in targets])
    now = keypoints_px[..., :2]
    course = np.stack([target.velocity_px_s for target in targets]) * gap_s
    # Whoever stops while hidden has not kept to the course: the nearer of both guesses counts.
    apart = pose_distances(np.concatenate([last + course[:, None], last]), now).reshape(2, len(last), len(now)).min(0)
    cost = apart / np.minimum(REST_REACH + SPEED_REACH * gap_s, WIDEST_REACH)
    shared = np.asarray((np.isfinite(last[:, None]) & np.isfinite(now[None])).all(-1))
    growth = np.abs(np.log(_spread(now[None], shared) / _spread(last[:, None], shared)))
    cost = np.maximum(cost, growth / (SCALE_REACH + SCALE_SPEED_REACH * gap_s))
    for row, target in enumerate(targets):
        if target.given_id is not None:
            cost[row] += [OTHER_ID if given not in (None, target.given_id) else 0.0 for given in given_ids]
    return cost


def given_id_cost(
    targets: Sequence[Target],
    time_s: float,
    keypoints_px: Float[np.ndarray, "people joints 3"],
    given_ids: Sequence[int | None],
) -> Float[np.ndarray, "targets people"]:
    """Nothing where the given numbers are equal, else infinite: for numbers that a ``Tracker`` gave before."""
    return np.array([[0.0 if target.given_id == given else np.inf for given in given_ids] for target in targets])


def assign(cost: Float[np.ndarray, "rows columns"]) -> list[tuple[int, int]]:
    """Pairs (row, column) of the least total cost, where a row that stays alone costs ``IMPOSSIBLE``.

    Args:
        cost: of every pair; infinite where there is none.
    """
    rows, columns = cost.shape
    # A column of its own for every row lets the plain assignment leave it alone.
    alone = np.full((rows, rows), np.inf)
    np.fill_diagonal(alone, IMPOSSIBLE)
    full = np.concatenate([np.where(cost < IMPOSSIBLE, cost, np.inf), alone], axis=1)
    choice = full.argmin(1) if rows else np.empty(0, int)
    if len(set(choice.tolist())) < rows:  # two rows want one column: only then is there something to weigh up
        from scipy.optimize import linear_sum_assignment  # a second to import, and most videos never need it

        choice = linear_sum_assignment(full)[1]
    return [(row, int(column)) for row, column in enumerate(choice) if column < columns]


def pose_distances(
    poses_px: Float[np.ndarray, "poses joints 2"], others_px: Float[np.ndarray, "others joints 2"]
) -> Float[np.ndarray, "poses others"]:
    """Median distance of the joints that both have, in sizes of the larger body; infinite below ``LEAST_JOINTS``."""
    offsets = others_px[None] - poses_px[:, None]
    lengths = np.hypot(offsets[..., 0], offsets[..., 1])
    shared = np.isfinite(lengths)
    count = shared.sum(-1)[..., None]
    lengths = np.sort(np.where(shared, lengths, np.inf), axis=-1)
    middle = np.concatenate([np.maximum(count - 1, 0) // 2, np.minimum(count // 2, lengths.shape[-1] - 1)], axis=-1)
    median = np.take_along_axis(lengths, middle, axis=-1).mean(-1)
    size = np.maximum(body_sizes(poses_px)[:, None], body_sizes(others_px)[None])
    return np.where(count[..., 0] < LEAST_JOINTS, np.inf, median / size)


def body_sizes(points_px: Float[np.ndarray, "*poses joints 2"]) -> Float[np.ndarray, "*poses"]:
    """Diagonal of the box around the joints that are seen, in pixels; at least 1."""
    seen = np.isfinite(points_px)
    low = np.min(points_px, axis=-2, initial=np.inf, where=seen)
    high = np.max(points_px, axis=-2, initial=-np.inf, where=seen)
    sides = np.maximum(high - low, 0.0)
    return np.maximum(np.hypot(sides[..., 0], sides[..., 1]), 1.0)


def box_around(keypoints_px: Float[np.ndarray, "joints 3"]) -> tuple[Float[np.ndarray, " 2"], float]:
    """Middle and longer side of the box around the joints that are seen, of which there is one at least."""
    points = keypoints_px[np.isfinite(keypoints_px[:, 0]), :2]
    low, high = points.min(0), points.max(0)
    return (low + high) / 2, float((high - low).max())


def _spread(
    points_px: Float[np.ndarray, "*some joints 2"], shared: Bool[np.ndarray, "targets people joints"]
) -> Float[np.ndarray, "targets people"]:
    """Root mean square distance of the shared joints from their middle, in pixels; at least 1."""
    weight = shared / np.maximum(shared.sum(-1, keepdims=True), 1)
    points = np.where(shared[..., None], points_px, 0.0)
    middle = (weight[..., None] * points).sum(-2, keepdims=True)
    return np.maximum(np.sqrt((weight * np.square(points - middle).sum(-1)).sum(-1)), 1.0)
