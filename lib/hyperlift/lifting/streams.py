"""Live lifting: a frame of keypoints goes in, the pose of a frame a little earlier comes out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.timestamps import SAME_MOMENT_S, resample
from hyperlift.lifting.keypoint_buffer import Sightings
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17


@dataclass(frozen=True, eq=False)
class StreamedPose:
    """One person in one frame."""

    index: int
    """Number of the frame, counted from 0 as they came."""
    time_s: float
    pose_norm: Float[np.ndarray, "joints 3"]
    """In the label space of the model; NaN where nobody was seen within the last second."""
    valid: Bool[np.ndarray, " joints"]
    """True where the joint was seen, or lies between two known sightings at most a second apart."""
    keypoints_px: Float[np.ndarray, "joints 3"] | None = None
    """What was lifted: x, y in pixels and confidence, NaN where a joint is not valid; None where nobody was seen."""


class Streams(ABC):
    """Lifts several people frame by frame; ``open_streams`` makes the kind that fits a lifter.

    Args:
        spec: the lifter's contract.
        seen: where sightings are kept; it knows nobody yet.
        lookahead: frames that must have come after a frame before its poses are given.

    Raises:
        InputError: the lifter is of another skeleton than ``H36M_17``.
    """

    def __init__(self, spec: LifterSpec, seen: Sightings, lookahead: int) -> None:
        if spec.skeleton != H36M_17.name:
            raise InputError(
                f"the lifter {quoted(spec.name)} wants joints of {spec.skeleton}; give one of {H36M_17.name}"
            )
        self._spec, self._seen, self.lookahead = spec, seen, lookahead

    @property
    def frames(self) -> int:
        """Frames that have come so far."""
        return self._seen.newest + 1

    @property
    def newest_s(self) -> float:
        """Seconds of the newest frame; NaN before the first."""
        return self._seen.newest_s

    def push(
        self, people: Mapping[int, Float[np.ndarray, "joints 3"] | None], time_s: float | None = None
    ) -> dict[int, StreamedPose]:
        """Take the next frame.

        Args:
            people: everybody's number and keypoints: x, y in pixels and confidence, missing joints NaN or confidence
                0; None for somebody not seen. A number must stay with its body (``Tracker``). May be empty.
            time_s: of this frame; None counts on from the frame before by ``fps``.

        Returns:
            The people of the frame ``lookahead`` frames ago, by number: those seen within the second before it.
            Empty as long as there is no such frame.

        Raises:
            InputError: keypoints of another shape, or time going backwards.
        """
        self._seen.push(people, time_s)
        self._take_newest()
        asked = self._seen.newest - self.lookahead
        return self._poses_at(asked) if asked >= 0 else {}

    def flush(self) -> list[dict[int, StreamedPose]]:
        """The people of the frames that are still waited for, in order, as if everybody stood still from now on; then
        everything is forgotten."""
        self._take_end()
        waiting = range(max(0, self.frames - self.lookahead), self.frames)
        poses = [self._poses_at(asked) for asked in waiting]
        self._seen.clear()
        self._start()
        return poses

    def _finite(self, pose_norm: Float[np.ndarray, "*any joints 3"]) -> Float[np.ndarray, "*any joints 3"]:
        if not np.isfinite(pose_norm).all():
            raise InputError(
                f"the lifter {quoted(self._spec.name)} returns NaN or infinite poses; its weights are broken"
            )
        return pose_norm

    @abstractmethod
    def _start(self) -> None:
        """Begin with nobody."""

    def _take_newest(self) -> None:  # noqa: B027 (windows are lifted when they are asked for)
        """Do what the newest frame allows before the one that is asked for is answered."""

    def _take_end(self) -> None:  # noqa: B027
        """Do what is left to do when no frame will follow."""

    @abstractmethod
    def _poses_at(self, asked: int) -> dict[int, StreamedPose]:
        """Everybody in a frame that has come; ``_seen`` forgets what no later frame needs."""


class LiftStream:
    """Lifts one person frame by frame.

    Args:
        streams: that nobody else pushes into.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._times_s: dict[int, float] = {}

    def push(
        self, keypoints_px: Float[np.ndarray, "joints 3"] | None, time_s: float | None = None
    ) -> StreamedPose | None:
        """Take the next frame; None is a frame without the person.

        Returns:
            The pose of the frame ``lookahead`` frames ago, NaN if nobody was seen in the second before it; None as
            long as there is no such frame.

        Raises:
            InputError: keypoints of another shape, or time going backwards.
        """
        people = self._streams.push({0: keypoints_px}, time_s)
        self._times_s[self._streams.frames - 1] = self._streams.newest_s
        asked = self._streams.frames - 1 - self._streams.lookahead
        return self._pose(people, asked) if asked >= 0 else None

    def flush(self) -> list[StreamedPose]:
        """The poses that are still waited for, in order; then everything is forgotten."""
        waiting = sorted(self._times_s)
        return [self._pose(people, asked) for people, asked in zip(self._streams.flush(), waiting, strict=True)]

    def _pose(self, people: dict[int, StreamedPose], asked: int) -> StreamedPose:
        time_s = self._times_s.pop(asked)
        nobody = np.full((len(H36M_17), 3), np.nan, np.float32), np.zeros(len(H36M_17), bool)
        return people[0] if 0 in people else StreamedPose(asked, time_s, *nobody)


def pose_at(
    now_s: float, grid_s: Float[np.ndarray, " window"], poses: Sequence[Float[np.ndarray, "joints 3"]] | np.ndarray
) -> Float[np.ndarray, "joints 3"]:
    """One pose out of an ascending row of them, by cubic interpolation; before the first and after the last, that."""
    at = int(np.searchsorted(grid_s, now_s))
    for place in range(max(at - 1, 0), min(at + 1, len(grid_s))):
        if abs(grid_s[place] - now_s) < SAME_MOMENT_S:  # as nearly always where frames come at the lifter's rate
            return poses[place].copy()
    near = slice(max(at - 2, 0), at + 2)
    return resample(np.asarray(poses[near]), grid_s[near], np.array([min(now_s, grid_s[-1])]))[0]
