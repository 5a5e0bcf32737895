"""People in video with the bundled MoveNet: one network finds everybody now and then, another follows each."""

from typing import Any

import numpy as np

from hyperlift.detection.following import (
    SAME_BODY,
    Follower,
    Pose,
    is_among,
    looks_like_person,
    one_each,
    square_around,
    who_is_who,
)
from hyperlift.detection.movenet_networks import MOST_PEOPLE, MultiPose, SinglePose
from hyperlift.detection.pictures import Picture, check_picture
from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.skeletons import COCO_17
from hyperlift.wild.keypoints import Detection

FIND_EVERY_S = 0.2
"""Whoever enters the picture is found within this time."""
SEEK_EVERY_S = 0.07
"""While somebody is hidden, the whole picture is searched this often."""
LONGEST_HIDDEN_S = 1.0
"""Whoever is not seen again within this time is forgotten; later they are somebody new."""

_LEAST_SCORE_NEW = 0.3
_LEAST_SCORE_KNOWN = 0.25
_LEAST_SCORE_FOUND = 0.1
"""Mean scores below which a pose is nobody: for somebody new, somebody known, and MultiPose's first look."""
_EXPLAINED = 0.25
"""MultiPose is coarser than the followers: a pose this near to a follower's is theirs."""
_TILE_SHARE = 0.6
"""Part of the long side that each half of a crowded picture covers, so that nobody is cut by both."""

_CONFIDENCE_AT = (
    (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0),
    (0.0, 0.05, 0.25, 0.45, 0.65, 0.83, 0.90, 0.95, 0.98, 1.0),
)


def movenet_confidence(score: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """MoveNet's score as a confidence 0..1.

    A score is not a probability: joints that are right lie between 0.5 and 0.9. The confidence is, roughly, the share
    of joints of that score that come out at the same place, within 2 % of the body's size, when the picture is
    mirrored (``benchmarks/detection.py``). It is an upper bound of being right: both looks can err alike.
    """
    return np.interp(score, *_CONFIDENCE_AT)


class MoveNetDetector:
    """Finds people with MultiPose and follows each with Thunder or Lightning in a square of their own.

    A ``Detector`` with COCO-17 joints and track ids. Who is who is decided by motion alone: every pose of a frame goes
    to the follower on whose course it lies, all together; nobody is handed a pose that their body could not have
    reached, and two followers never share a body. Whoever is hidden keeps their id for a second.
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
            follow: the network that follows: ``thunder`` is surer, ``lightning`` several times faster.
            long_side: to which pictures are scaled to find people, a multiple of 32.
            fps: of the video; says how far a body can move from frame to frame.
            threads: CPU threads; None takes all cores.

        Raises:
            InputError: an option is impossible, or the networks are not in this installation.
        """
        if not 0 < fps < float("inf"):
            raise InputError(f"fps is {fps:g}; give the video's frames a second")
        self.name = f"MoveNet {follow}"
        self._find = MultiPose(long_side, threads)
        self._follow = SinglePose(follow, threads)
        self._fps = fps
        self.reset()

    def reset(self) -> None:
        """Forget everybody: another video follows."""
        self._people: list[Follower] = []
        self._next_id = 0
        self._last_frame = -1
        self._last_search: int | None = None

    def state(self) -> dict[str, Any]:
        """Everybody who is followed; see ``ResumableDetector``."""
        return {
            "people": [person.state() for person in self._people],
            "next_id": self._next_id,
            "last_frame": self._last_frame,
            "last_search": self._last_search,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where ``state`` was returned."""
        self._people = [Follower.restored(person) for person in state["people"]]
        self._next_id = state["next_id"]
        self._last_frame = state["last_frame"]
        self._last_search = state["last_search"]

    def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
        """Everybody in the next picture of a video; see ``Detector``.

        Raises:
            InputError: no RGB picture, or a frame number that does not grow.
        """
        check_picture(frame_rgb)
        if index <= self._last_frame:
            raise InputError(f"frame {index} comes after frame {self._last_frame}; call reset() before another video")
        self._last_frame = index

        # Those seen a moment ago; whoever is hidden is not looked for in their square, where somebody else stands now.
        seen = [person for person in self._people if index - person.frame <= self._fps * SEEK_EVERY_S + 1]
        poses = [self._follow(frame_rgb, person.square(index)) for person in seen]
        poses = one_each([pose for pose in poses if looks_like_person(pose, _LEAST_SCORE_KNOWN)])
        self._hand_out(poses, index)

        if self._search_is_due(index):
            self._last_search = index
            shown = [person.pose for person in self._people if person.frame == index]
            self._welcome(self._newly_found(frame_rgb, shown), index)
        self._people = [p for p in self._people if index - p.frame <= self._fps * LONGEST_HIDDEN_S]
        return [_detection(person) for person in self._people if person.frame == index]

    def _search_is_due(self, index: int) -> bool:
        if self._last_search is None:
            return True
        hidden = [person for person in self._people if person.frame < index]
        if any(person.frame >= self._last_search for person in hidden):
            return True  # just lost: look at once
        wait_s = SEEK_EVERY_S if hidden else FIND_EVERY_S
        return index - self._last_search >= max(1, round(self._fps * wait_s))

    def _newly_found(self, picture: Picture, shown: list[Pose]) -> list[Pose]:
        """People whom no follower shows yet, looked at closely."""
        fresh: list[Pose] = []
        for rough in self._everybody(picture):
            if not looks_like_person(rough, _LEAST_SCORE_FOUND) or is_among(rough, shown, _EXPLAINED):
                continue
            pose = self._follow(picture, square_around(rough))
            if looks_like_person(pose, _LEAST_SCORE_NEW) and not is_among(pose, shown, SAME_BODY):
                fresh.append(pose)
        return one_each(fresh)

    def _everybody(self, picture: Picture) -> list[Pose]:
        """MultiPose on the whole picture; where it has found all that it can, on both halves too."""
        found = self._find(picture)
        if len(found) < MOST_PEOPLE:
            return found
        for top, bottom, left, right in _halves(*picture.shape[:2]):
            for pose in self._find(picture[top:bottom, left:right]):
                found.append(pose + np.array([left, top, 0.0]))
        return one_each(found)

    def _hand_out(self, poses: list[Pose], index: int) -> set[int]:
        """Give each pose to the follower whose motion it fits; which poses went."""
        waiting = [person for person in self._people if person.frame < index]
        pairs = who_is_who(waiting, poses, index, self._fps)
        for person, pose in pairs.items():
            waiting[person].take(poses[pose], index, self._fps)
        return set(pairs.values())

    def _welcome(self, poses: list[Pose], index: int) -> None:
        """Those who come out of hiding go on under their id, the others get a new one."""
        taken = self._hand_out(poses, index)
        for number, pose in enumerate(poses):
            if number not in taken:
                self._people.append(Follower(self._next_id, pose, index, side_px=square_around(pose).side_px))
                self._next_id += 1


def _halves(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """Two overlapping halves along the long side, as top, bottom, left, right."""
    if width >= height:
        part = max(1, round(width * _TILE_SHARE))
        return [(0, height, 0, part), (0, height, width - part, width)]
    part = max(1, round(height * _TILE_SHARE))
    return [(0, part, 0, width), (height - part, height, 0, width)]


def _detection(person: Follower) -> Detection:
    keypoints_px = person.pose.copy()
    keypoints_px[:, 2] = movenet_confidence(keypoints_px[:, 2])
    return Detection(keypoints_px, person.id)
