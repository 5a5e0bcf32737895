"""Live lifting with any lifter: the last seconds are lifted afresh for every frame.

For every frame that is asked for, the last seconds around it are laid on an even grid of the model's frame rate that
passes through that very frame. So any rate of frames may come in, even or not, and memory is bounded. Neighbouring
windows disagree a little; what the windows just before said of the same frame is averaged in, which halves the jitter
at no cost. Somebody unseen for more than a second starts anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.contract import LifterSpec, Predictor
from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.timestamps import resample_pose2d
from hyperlift.lifting.keypoint_buffer import ROUNDING, Sightings, Stretch
from hyperlift.lifting.streams import StreamedPose, Streams, pose_at
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.gaps import LONGEST_GAP_S

BLENDED_FRAMES = 9
"""Windows that ended up to so many frames of the model earlier have a say in a pose ..."""
FADE = 0.8
"""... each frame earlier with this share of the weight."""

_Lifted = tuple[Float[np.ndarray, " window"], Float[np.ndarray, "window joints 3"]]
"""Seconds and poses of a window."""


@dataclass(frozen=True, eq=False)
class _Window:
    """What is lifted for one person to get one frame."""

    pose2d_norm: Float[np.ndarray, "window joints 3"]
    grid_s: Float[np.ndarray, " window"]
    asked: int
    """The place of the frame that is asked for."""
    seen: Stretch


class WindowStreams(Streams):
    """``Streams`` of any lifter; windows of equal length are lifted in one call of the predictor."""

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
            fps: frames that come a second, where no time stamps are given.
            lookahead: frames that must have come after a frame before its pose is given: 0 is immediate, more is more
                accurate and calmer.
            skeleton: joints of the keypoints; those of another than ``H36M_17`` are mapped to it.
            context: longest window in frames of the model's rate; None is the longest the lifter takes.
            blended: windows that ended up to so many frames of the model's rate earlier are averaged in; 0 for none.
            min_confidence: keypoints below it count as not seen.

        Raises:
            InputError: an impossible setting, or a lifter of another skeleton.
        """
        context = spec.n_frames if context is None else context
        memory_s = context / spec.fps + LONGEST_GAP_S
        seen = Sightings(width, height, fps, memory_s, skeleton=skeleton, min_confidence=min_confidence)
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
        self._lifted: dict[int, list[_Lifted]] = {}  # the latest windows of everybody, oldest first

    def _poses_at(self, asked: int) -> dict[int, StreamedPose]:
        windows = {number: self._window(number, asked) for number in self._seen.people}
        windows = {number: window for number, window in windows.items() if window is not None}
        poses = {}
        for length in {len(window.grid_s) for window in windows.values()}:
            alike = [number for number, window in windows.items() if len(window.grid_s) == length]
            lifted = self._predict(np.stack([windows[number].pose2d_norm for number in alike]))
            for number, pose in zip(alike, lifted, strict=True):
                poses[number] = StreamedPose(
                    index=asked,
                    time_s=self._seen.times_s[asked],
                    pose_norm=self._blend(number, windows[number], self._finite(pose)),
                    valid=windows[number].seen.valid,
                    keypoints_px=windows[number].seen.keypoints_px,
                )
        self._seen.forget(asked)
        self._lifted = {number: lifted for number, lifted in self._lifted.items() if number in self._seen.people}
        return {number: poses[number] for number in windows}

    def _window(self, number: int, asked: int) -> _Window | None:
        now_s = self._seen.times_s[asked]
        at = _unbroken(list(self._seen.people[number]), self._seen.times_s, asked)
        if not at:
            return None
        seen = self._seen.stretch(number, at, asked)
        times_s = seen.times_s
        ahead = min(int((times_s[-1] - now_s) * self._spec.fps + ROUNDING), self._context - 1)
        back = min(int((now_s - times_s[0]) * self._spec.fps + ROUNDING), self._context - 1 - ahead)
        grid_s = np.clip(now_s + np.arange(-back, ahead + 1) / self._spec.fps, times_s[0], times_s[-1])
        pose2d_norm = resample_pose2d(seen.pose2d_norm, times_s, grid_s).astype(np.float32)
        return _Window(pose2d_norm=pose2d_norm, grid_s=grid_s, asked=back, seen=seen)

    def _blend(
        self, number: int, window: _Window, pose: Float[np.ndarray, "window joints 3"]
    ) -> Float[np.ndarray, "joints 3"]:
        """The pose asked for, averaged with what earlier windows said of this frame."""
        before = self._lifted.get(number, [])
        if not self._spec.rootrel:
            pose = _at_depth_of(before[-1:], window, pose)
        end_s = window.grid_s[-1]
        now_s = window.grid_s[window.asked]
        earlier = [lifted for lifted in before if lifted[0][-1] >= end_s - self._blended_s - ROUNDING]
        total, weight = pose[window.asked].astype(np.float64), 1.0
        for grid_s, poses in earlier:
            if self._blended_s and grid_s[-1] >= now_s - ROUNDING and grid_s[0] <= now_s:
                share = FADE ** ((end_s - grid_s[-1]) * self._spec.fps)
                total += share * pose_at(now_s, grid_s, poses)
                weight += share
        self._lifted[number] = [*earlier, (window.grid_s, pose)]
        return (total / weight).astype(np.float32)


def _unbroken(sightings: list[int], times_s: Mapping[int, float], asked: int) -> list[int]:
    """The sightings around a frame with no more than ``LONGEST_GAP_S`` between them, on both sides; none where the
    frame lies in a longer gap or before the first."""
    before = [frame for frame in sightings if frame <= asked]
    after = [frame for frame in sightings if frame > asked]
    longest_s = LONGEST_GAP_S + ROUNDING
    if not before or times_s[asked] - times_s[before[-1]] > longest_s:
        return []
    if before[-1] < asked and after and times_s[after[0]] - times_s[before[-1]] > longest_s:
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
    """Where depth is measured from the window's first frame: shifted to agree with the window before."""
    root = H36M_17.root
    for grid_s, poses in before:
        common = (window.grid_s >= grid_s[0]) & (window.grid_s <= grid_s[-1])
        if common.any() and grid_s[-1] >= window.seen.times_s[0]:
            step = np.interp(window.grid_s[common], grid_s, poses[:, root, 2]) - pose[common, root, 2]
            return pose + np.array([0.0, 0.0, np.median(step)], pose.dtype)
    return pose
