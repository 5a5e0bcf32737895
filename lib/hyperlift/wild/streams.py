"""Live lifting: a frame of keypoints goes in, the pose of a frame a little earlier comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from hyperlift.shapes import Bool, Float
from hyperlift.skeletons import H36M_17
from hyperlift.wild.timing import SAME_MOMENT_S, resample


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


@runtime_checkable
class Streams(Protocol):
    """Lifts several people frame by frame; ``open_streams`` makes one for any lifter."""

    @property
    def frames(self) -> int:
        """Frames that have come so far."""
        ...

    @property
    def newest_s(self) -> float:
        """Seconds of the newest frame; NaN before the first."""
        ...

    def push(
        self, people: Mapping[int, Float[np.ndarray, "joints 3"] | None], time_s: float | None = None
    ) -> dict[int, StreamedPose]:
        """Take the next frame.

        Args:
            people: everybody's number and keypoints: x, y in pixels and confidence, missing joints NaN or confidence
                0; None for somebody not seen. A number must stay with its body (``Follower``). May be empty.
            time_s: of this frame; None counts on from the frame before by ``fps``.

        Returns:
            The people of the frame ``lookahead`` frames ago, by number: those seen within the second before it.
            Empty as long as there is no such frame.

        Raises:
            InputError: keypoints of another shape, or time going backwards.
        """
        ...

    def flush(self) -> list[dict[int, StreamedPose]]:
        """The people of the frames that are still waited for, in order; then everything is forgotten."""
        ...


class LiftStream:
    """Lifts one person frame by frame.

    Args:
        streams: that nobody else pushes into.
        lookahead: theirs.
    """

    def __init__(self, streams: Streams, lookahead: int) -> None:
        self._streams, self._lookahead = streams, lookahead
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
        asked = self._streams.frames - 1 - self._lookahead
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
