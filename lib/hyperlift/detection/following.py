"""Whose body a set of joints is: distances between poses, what a body can move, and a person while being followed.

Distances are medians over the joints that both poses show, so that a few wild joints decide nothing, and are measured
in body sizes (the diagonal of the box around the joints that are seen).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hyperlift.detection.movenet_networks import Square
from hyperlift.shapes import Bool, Float

SEEN_SCORE = 0.2
"""A joint with a lower score of MoveNet counts as not seen."""
SAME_BODY = 0.15
"""Two poses nearer than this in one picture are one body, found twice."""
REST_REACH = 0.2
"""How far joints may lie from where they are expected at no time between: errors of the network, in body sizes."""
SPEED_REACH = 4.0
"""Body sizes a second that a body may stray from its straight course (a sprinter makes five heights a second)."""
WIDEST_REACH = 0.8
"""However long somebody was hidden, whoever appears farther off than this is somebody else."""
CROP_MARGIN = 1.25
"""Side of the square around a person over the long side of the box around their joints."""
_LEAST_JOINTS = 3
_MEMORY_S = 0.2
_SMALLEST_SQUARE_PX = 8.0

Pose = Float[np.ndarray, "joints 3"]
"""x, y in pixels and MoveNet's score."""


@dataclass
class Follower:
    """A person while being followed."""

    id: int
    pose: Pose
    frame: int
    """Where and when they were last seen."""
    velocity_px: Float[np.ndarray, " 2"] = field(default_factory=lambda: np.zeros(2))
    """Pixels a frame of the body on the whole, smoothed over ``_MEMORY_S``."""
    side_px: float = 0.0
    """Smoothed side of the square around them; 0 until the first sighting is taken in."""

    def state(self) -> dict[str, Any]:
        """The person as plain JSON values; doubles survive JSON to the last bit."""
        arrays = {"pose": self.pose.tolist(), "velocity_px": self.velocity_px.tolist()}
        return {"id": self.id, "frame": self.frame, "side_px": float(self.side_px), **arrays}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Follower":
        """The person whose ``state`` this was."""
        arrays = {name: np.array(state[name], np.float64) for name in ("pose", "velocity_px")}
        return cls(id=state["id"], frame=state["frame"], side_px=state["side_px"], **arrays)

    def square(self, frame: int) -> Square:
        """Where to look for them."""
        low, high = _box(self.pose)
        shift = self.velocity_px * (frame - self.frame)
        side = self.side_px or square_around(self.pose).side_px
        left, top = (low + high) / 2 + shift - side / 2
        return Square(float(left), float(top), side)

    def strangeness(self, pose: Pose, frame: int, fps: float) -> float:
        """Distance from where this person should be over what is possible; 1 and more is somebody else."""
        steps = frame - self.frame
        expected = self.velocity_px * steps
        # Whoever was hidden may have stopped or gone on: the nearer of both guesses counts.
        courses = [expected] if steps <= 2 else [expected, np.zeros(2)]
        reach = min(REST_REACH + SPEED_REACH * steps / fps, WIDEST_REACH)
        return min(pose_distance(self.pose, pose, course) for course in courses) / reach

    def take(self, pose: Pose, frame: int, fps: float) -> None:
        """Go on from a new sighting."""
        steps = frame - self.frame
        keep = math.exp(-steps / (fps * _MEMORY_S))
        moved = _both_seen(self.pose, pose)
        if moved.sum() >= _LEAST_JOINTS:
            course = np.median((pose - self.pose)[moved, :2], axis=0) / steps
            self.velocity_px = keep * self.velocity_px + (1 - keep) * course
        side = square_around(pose).side_px
        smooth = keep * (self.side_px or side) + (1 - keep) * side
        # A body that opens up must not leave its square while the smoothing catches up.
        self.side_px = max(smooth, side * 1.1 / CROP_MARGIN)
        self.pose, self.frame = pose, frame


def square_around(pose: Pose) -> Square:
    """The square in which a network should look at a person whose joints are roughly these."""
    low, high = _box(pose)
    side = max(CROP_MARGIN * float((high - low).max()), _SMALLEST_SQUARE_PX)
    left, top = (low + high) / 2 - side / 2
    return Square(float(left), float(top), side)


def looks_like_person(pose: Pose, least_mean_score: float) -> bool:
    """Whether a network that always answers has seen somebody."""
    return int((pose[:, 2] >= SEEN_SCORE).sum()) >= 6 and float(pose[:, 2].mean()) >= least_mean_score


def pose_distance(before: Pose, after: Pose, course_px: Float[np.ndarray, " 2"]) -> float:
    """Median distance in body sizes of the joints seen in both, ``before`` moved on by ``course_px``; infinite where
    there are too few."""
    shared = _both_seen(before, after)
    if shared.sum() < _LEAST_JOINTS:
        return math.inf
    offsets = after[shared, :2] - before[shared, :2] - course_px
    size = max(_size(before), _size(after))
    return float(np.median(np.linalg.norm(offsets, axis=1)) / size)


def one_each(poses: list[Pose]) -> list[Pose]:
    """The poses without those that show a body already there; the surer one stays."""
    kept: list[Pose] = []
    for pose in sorted(poses, key=lambda pose: -float(pose[:, 2].mean())):
        if not is_among(pose, kept, SAME_BODY):
            kept.append(pose)
    return kept


def is_among(pose: Pose, others: list[Pose], nearer_than: float) -> bool:
    """Whether one of ``others`` is the same body in the same picture."""
    return any(pose_distance(pose, other, np.zeros(2)) < nearer_than for other in others)


def who_is_who(followers: list[Follower], poses: list[Pose], frame: int, fps: float) -> dict[int, int]:
    """Index of the follower to index of the pose that fits their motion, all together at the least strangeness."""
    if not followers or not poses:
        return {}
    strangeness = np.array([[person.strangeness(pose, frame, fps) for pose in poses] for person in followers])
    # A pair at 1 costs as much as leaving both alone, so possible pairs are preferred and impossible ones cut.
    from scipy.optimize import linear_sum_assignment  # a second to import: only who detects waits for it

    rows, columns = linear_sum_assignment(np.minimum(strangeness, 1.0))
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if strangeness[r, c] < 1}


def _both_seen(one: Pose, other: Pose) -> Bool[np.ndarray, " joints"]:
    return (one[:, 2] >= SEEN_SCORE) & (other[:, 2] >= SEEN_SCORE)


def _box(pose: Pose) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
    seen = pose[:, 2] >= SEEN_SCORE
    points = pose[seen if seen.any() else slice(None), :2]
    return points.min(0), points.max(0)


def _size(pose: Pose) -> float:
    low, high = _box(pose)
    return max(float(np.linalg.norm(high - low)), 1.0)
