"""Following each person through the frames.

Two detections are the same person when their joints lie close together, measured in the person's own size and
in what a body can move in the time between. Track numbers of the detector are kept where they obey that;
where a number jumps to another body, the track is cut. Without numbers, people are matched frame by frame.
"""

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.wild.assignment import cheapest_pairs
from hyperlift.wild.keypoints import Detection, Detections, Track

LONGEST_GAP_S = 1.0
"""Someone unseen for longer starts a new track."""
SHORTEST_TRACK_S = 0.3
"""Tracks with fewer detections than this are dropped: ghosts, passers-by half hidden. A recording that is
shorter itself needs the person in half of its frames."""
REST_REACH = 0.2
"""How far joints may lie apart at no time between: detector errors, in body sizes."""
SPEED_REACH = 4.0
"""Body sizes a second that joints may move on the whole (a sprinter makes five heights a second), beyond the
straight course so far."""
WIDEST_REACH = 0.8
"""However long someone was unseen, a detection farther off than this is somebody else."""
_COURSE_MEMORY_S = 0.2
_LEAST_JOINTS = 3

_log = logging.getLogger(__name__)


@dataclass
class _Trail:
    """A person while being followed."""

    track_id: int | None
    frames: list[int] = field(default_factory=list)
    detections: list[Detection] = field(default_factory=list)
    velocity_px: Float[np.ndarray, " 2"] = field(default_factory=lambda: np.zeros(2))
    """Pixels a frame of the body on the whole, smoothed."""

    def add(self, frame: int, detection: Detection, fps: float) -> None:
        if self.frames:
            steps = frame - self.frames[-1]
            moved = _shared_offsets(self.detections[-1], detection)
            if len(moved):
                keep = math.exp(-steps / (fps * _COURSE_MEMORY_S))
                self.velocity_px = keep * self.velocity_px + (1 - keep) * np.median(moved, axis=0) / steps
        self.frames.append(frame)
        self.detections.append(detection)

    def strangeness(self, frame: int, detection: Detection, fps: float) -> float:
        """Distance from where this person should be over what is possible; 1 and more is another person."""
        gap_s = (frame - self.frames[-1]) / fps
        offsets = _shared_offsets(self.detections[-1], detection)
        if gap_s > LONGEST_GAP_S or len(offsets) < _LEAST_JOINTS:
            return math.inf
        size = max(_body_size(self.detections[-1]), _body_size(detection))
        reach = min(REST_REACH + SPEED_REACH * gap_s, WIDEST_REACH)
        expected = self.velocity_px * (frame - self.frames[-1])
        # Whoever stops while hidden has not kept to the course: the nearer of both guesses counts.
        distance = min(np.median(np.linalg.norm(offsets - guess, axis=1)) for guess in (expected, 0 * expected))
        return float(distance / (size * reach))


def follow_people(detections: Detections, fps: float) -> list[Track]:
    """Link the detections of a recording into one track a person, in the detector's joints.

    The detector's own track number becomes the track's id; a track that had to be cut goes on under a new
    one.

    Args:
        detections: everybody, frame by frame.
        fps: frames a second of the video.

    Raises:
        InputError: nobody is seen for long enough.
    """
    trails: list[_Trail] = []
    latest: dict[int, _Trail] = {}
    for frame, people in detections.frames.items():
        seen = [person for person in people if np.isfinite(person.keypoints_px[:, 0]).sum() >= _LEAST_JOINTS]
        for track_id in sorted({person.track_id for person in seen if person.track_id is not None}):
            namesakes = [person for person in seen if person.track_id == track_id]
            namesake = max(namesakes, key=lambda person: float(person.keypoints_px[:, 2].sum()))
            if track_id not in latest or latest[track_id].strangeness(frame, namesake, fps) >= 1:
                latest[track_id] = _Trail(track_id)
                trails.append(latest[track_id])
            latest[track_id].add(frame, namesake, fps)
        _continue_nearest(trails, frame, [person for person in seen if person.track_id is None], fps)

    shortest = max(1, min(math.ceil(SHORTEST_TRACK_S * fps), detections.span // 2))
    kept = [trail for trail in trails if len(trail.frames) >= shortest]
    if not kept:
        raise InputError(
            f"{detections.source}: nobody is seen in {shortest} frames or more that belong together; "
            "check --fps and the frame numbers"
        )
    if len(kept) < len(trails):
        _log.info("%d tracks of less than %d frames dropped", len(trails) - len(kept), shortest)
    return _number(kept)


def _continue_nearest(trails: list[_Trail], frame: int, people: list[Detection], fps: float) -> None:
    if not people:
        return
    alive = [t for t in trails if t.track_id is None and frame - t.frames[-1] <= LONGEST_GAP_S * fps]
    cost = np.array([[trail.strangeness(frame, person, fps) for person in people] for trail in alive])
    pairs = cheapest_pairs(cost.reshape(len(alive), len(people)).astype(float), unmatched_cost=1.0)
    for trail, person in pairs:
        alive[trail].add(frame, people[person], fps)
    for person in sorted(set(range(len(people))) - {person for _, person in pairs}):
        newcomer = _Trail(None)
        newcomer.add(frame, people[person], fps)
        trails.append(newcomer)


def _number(trails: Iterable[_Trail]) -> list[Track]:
    """Own numbers first come first served; the parts of a cut track and people without a number get free
    ones."""
    trails = sorted(trails, key=lambda trail: trail.frames[0])
    used: set[int] = set()
    owners = []
    for trail in trails:
        is_first = trail.track_id is not None and trail.track_id not in used
        if is_first and trail.track_id is not None:
            used.add(trail.track_id)
        owners.append(trail.track_id if is_first else None)
    following = iter(range(max(used, default=-1) + 1, max(used, default=-1) + 1 + len(trails)))
    return [
        Track(
            id=next(following) if owner is None else owner,
            frame=np.array(trail.frames),
            keypoints_px=np.stack([detection.keypoints_px for detection in trail.detections]),
        )
        for trail, owner in zip(trails, owners, strict=True)
    ]


def _shared_offsets(before: Detection, after: Detection) -> Float[np.ndarray, "shared 2"]:
    """What every joint that both have has moved, in pixels."""
    moved = after.keypoints_px[:, :2] - before.keypoints_px[:, :2]
    return moved[np.isfinite(moved).all(-1)]


def _body_size(person: Detection) -> float:
    """Diagonal of the box around the joints, in pixels; never 0."""
    points = person.keypoints_px[np.isfinite(person.keypoints_px[:, 0]), :2]
    return max(float(np.linalg.norm(np.ptp(points, axis=0))), 1.0)
