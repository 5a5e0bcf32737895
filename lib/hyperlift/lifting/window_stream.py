"""Live lifting with any lifter: a window of the last seconds is lifted again for every frame.

For each target frame, the keypoints around it are resampled to an even grid at the lifter's frame rate that contains
the target time. The input can have any frame rate, and memory is bounded. The poses that earlier windows gave for the
same time are averaged in, which halves the jitter without further calls of the lifter. A person who is missing for
more than 1 s starts a new window.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.contract import LifterSpec, Predictor
from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.timestamps import resample_pose2d
from hyperlift.lifting.keypoint_buffer import ROUNDING, KeypointBuffer, Segment
from hyperlift.lifting.streams import StreamedPose, Streams, pose_at
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.gaps import LONGEST_GAP_S

BLENDED_FRAMES = 9
"""Windows that ended up to this many frames of the lifter earlier are averaged in. Chosen: the weight of the earliest
is then ``BLEND_DECAY``⁹ = 0.13."""
BLEND_DECAY = 0.8
"""Weight of a window relative to the window one frame later. Chosen: halves in about 3 frames."""

_Lifted = tuple[Float[np.ndarray, " window"], Float[np.ndarray, "window joints 3"]]
"""Times and poses of a window."""


@dataclass(frozen=True, eq=False)
class _Window:
    """Input of the lifter for one person and one target frame."""

    pose2d_norm: Float[np.ndarray, "window joints 3"]
    grid_s: Float[np.ndarray, " window"]
    target: int
    """Index of the target frame in the grid."""
    seen: Segment


class WindowStreams(Streams):
    """``Streams`` of any lifter; windows of equal length are lifted in one call."""

    def __init__(
        self,
        predict: Predictor,
        spec: LifterSpec,
        width: int,
        height: int,
        fps: float,
        lookahead: int = 4,
        *,
        skeleton: Skeleton = H36M_17,
        context: int | None = None,
        blended: int = BLENDED_FRAMES,
        min_confidence: float = 0.0,
    ) -> None:
        """Open streams.

        Args:
            predict: the lifter, or a wrapper such as ``FlipAveraged``.
            spec: the lifter's contract.
            width: of the picture in pixels.
            height: of the picture in pixels.
            fps: frame rate, used for frames without a time stamp.
            lookahead: latency of a pose in frames; a larger one is more accurate and smoother.
            skeleton: of the keypoints; other skeletons than ``H36M_17`` are mapped to it.
            context: longest window in frames of the lifter; None is the longest that the lifter accepts.
            blended: windows that ended up to this many frames of the lifter earlier are averaged in; 0 disables it.
            min_confidence: keypoints below it count as missing.

        Raises:
            InputError: a setting is out of range, or the lifter has another skeleton.
        """
        context = spec.n_frames if context is None else context
        memory_s = context / spec.fps + LONGEST_GAP_S
        seen = KeypointBuffer(width, height, fps, memory_s, skeleton=skeleton, min_confidence=min_confidence)
        super().__init__(spec, seen, lookahead)
        if not 1 <= context <= spec.n_frames:
            raise InputError(f"context is {context}; the lifter {quoted(spec.name)} takes 1 to {spec.n_frames} frames")
        if not 0 <= lookahead <= (context - 1) * fps / spec.fps + ROUNDING:
            raise InputError(
                f"lookahead is {lookahead}; windows of {context} frames at {spec.fps:g} a second allow 0 to "
                f"{int((context - 1) * fps / spec.fps)} at {fps:g}"
            )
        self._predict, self._context = predict, context
        self._blended_s = max(blended, 0) / spec.fps
        self._start()

    def _start(self) -> None:
        self._lifted: dict[int, list[_Lifted]] = {}  # latest windows by person id, oldest first

    def _poses_at(self, target: int) -> dict[int, StreamedPose]:
        windows = {number: self._window(number, target) for number in self._seen.people}
        windows = {number: window for number, window in windows.items() if window is not None}
        poses = {}
        for length in {len(window.grid_s) for window in windows.values()}:
            alike = [number for number, window in windows.items() if len(window.grid_s) == length]
            lifted = self._predict(np.stack([windows[number].pose2d_norm for number in alike]))
            for number, pose in zip(alike, lifted, strict=True):
                poses[number] = StreamedPose(
                    index=target,
                    time_s=self._seen.times_s[target],
                    pose_norm=self._blend(number, windows[number], self._finite(pose)),
                    valid=windows[number].seen.valid,
                    keypoints_px=windows[number].seen.keypoints_px,
                )
        self._seen.forget(target)
        self._lifted = {number: lifted for number, lifted in self._lifted.items() if number in self._seen.people}
        return {number: poses[number] for number in windows}

    def _window(self, number: int, target: int) -> _Window | None:
        now_s = self._seen.times_s[target]
        at = _unbroken(list(self._seen.people[number]), self._seen.times_s, target)
        if not at:
            return None
        seen = self._seen.segment(number, at, target)
        times_s = seen.times_s
        ahead = min(int((times_s[-1] - now_s) * self._spec.fps + ROUNDING), self._context - 1)
        back = min(int((now_s - times_s[0]) * self._spec.fps + ROUNDING), self._context - 1 - ahead)
        grid_s = np.clip(now_s + np.arange(-back, ahead + 1) / self._spec.fps, times_s[0], times_s[-1])
        pose2d_norm = resample_pose2d(seen.pose2d_norm, times_s, grid_s).astype(np.float32)
        return _Window(pose2d_norm=pose2d_norm, grid_s=grid_s, target=back, seen=seen)

    def _blend(
        self, number: int, window: _Window, pose: Float[np.ndarray, "window joints 3"]
    ) -> Float[np.ndarray, "joints 3"]:
        """The pose at the target, averaged with the poses of earlier windows at the same time."""
        before = self._lifted.get(number, [])
        if not self._spec.rootrel:
            pose = _at_depth_of(before[-1:], window, pose)
        end_s = window.grid_s[-1]
        now_s = window.grid_s[window.target]
        earlier = [lifted for lifted in before if lifted[0][-1] >= end_s - self._blended_s - ROUNDING]
        total, weight = pose[window.target].astype(np.float64), 1.0
        for grid_s, poses in earlier:
            if self._blended_s and grid_s[-1] >= now_s - ROUNDING and grid_s[0] <= now_s:
                share = BLEND_DECAY ** ((end_s - grid_s[-1]) * self._spec.fps)
                total += share * pose_at(now_s, grid_s, poses)
                weight += share
        self._lifted[number] = [*earlier, (window.grid_s, pose)]
        return (total / weight).astype(np.float32)


def _unbroken(sightings: list[int], times_s: Mapping[int, float], target: int) -> list[int]:
    """Frames with detections around the target that are at most ``LONGEST_GAP_S`` apart; none if the target lies in a
    longer gap or before the first detection."""
    before = [frame for frame in sightings if frame <= target]
    after = [frame for frame in sightings if frame > target]
    longest_s = LONGEST_GAP_S + ROUNDING
    if not before or times_s[target] - times_s[before[-1]] > longest_s:
        return []
    if before[-1] < target and after and times_s[after[0]] - times_s[before[-1]] > longest_s:
        return []
    chain = [before[-1]]
    for frame in reversed(before[:-1]):
        if times_s[chain[0]] - times_s[frame] > longest_s:
            break
        chain.insert(0, frame)
    for frame in after:
        if times_s[frame] - times_s[chain[-1]] > longest_s:
            break
        chain.append(frame)
    return chain


def _at_depth_of(
    before: Sequence[_Lifted],
    window: _Window,
    pose: Float[np.ndarray, "now joints 3"],
) -> Float[np.ndarray, "now joints 3"]:
    """Shift the depth of a window to agree with the previous window, for lifters whose depth is relative to the first
    frame of the window."""
    root = H36M_17.root
    for grid_s, poses in before:
        common = (window.grid_s >= grid_s[0]) & (window.grid_s <= grid_s[-1])
        if common.any() and grid_s[-1] >= window.seen.times_s[0]:
            step = np.interp(window.grid_s[common], grid_s, poses[:, root, 2]) - pose[common, root, 2]
            return pose + np.array([0.0, 0.0, np.median(step)], pose.dtype)
    return pose
