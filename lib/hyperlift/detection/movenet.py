"""Detector with the bundled MoveNet: MultiPose finds new people at intervals, SinglePose refines each person's crop."""

from typing import Any

import numpy as np

from hyperlift.detection.crops import Picture, check_picture
from hyperlift.detection.movenet_networks import MAX_PEOPLE, MultiPose, SinglePose, Square
from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detection
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.skeletons.mapping import mark_missing
from hyperlift.tracking.association import box_around, pose_distances
from hyperlift.tracking.gaps import ROUNDING_S
from hyperlift.tracking.tracker import Tracker

FIND_EVERY_S = 0.2
"""Interval of searches in the whole picture. Chosen: a new person is found within this time."""
SEEK_EVERY_S = 0.07
"""The same while a tracked person is missing. Chosen: 2 frames at 30 frames a second."""
SEEN_SCORE = 0.2
"""A joint with a lower score counts as missing: less than a quarter of such joints are right (``_CONFIDENCE_AT``)."""

_MIN_SEEN = 6
"""Minimum number of detected joints of a person. Chosen: a third of COCO's 17."""
_MIN_SCORE_NEW = 0.3
_MIN_SCORE_KNOWN = 0.25
_MIN_SCORE_FOUND = 0.1
"""Minimum mean scores of a pose: of a new person, of a tracked person, and of MultiPose before refinement. Chosen: new
people need more evidence than tracked ones, and refinement rejects false positives of MultiPose."""
_SAME_BODY = 0.15
"""Poses in one picture that are closer than this many body sizes are duplicates. Chosen: below the distance of two
people side by side."""
_EXPLAINED = 0.25
"""The same for a pose of MultiPose, which is less accurate."""
_CROP_MARGIN = 1.25
"""Side of the square crop over the longer side of the box around the joints. Chosen: near MoveNet's own cropping."""
_SMALLEST_SQUARE_PX = 8.0
"""Smallest crop. Chosen: nobody is recognisable below, and the size must not be 0."""
_TILE_SHARE = 0.6
"""Fraction of the long side that each of two tiles covers. Chosen: an overlap of 20 % keeps a person whole in one."""

Pose = Float[np.ndarray, "joints 3"]
"""x, y in pixels and MoveNet's score."""

_CONFIDENCE_AT = (
    (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0),
    (0.0, 0.05, 0.25, 0.45, 0.65, 0.83, 0.90, 0.95, 0.98, 1.0),
)
"""Scores and their confidences, measured by ``benchmarks/detection.py`` as ``movenet_confidence`` states."""


def movenet_confidence(score: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Convert MoveNet's score to a confidence 0..1.

    A score is not a probability: correct joints score between 0.5 and 0.9. The confidence is approximately the fraction
    of joints with that score whose position agrees, within 2 % of the body's size, with that in the mirrored picture
    (``benchmarks/detection.py``). This is an upper bound of correctness, because both positions can be wrong alike.

    Example:
        >>> import numpy as np
        >>> from hyperlift.detection.movenet import movenet_confidence
        >>> movenet_confidence(np.array([0.1, 0.5, 1.0]))
        array([0.05, 0.83, 1.  ])
    """
    return np.interp(score, *_CONFIDENCE_AT)


class MoveNetDetector:
    """Finds people with MultiPose, and their joints with Thunder or Lightning in a square crop.

    A ``TrackingDetector`` with COCO-17 joints: its ``tracker`` predicts the crops and gives the ids. A missing person
    keeps the id for 1 s.
    """

    skeleton = COCO_17

    def __init__(
        self,
        follow: str = "thunder",
        long_side: int = 512,
        fps: float = 30.0,
        threads: int | None = None,
    ) -> None:
        """Open the networks; nothing is downloaded.

        Args:
            follow: the network for crops: ``thunder`` is more accurate, ``lightning`` several times faster.
            long_side: to which pictures are scaled to find people, a multiple of 32.
            fps: of the video; bounds the motion between frames.
            threads: CPU threads; None takes all cores.

        Raises:
            InputError: an option is out of range, or the networks are not in this installation.
        """
        if not 0 < fps < float("inf"):
            raise InputError(f"fps is {fps:g}; give the video's frames a second")
        self.name = f"MoveNet {follow}"
        self._find = MultiPose(long_side, threads)
        self._look = SinglePose(follow, threads)
        self._fps = fps
        self.tracker = Tracker()
        self.reset()

    def reset(self) -> None:
        """Reset the state before another video."""
        self.tracker.reset()
        self._last_frame = -1
        self._last_search: int | None = None

    def state(self) -> dict[str, Any]:
        """The state of the tracker; see ``ResumableDetector``."""
        return {
            "tracker": self.tracker.state(),
            "last_frame": self._last_frame,
            "last_search": self._last_search,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state of ``state``."""
        self.tracker.restore(state["tracker"])
        self._last_frame = state["last_frame"]
        self._last_search = state["last_search"]

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        """Detect all people in the next picture of a video; see ``Detector``.

        Raises:
            InputError: no RGB picture, or a frame number that does not increase.
        """
        check_picture(frame_rgb)
        if index <= self._last_frame:
            raise InputError(f"frame {index} comes after frame {self._last_frame}; call reset() before another video")
        self._last_frame = index

        now_s = index / self._fps
        # Only recently detected people are searched in their crop: in that of a hidden person stands somebody else.
        lately_s = now_s - SEEK_EVERY_S - 1 / self._fps - ROUNDING_S
        lately = [person for person in self.tracker.targets if person.time_s >= lately_s]
        poses = [self._look(frame_rgb, crop_square(*person.expected(now_s))) for person in lately]
        poses = _distinct([pose for pose in poses if _shows_person(pose, _MIN_SCORE_KNOWN)])
        # Poses from crops of tracked people start no new track.
        people = self._identified(poses, now_s, start_new=False)
        if self._search_is_due(index):
            self._last_search = index
            people |= self._identified(self._newly_found(frame_rgb, list(people.values())), now_s)
        return [Detection(_with_confidence(people[number]), number) for number in sorted(people)]

    def _identified(self, poses: list[Pose], now_s: float, start_new: bool = True) -> dict[int, Pose]:
        ids = self.tracker.update(now_s, mark_missing(_stacked(poses), SEEN_SCORE), start_new=start_new)
        return {number: pose for number, pose in zip(ids, poses, strict=True) if number is not None}

    def _search_is_due(self, index: int) -> bool:
        if self._last_search is None:
            return True
        hidden = [person.time_s for person in self.tracker.targets if person.time_s < index / self._fps]
        if any(seen_s >= self._last_search / self._fps for seen_s in hidden):
            return True  # a person was just lost: search now
        wait_s = SEEK_EVERY_S if hidden else FIND_EVERY_S
        return index - self._last_search >= max(1, round(self._fps * wait_s))

    def _newly_found(self, picture: Picture, shown: list[Pose]) -> list[Pose]:
        """New people of MultiPose that no crop shows, refined in a crop of their own."""
        fresh: list[Pose] = []
        for rough in self._everybody(picture):
            if not _shows_person(rough, _MIN_SCORE_FOUND) or _is_among(rough, shown, _EXPLAINED):
                continue
            pose = self._look(picture, square_around(rough))
            if _shows_person(pose, _MIN_SCORE_NEW) and not _is_among(pose, shown, _SAME_BODY):
                fresh.append(pose)
        return _distinct(fresh)

    def _everybody(self, picture: Picture) -> list[Pose]:
        """MultiPose on the whole picture; if it finds its maximum of people, also on both halves."""
        found = self._find(picture)
        if len(found) < MAX_PEOPLE:
            return found
        for top, bottom, left, right in _halves(*picture.shape[:2]):
            for pose in self._find(picture[top:bottom, left:right]):
                found.append(pose + np.array([left, top, 0.0]))
        return _distinct(found)


def crop_square(middle_px: Float[np.ndarray, " 2"], extent_px: float) -> Square:
    """The square crop of a person in a box with this centre and longer side."""
    side = max(_CROP_MARGIN * extent_px, _SMALLEST_SQUARE_PX)
    left, top = middle_px - side / 2
    return Square(float(left), float(top), side)


def square_around(pose: Pose) -> Square:
    """The square crop of a person with approximate joints."""
    seen = mark_missing(pose, SEEN_SCORE)
    return crop_square(*box_around(seen if np.isfinite(seen[:, 0]).any() else pose))


def _shows_person(pose: Pose, least_mean_score: float) -> bool:
    """Whether a pose of SinglePose, which always returns one, shows a person."""
    return int((pose[:, 2] >= SEEN_SCORE).sum()) >= _MIN_SEEN and float(pose[:, 2].mean()) >= least_mean_score


def _is_among(pose: Pose, others: list[Pose], nearer_than: float) -> bool:
    """Whether one of ``others`` is a duplicate of the pose."""
    points, other_points = (mark_missing(_stacked(poses), SEEN_SCORE)[..., :2] for poses in ([pose], others))
    return bool((pose_distances(points, other_points) < nearer_than).any())


def _distinct(poses: list[Pose]) -> list[Pose]:
    """The poses without duplicates; the one with the highest mean score is kept."""
    kept: list[Pose] = []
    for pose in sorted(poses, key=lambda pose: -float(pose[:, 2].mean())):
        if not _is_among(pose, kept, _SAME_BODY):
            kept.append(pose)
    return kept


def _stacked(poses: list[Pose]) -> Float[np.ndarray, "poses joints 3"]:
    return np.stack(poses) if poses else np.empty((0, len(COCO_17), 3))


def _halves(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """Two overlapping halves along the long side, as top, bottom, left, right."""
    if width >= height:
        part = max(1, round(width * _TILE_SHARE))
        return [(0, height, 0, part), (0, height, width - part, width)]
    part = max(1, round(height * _TILE_SHARE))
    return [(0, part, 0, width), (height - part, height, 0, width)]


def _with_confidence(pose: Pose) -> Float[np.ndarray, "joints 3"]:
    return np.concatenate([pose[:, :2], movenet_confidence(pose[:, 2:])], axis=1)
