"""Live lifting with a streaming lifter, whose network caches its past: each frame is processed once.

The lifter runs at its own constant frame rate. Keypoints are resampled to this grid by linear interpolation between the
previous and the newest frame, and each grid time is lifted once. The pose at a target frame is interpolated between
grid times. Input cannot be revised: a joint or person that disappears is held at its last position with confidence 0,
even if it reappears soon after.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hyperlift.contract import LifterSpec, StreamPredictor, StreamSpec
from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.timestamps import check_fps
from hyperlift.lifting.keypoint_buffer import ROUNDING, KeypointBuffer
from hyperlift.lifting.streams import StreamedPose, Streams, pose_at
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.gaps import LONGEST_GAP_S, place_unseen

_BRIDGE_S = LONGEST_GAP_S + ROUNDING
_KEPT_POSES_S = 0.25
"""Poses this long before the target frame are kept: cubic interpolation needs two poses before it. Chosen: two frames
of a lifter of 8 or more frames a second."""


def least_lookahead(stream: StreamSpec, spec: LifterSpec, fps: float) -> int:
    """The smallest latency of a streaming lifter in frames at ``fps``.

    It is the look-ahead of the lifter, plus one frame of the lifter if the rates differ, because interpolation needs a
    pose on both sides.

    Raises:
        InputError: ``fps`` is out of range.

    Example:
        >>> from hyperlift.lifting.recurrent_stream import least_lookahead
        >>> from hyperlift.runtime.loading import load_lifter
        >>> lifter = load_lifter("small_stream")
        >>> [least_lookahead(lifter.stream, lifter.spec, fps) for fps in (25, 30, 60)]
        [4, 6, 12]
    """
    check_fps(fps)
    ratio = fps / spec.fps
    return math.ceil((stream.look_ahead + (abs(ratio - 1) > ROUNDING)) * ratio - ROUNDING)


@dataclass(eq=False)
class _Tracklet:
    """Part of the track of one person without a gap of more than 1 s."""

    key: int
    """Id for the lifter."""
    first_s: float
    last_s: float
    """Time of the last detection."""
    now: Float[np.ndarray, "joints 3"]
    """Pixels and confidence at the newest frame; finite."""
    ever_seen: Bool[np.ndarray, " joints"]
    before: Float[np.ndarray, "joints 3"] | None = None
    """Pixels and confidence at the previous frame."""
    grid_s: list[float] = field(default_factory=list)
    poses: list[Float[np.ndarray, "joints 3"]] = field(default_factory=list)
    """Lifted poses at the times ``grid_s``."""

    def see(self, keypoints_px: Float[np.ndarray, "joints 3"], time_s: float) -> None:
        """Add keypoints of the newest frame; missing joints (NaN) are held with confidence 0."""
        seen = np.isfinite(keypoints_px[:, 0])
        self.ever_seen |= seen
        self.now = np.where(seen[:, None], keypoints_px, self.now * np.array([1.0, 1.0, 0.0]))
        place_unseen(self.now[None], self.ever_seen, H36M_17)
        self.last_s = time_s

    def at(self, fraction: float) -> Float[np.ndarray, "joints 3"]:
        """Keypoints interpolated linearly between the previous (0) and the newest frame (1)."""
        return self.now if self.before is None else (1 - fraction) * self.before + fraction * self.now


class RecurrentStreams(Streams):
    """``Streams`` of a streaming lifter; all people are lifted in one call per grid time."""

    def __init__(
        self,
        lifter: StreamPredictor,
        width: int,
        height: int,
        fps: float,
        lookahead: int,
        *,
        skeleton: Skeleton = H36M_17,
        min_confidence: float = 0.0,
    ) -> None:
        """Open streams.

        Args:
            lifter: a streaming lifter; it is forked.
            width: of the picture in pixels.
            height: of the picture in pixels.
            fps: frame rate of the input; approximate if frames have time stamps.
            lookahead: latency of a pose in frames, at least ``least_lookahead``.
            skeleton: as for ``WindowStreams``.
            min_confidence: as for ``WindowStreams``.

        Raises:
            InputError: a setting is out of range, the look-ahead is shorter than that of the lifter, or the lifter has
                another skeleton.
        """
        spec, stream = lifter.spec, lifter.stream
        least = least_lookahead(stream, spec, fps)
        if lookahead < least:
            raise InputError(
                f"lookahead is {lookahead}; the lifter {quoted(spec.name)} waits for {stream.look_ahead} frames at "
                f"{spec.fps:g} a second, at another rate for one more of those, {least} at {fps:g}; give {least} or "
                "more (`look_ahead`), or another lifter such as small (`model`)"
            )
        memory_s = LONGEST_GAP_S + 1 / spec.fps
        seen = KeypointBuffer(width, height, fps, memory_s, skeleton=skeleton, min_confidence=min_confidence)
        super().__init__(spec, seen, lookahead)
        self._lifter = lifter
        self._start()

    def _take_end(self) -> None:
        if self._seen.newest >= 0:
            active = self._active()
            for tracklet in active:
                tracklet.before = None
            last = self._next_grid + self._lifter.stream.look_ahead + 1
            self._step(active, range(self._next_grid, last), lambda grid_s: 1.0)

    def _start(self) -> None:
        self._session = self._lifter.fork()
        self._tracklets: dict[int, list[_Tracklet]] = {}
        self._keys = itertools.count()
        self._origin_s, self._next_grid = 0.0, 0

    def _take_newest(self) -> None:
        """Lift the grid times since the previous frame."""
        newest = self._seen.newest
        now_s, before_s = self.newest_s, self._seen.times_s.get(newest - 1)
        if before_s is None or now_s - before_s > _BRIDGE_S:
            self._origin_s, self._next_grid, before_s = now_s, 0, None
        for number, sightings in self._seen.people.items():
            if newest in sightings:
                self._see(number, sightings[newest], now_s)
        active = self._active()
        if before_s is None:
            active = [tracklet for tracklet in active if tracklet.last_s == now_s]
        for tracklet in active:
            if tracklet.last_s < now_s:
                tracklet.now = tracklet.now * np.array([1.0, 1.0, 0.0])
        due = math.floor((now_s - self._origin_s) * self._spec.fps + ROUNDING)

        def fraction(grid_s: float) -> float:
            if before_s is None or grid_s > now_s - ROUNDING:
                return 1.0
            return max((grid_s - before_s) / (now_s - before_s), 0.0)

        self._step(active, range(self._next_grid, due + 1), fraction)
        for tracklet in active:
            tracklet.before = tracklet.now

    def _see(self, number: int, keypoints_px: Float[np.ndarray, "joints 3"], now_s: float) -> None:
        tracklets = self._tracklets.setdefault(number, [])
        if not tracklets or now_s - tracklets[-1].last_s > _BRIDGE_S:
            nowhere = np.zeros((len(H36M_17), 3)), np.zeros(len(H36M_17), bool)
            tracklets.append(_Tracklet(next(self._keys), now_s, now_s, *nowhere))
        tracklets[-1].see(keypoints_px, now_s)

    def _active(self) -> list[_Tracklet]:
        """Tracklets that a target frame can still need."""
        target_s = self._seen.times_s.get(self._seen.newest - self.lookahead, -np.inf)
        newest = [tracklets[-1] for tracklets in self._tracklets.values()]
        return [tracklet for tracklet in newest if target_s - tracklet.last_s <= _BRIDGE_S]

    def _step(self, active: list[_Tracklet], grid: range, fraction_of: Callable[[float], float]) -> None:
        tracklets = {tracklet.key: tracklet for tracklet in active}
        for number in grid if tracklets else ():
            grid_s = self._origin_s + number / self._spec.fps
            fraction = fraction_of(grid_s)
            keypoints_px = np.stack([tracklet.at(fraction) for tracklet in active])
            pose2d_norm = self._seen.normalised(keypoints_px).astype(np.float32)
            lifted = self._session.push(dict(zip(tracklets, pose2d_norm, strict=True)))
            lifted_s = grid_s - self._lifter.stream.look_ahead / self._spec.fps
            for key, pose in lifted.items():
                tracklets[key].grid_s.append(lifted_s)
                tracklets[key].poses.append(self._finite(pose))
        self._next_grid = max(self._next_grid, grid.stop)

    def _poses_at(self, target: int) -> dict[int, StreamedPose]:
        now_s = self._seen.times_s[target]
        poses = {}
        for number, tracklets in list(self._tracklets.items()):
            tracklet = _tracklet_at(now_s, tracklets)
            if tracklet is not None and tracklet.poses:
                valid, keypoints_px = self._known(number, tracklet, target)
                poses[number] = StreamedPose(
                    index=target,
                    time_s=now_s,
                    pose_norm=pose_at(now_s, np.array(tracklet.grid_s), tracklet.poses),
                    valid=valid,
                    keypoints_px=keypoints_px,
                )
            for past in tracklets:
                old = sum(grid_s < now_s - _KEPT_POSES_S for grid_s in past.grid_s[:-1])
                del past.grid_s[:old], past.poses[:old]
            tracklets[:] = [tracklet for tracklet in tracklets if now_s - tracklet.last_s <= _BRIDGE_S]
            if not tracklets:
                del self._tracklets[number]
        self._seen.forget(target)
        return poses

    def _known(
        self, number: int, tracklet: _Tracklet, target: int
    ) -> tuple[Bool[np.ndarray, " joints"], Float[np.ndarray, "joints 3"]]:
        """Which joints of a frame are detected or lie between two detections, and their keypoints."""
        sightings, times_s = self._seen.people[number], self._seen.times_s
        if target in sightings and np.isfinite(sightings[target]).all():
            return np.ones(len(H36M_17), bool), sightings[target]
        first_s = max(tracklet.first_s, times_s[target] - LONGEST_GAP_S) - ROUNDING
        at = [frame for frame in sightings if first_s <= times_s[frame] <= tracklet.last_s]
        segment = self._seen.segment(number, at, target)
        return segment.valid, segment.keypoints_px


def _tracklet_at(now_s: float, tracklets: list[_Tracklet]) -> _Tracklet | None:
    """The tracklet at a time; None if there is none yet, or if the time lies in a gap of more than 1 s."""
    begun = [tracklet for tracklet in tracklets if tracklet.first_s <= now_s + ROUNDING]
    if not begun or now_s - begun[-1].last_s > _BRIDGE_S:
        return None
    return None if now_s > begun[-1].last_s and begun[-1] is not tracklets[-1] else begun[-1]
