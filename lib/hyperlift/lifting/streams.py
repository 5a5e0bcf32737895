"""Live lifting: keypoints of a frame go in, the poses of the frame ``lookahead`` frames earlier come out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.timestamps import SAME_MOMENT_S, resample
from hyperlift.lifting.keypoint_buffer import KeypointBuffer
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17


@dataclass(frozen=True, eq=False)
class StreamedPose:
    """Pose of one person in one frame."""

    index: int
    """Index of the frame in the stream, from 0."""
    time_s: float
    pose_norm: Float[np.ndarray, "joints 3"]
    """In the label space of the lifter; NaN if the person was not detected within the last second."""
    valid: Bool[np.ndarray, " joints"]
    """True where the joint was detected, or lies between two detections at most 1 s apart."""
    keypoints_px: Float[np.ndarray, "joints 3"] | None = None
    """Lifted keypoints: x, y in pixels and confidence, NaN where a joint is not valid; None without a person."""


class Streams(ABC):
    """Lifts several people frame by frame; ``open_streams`` chooses the implementation that fits a lifter.

    Args:
        spec: the lifter's contract.
        seen: an empty buffer of keypoints.
        lookahead: latency of the poses in frames.

    Raises:
        InputError: the lifter has another skeleton than ``H36M_17``.
    """

    def __init__(self, spec: LifterSpec, seen: KeypointBuffer, lookahead: int) -> None:
        if spec.skeleton != H36M_17.name:
            raise InputError(
                f"the lifter {quoted(spec.name)} expects joints of {spec.skeleton}; give one of {H36M_17.name}"
            )
        self._spec, self._seen, self.lookahead = spec, seen, lookahead

    @property
    def frames(self) -> int:
        """Number of frames pushed so far."""
        return self._seen.newest + 1

    @property
    def newest_s(self) -> float:
        """Time stamp of the newest frame; NaN before the first."""
        return self._seen.newest_s

    def push(
        self, people: Mapping[int, Float[np.ndarray, "joints 3"] | None], time_s: float | None = None
    ) -> dict[int, StreamedPose]:
        """Add the next frame.

        Args:
            people: keypoints by person id: x, y in pixels and confidence; missing joints are NaN or have confidence 0;
                None for a person without a detection. An id stays with its person (``Tracker``). May be empty.
            time_s: time stamp of the frame; None adds 1 / ``fps`` to the previous one.

        Returns:
            Poses of the frame ``lookahead`` frames ago, by person id, of people detected within the second before it.
            Empty if there is no such frame yet.

        Raises:
            InputError: keypoints have the wrong shape, or time stamps do not ascend.
        """
        self._seen.push(people, time_s)
        self._take_newest()
        target = self._seen.newest - self.lookahead
        return self._poses_at(target) if target >= 0 else {}

    def flush(self) -> list[dict[int, StreamedPose]]:
        """Return the poses of the last ``lookahead`` frames in order, as if everybody stood still after the newest
        frame, and reset the streams."""
        self._take_end()
        waiting = range(max(0, self.frames - self.lookahead), self.frames)
        poses = [self._poses_at(target) for target in waiting]
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
        """Reset the state of all people."""

    def _take_newest(self) -> None:  # noqa: B027 (windows are lifted on demand)
        """Process the newest frame, before the poses of the target frame are computed."""

    def _take_end(self) -> None:  # noqa: B027
        """Process the end of the stream."""

    @abstractmethod
    def _poses_at(self, target: int) -> dict[int, StreamedPose]:
        """Poses at a target frame; removes from ``_seen`` what later targets do not need."""


class LiftStream:
    """Lifts one person frame by frame; owns ``streams``."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._times_s: dict[int, float] = {}

    def push(
        self, keypoints_px: Float[np.ndarray, "joints 3"] | None, time_s: float | None = None
    ) -> StreamedPose | None:
        """Add the next frame; None is a frame without the person.

        Returns:
            The pose of the frame ``lookahead`` frames ago, NaN if the person was not detected in the second before it;
            None if there is no such frame yet.

        Raises:
            InputError: keypoints have the wrong shape, or time stamps do not ascend.
        """
        people = self._streams.push({0: keypoints_px}, time_s)
        self._times_s[self._streams.frames - 1] = self._streams.newest_s
        target = self._streams.frames - 1 - self._streams.lookahead
        return self._pose(people, target) if target >= 0 else None

    def flush(self) -> list[StreamedPose]:
        """Return the poses of the last ``lookahead`` frames in order, and reset the stream."""
        waiting = sorted(self._times_s)
        return [self._pose(people, target) for people, target in zip(self._streams.flush(), waiting, strict=True)]

    def _pose(self, people: dict[int, StreamedPose], target: int) -> StreamedPose:
        time_s = self._times_s.pop(target)
        nobody = np.full((len(H36M_17), 3), np.nan, np.float32), np.zeros(len(H36M_17), bool)
        return people[0] if 0 in people else StreamedPose(target, time_s, *nobody)


def pose_at(
    now_s: float, grid_s: Float[np.ndarray, " window"], poses: Sequence[Float[np.ndarray, "joints 3"]] | np.ndarray
) -> Float[np.ndarray, "joints 3"]:
    """Interpolate a pose at a time from poses at ascending times (cubic); outside of them, return the nearest pose."""
    at = int(np.searchsorted(grid_s, now_s))
    for place in range(max(at - 1, 0), min(at + 1, len(grid_s))):
        if abs(grid_s[place] - now_s) < SAME_MOMENT_S:  # the usual case if the input has the lifter's rate
            return poses[place].copy()
    near = slice(max(at - 2, 0), at + 2)
    return resample(np.asarray(poses[near]), grid_s[near], np.array([min(now_s, grid_s[-1])]))[0]
