"""Data association: the cost of a pair of track and detection, and the assignment of minimal total cost.

The cost compares the distance of the joints with the distance that a body can move in the time between, and the sizes
of both bodies; appearance is not used. Lengths are in body sizes: the diagonal of the bounding box of the joints.
Distances are medians over the shared joints, which makes them robust to outliers. Missing joints are NaN.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hyperlift.shapes import Bool, Float

UNMATCHED_COST = 1.0
"""Cost of leaving a track unmatched: pairs of this cost and above are never made. By definition 1; all costs are ratios
to what is possible."""
LEAST_JOINTS = 3
"""Minimal number of shared joints. Chosen: fewer do not determine the position and the size of a body."""
REST_REACH = 0.2
"""Distance in body sizes that joints may have at equal times. Chosen: the localisation error of detectors."""
SPEED_REACH = 4.0
"""Maximal deviation from the predicted position, in body sizes per second. Chosen: a sprinter runs five heights per
second, most of which the prediction covers."""
WIDEST_REACH = 0.8
"""Maximal distance in body sizes after any gap. Chosen: people who stand side by side are about one body size apart."""
SCALE_REACH = 0.4
"""Maximal logarithm of the ratio of two sizes of one body in successive frames. Chosen: a factor of 1.5."""
SCALE_SPEED_REACH = 1.0
"""Increase of ``SCALE_REACH`` per second of the gap, in which a person can bend or approach. Chosen: a factor of
2.7."""
ID_MISMATCH_COST = 0.4
"""Cost added to a pair whose track number, given by an external tracker, differs. Chosen below ``UNMATCHED_COST``: it
decides between pairs of similar cost and does not exclude a good pair."""
MEMORY_S = 0.2
"""Time constant of the smoothed velocity and extent. Chosen: less than half a step of a walk, which takes 0.5 s."""
MIN_EXTENT_SHARE = 0.88
"""Minimal ratio of the smoothed extent to the latest one. Chosen: a person who stretches out stays inside the crop,
which has a margin."""


@dataclass
class Target:
    """The state of a tracked person. The names of the fields are keys in the journal of a detection run."""

    id: int
    time_s: float
    keypoints_px: Float[np.ndarray, "joints 3"]
    """x, y in pixels and confidence, missing joints NaN."""
    given_id: int | None
    """The latest track number of an external tracker."""
    velocity_px_s: Float[np.ndarray, " 2"] = field(default_factory=lambda: np.zeros(2))
    """Median velocity of the joints, smoothed with ``MEMORY_S``."""
    extent_px: float = 0.0
    """Longer side of the bounding box of the joints, smoothed with ``MEMORY_S``."""

    def __post_init__(self) -> None:
        self.extent_px = self.extent_px or box_around(self.keypoints_px)[1]

    def update(self, time_s: float, keypoints_px: Float[np.ndarray, "joints 3"], given_id: int | None) -> None:
        """Update the state with a later detection."""
        gap_s = time_s - self.time_s
        keep = math.exp(-gap_s / MEMORY_S)
        offsets = keypoints_px[:, :2] - self.keypoints_px[:, :2]
        offsets = offsets[np.isfinite(offsets).all(-1)]
        if len(offsets) >= LEAST_JOINTS:
            self.velocity_px_s = keep * self.velocity_px_s + (1 - keep) * (np.median(offsets, axis=0) / gap_s)
        extent = box_around(keypoints_px)[1]
        self.extent_px = max(keep * self.extent_px + (1 - keep) * extent, MIN_EXTENT_SHARE * extent)
        self.time_s, self.keypoints_px = time_s, keypoints_px
        self.given_id = self.given_id if given_id is None else given_id

    def expected(self, time_s: float) -> tuple[Float[np.ndarray, " 2"], float]:
        """Predicted bounding box at a later time: centre and longer side in pixels (constant velocity)."""
        middle, _ = box_around(self.keypoints_px)
        return middle + self.velocity_px_s * (time_s - self.time_s), self.extent_px


Cost = Callable[
    [Sequence[Target], float, Float[np.ndarray, "people joints 3"], Sequence[int | None]],
    Float[np.ndarray, "targets people"],
]
"""Cost of every pair of target and detection, from the targets, the time of the frame in seconds, its keypoints in
pixels, and the track numbers of an external tracker. ``UNMATCHED_COST`` and above means different people."""


def motion_cost(
    targets: Sequence[Target],
    time_s: float,
    keypoints_px: Float[np.ndarray, "people joints 3"],
    given_ids: Sequence[int | None],
) -> Float[np.ndarray, "targets people"]:
    """Distance from the predicted position and change of size, each relative to its maximum; the larger ratio counts.

    A different track number of an external tracker adds ``ID_MISMATCH_COST``.
    """
    gap_s = np.array([[time_s - target.time_s] for target in targets])
    last = np.stack([target.keypoints_px[:, :2] for target in targets])
    now = keypoints_px[..., :2]
    motion = np.stack([target.velocity_px_s for target in targets]) * gap_s
    # Two predictions, constant velocity and at rest, because a person may stop while occluded: the nearer one counts.
    predicted = np.concatenate([last + motion[:, None], last])
    distance = pose_distances(predicted, now).reshape(2, len(last), len(now)).min(0)
    cost = distance / np.minimum(REST_REACH + SPEED_REACH * gap_s, WIDEST_REACH)
    shared = np.asarray((np.isfinite(last[:, None]) & np.isfinite(now[None])).all(-1))
    growth = np.abs(np.log(_spread(now[None], shared) / _spread(last[:, None], shared)))
    cost = np.maximum(cost, growth / (SCALE_REACH + SCALE_SPEED_REACH * gap_s))
    for row, target in enumerate(targets):
        if target.given_id is not None:
            cost[row] += [ID_MISMATCH_COST if given not in (None, target.given_id) else 0.0 for given in given_ids]
    return cost


def given_id_cost(
    targets: Sequence[Target],
    time_s: float,
    keypoints_px: Float[np.ndarray, "people joints 3"],
    given_ids: Sequence[int | None],
) -> Float[np.ndarray, "targets people"]:
    """0 for equal track numbers, else infinite: for detections whose identities a ``Tracker`` has assigned."""
    return np.array([[0.0 if target.given_id == given else np.inf for given in given_ids] for target in targets])


def assign(cost: Float[np.ndarray, "rows columns"]) -> list[tuple[int, int]]:
    """Pairs (row, column) of minimal total cost, where an unmatched row costs ``UNMATCHED_COST``.

    Args:
        cost: infinite for impossible pairs.
    """
    rows, columns = cost.shape
    # One dummy column per row represents "unmatched".
    unmatched = np.full((rows, rows), np.inf)
    np.fill_diagonal(unmatched, UNMATCHED_COST)
    full = np.concatenate([np.where(cost < UNMATCHED_COST, cost, np.inf), unmatched], axis=1)
    choice = full.argmin(1) if rows else np.empty(0, int)
    if len(set(choice.tolist())) < rows:  # two rows prefer the same column; otherwise the row minima are optimal
        from scipy.optimize import linear_sum_assignment  # the import takes a second, and most videos do not need it

        choice = linear_sum_assignment(full)[1]
    return [(row, int(column)) for row, column in enumerate(choice) if column < columns]


def pose_distances(
    poses_px: Float[np.ndarray, "poses joints 2"], others_px: Float[np.ndarray, "others joints 2"]
) -> Float[np.ndarray, "poses others"]:
    """Median distance of the shared joints, in sizes of the larger body; infinite for fewer than ``LEAST_JOINTS``."""
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
    """Diagonal of the bounding box of the visible joints, in pixels; at least 1."""
    seen = np.isfinite(points_px)
    low = np.min(points_px, axis=-2, initial=np.inf, where=seen)
    high = np.max(points_px, axis=-2, initial=-np.inf, where=seen)
    sides = np.maximum(high - low, 0.0)
    return np.maximum(np.hypot(sides[..., 0], sides[..., 1]), 1.0)


def box_around(keypoints_px: Float[np.ndarray, "joints 3"]) -> tuple[Float[np.ndarray, " 2"], float]:
    """Centre and longer side of the bounding box of the visible joints; at least one joint must be visible."""
    points = keypoints_px[np.isfinite(keypoints_px[:, 0]), :2]
    low, high = points.min(0), points.max(0)
    return (low + high) / 2, float((high - low).max())


def _spread(
    points_px: Float[np.ndarray, "*some joints 2"], shared: Bool[np.ndarray, "targets people joints"]
) -> Float[np.ndarray, "targets people"]:
    """RMS distance of the shared joints from their mean, in pixels; at least 1."""
    weight = shared / np.maximum(shared.sum(-1, keepdims=True), 1)
    points = np.where(shared[..., None], points_px, 0.0)
    middle = (weight[..., None] * points).sum(-2, keepdims=True)
    return np.maximum(np.sqrt((weight * np.square(points - middle).sum(-1)).sum(-1)), 1.0)
