"""Live lifting with a streaming lifter: a frame costs one frame, because the network keeps its own past.

The lifter counts in frames of its own even rate. Keypoints are laid on that grid as they come, by a straight line
between the frame before and this one, and each moment of the grid is lifted once. What is asked for lies between two
moments whose poses are known already, or on one of them where the rates are the same. Nothing can be taken back: a
joint or person that is hidden is held at its last place with confidence 0, though it be seen again soon after.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hyperlift.contract import LifterSpec, StreamPredictor, StreamSpec
from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.timestamps import check_fps
from hyperlift.lifting.keypoint_buffer import ROUNDING, Sightings
from hyperlift.lifting.streams import StreamedPose, Streams, pose_at
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.gaps import LONGEST_GAP_S, place_unseen

_BRIDGE_S = LONGEST_GAP_S + ROUNDING
_KEPT_POSES_S = 0.25
"""Poses before the moment asked for that interpolation may lean on."""


def least_lookahead(stream: StreamSpec, spec: LifterSpec, fps: float) -> int:
    """Frames at ``fps`` that a streaming lifter waits for: its own look-ahead, and where the rates differ a frame of
    the lifter more, to have a pose on either side.

    Raises:
        InputError: an impossible rate.

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
class _Presence:
    """One person from a first sighting on, without a long gap."""

    key: int
    """Number for the lifter."""
    first_s: float
    last_s: float
    """When they were seen last."""
    now: Float[np.ndarray, "joints 3"]
    """Pixels and confidence at the newest frame, every joint somewhere."""
    ever_seen: Bool[np.ndarray, " joints"]
    before: Float[np.ndarray, "joints 3"] | None = None
    """The same at the frame before."""
    grid_s: list[float] = field(default_factory=list)
    poses: list[Float[np.ndarray, "joints 3"]] = field(default_factory=list)
    """At the moments ``grid_s``."""

    def see(self, keypoints_px: Float[np.ndarray, "joints 3"], time_s: float) -> None:
        """Joints that are missing (NaN) are held."""
        seen = np.isfinite(keypoints_px[:, 0])
        self.ever_seen |= seen
        self.now = np.where(seen[:, None], keypoints_px, self.now * np.array([1.0, 1.0, 0.0]))
        place_unseen(self.now[None], self.ever_seen, H36M_17)
        self.last_s = time_s

    def at(self, part: float) -> Float[np.ndarray, "joints 3"]:
        """On the way from the frame before (0) to the newest (1)."""
        return self.now if self.before is None else (1 - part) * self.before + part * self.now


class RecurrentStreams(Streams):
    """``Streams`` of a streaming lifter; everybody is lifted in one call for each frame of the lifter's rate."""

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
            fps: frames that come a second; where they come with time stamps, about.
            lookahead: frames that must have come after a frame before its pose is given; ``least_lookahead`` or more.
            skeleton: as for ``WindowStreams``.
            min_confidence: as for ``WindowStreams``.

        Raises:
            InputError: an impossible setting, a look-ahead that is shorter than the lifter's, or a lifter of another
                skeleton.
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
        seen = Sightings(width, height, fps, memory_s, skeleton=skeleton, min_confidence=min_confidence)
        super().__init__(spec, seen, lookahead)
        self._lifter = lifter
        self._start()

    def _take_end(self) -> None:
        if self._seen.newest >= 0:
            active = self._active()
            for presence in active:
                presence.before = None
            last = self._next_grid + self._lifter.stream.look_ahead + 1
            self._step(active, range(self._next_grid, last), lambda grid_s: 1.0)

    def _start(self) -> None:
        self._stepping = self._lifter.fork()
        self._presences: dict[int, list[_Presence]] = {}
        self._keys = itertools.count()
        self._origin_s, self._next_grid = 0.0, 0

    def _take_newest(self) -> None:
        """Lift the moments of the grid since the frame before."""
        newest = self._seen.newest
        now_s, before_s = self.newest_s, self._seen.times_s.get(newest - 1)
        if before_s is None or now_s - before_s > _BRIDGE_S:
            self._origin_s, self._next_grid, before_s = now_s, 0, None
        for number, sightings in self._seen.people.items():
            if newest in sightings:
                self._see(number, sightings[newest], now_s)
        active = self._active()
        if before_s is None:
            active = [presence for presence in active if presence.last_s == now_s]
        for presence in active:
            if presence.last_s < now_s:
                presence.now = presence.now * np.array([1.0, 1.0, 0.0])
        due = math.floor((now_s - self._origin_s) * self._spec.fps + ROUNDING)

        def part(grid_s: float) -> float:
            if before_s is None or grid_s > now_s - ROUNDING:
                return 1.0
            return max((grid_s - before_s) / (now_s - before_s), 0.0)

        self._step(active, range(self._next_grid, due + 1), part)
        for presence in active:
            presence.before = presence.now

    def _see(self, number: int, keypoints_px: Float[np.ndarray, "joints 3"], now_s: float) -> None:
        presences = self._presences.setdefault(number, [])
        if not presences or now_s - presences[-1].last_s > _BRIDGE_S:
            nowhere = np.zeros((len(H36M_17), 3)), np.zeros(len(H36M_17), bool)
            presences.append(_Presence(next(self._keys), now_s, now_s, *nowhere))
        presences[-1].see(keypoints_px, now_s)

    def _active(self) -> list[_Presence]:
        """Those who may still be asked for."""
        asked_s = self._seen.times_s.get(self._seen.newest - self.lookahead, -np.inf)
        newest = [presences[-1] for presences in self._presences.values()]
        return [presence for presence in newest if asked_s - presence.last_s <= _BRIDGE_S]

    def _step(self, active: list[_Presence], grid: range, part_of: Callable[[float], float]) -> None:
        presences = {presence.key: presence for presence in active}
        for number in grid if presences else ():
            grid_s = self._origin_s + number / self._spec.fps
            part = part_of(grid_s)
            keypoints_px = np.stack([presence.at(part) for presence in active])
            pose2d_norm = self._seen.normalised(keypoints_px).astype(np.float32)
            lifted = self._stepping.push(dict(zip(presences, pose2d_norm, strict=True)))
            lifted_s = grid_s - self._lifter.stream.look_ahead / self._spec.fps
            for key, pose in lifted.items():
                presences[key].grid_s.append(lifted_s)
                presences[key].poses.append(self._finite(pose))
        self._next_grid = max(self._next_grid, grid.stop)

    def _poses_at(self, asked: int) -> dict[int, StreamedPose]:
        now_s = self._seen.times_s[asked]
        poses = {}
        for number, presences in list(self._presences.items()):
            presence = _presence_at(now_s, presences)
            if presence is not None and presence.poses:
                valid, keypoints_px = self._known(number, presence, asked)
                poses[number] = StreamedPose(
                    index=asked,
                    time_s=now_s,
                    pose_norm=pose_at(now_s, np.array(presence.grid_s), presence.poses),
                    valid=valid,
                    keypoints_px=keypoints_px,
                )
            for past in presences:
                old = sum(grid_s < now_s - _KEPT_POSES_S for grid_s in past.grid_s[:-1])
                del past.grid_s[:old], past.poses[:old]
            presences[:] = [presence for presence in presences if now_s - presence.last_s <= _BRIDGE_S]
            if not presences:
                del self._presences[number]
        self._seen.forget(asked)
        return poses

    def _known(
        self, number: int, presence: _Presence, asked: int
    ) -> tuple[Bool[np.ndarray, " joints"], Float[np.ndarray, "joints 3"]]:
        """Which joints of a frame are known by now, and where they are: seen, or between two sightings."""
        sightings, times_s = self._seen.people[number], self._seen.times_s
        if asked in sightings and np.isfinite(sightings[asked]).all():
            return np.ones(len(H36M_17), bool), sightings[asked]
        first_s = max(presence.first_s, times_s[asked] - LONGEST_GAP_S) - ROUNDING
        at = [frame for frame in sightings if first_s <= times_s[frame] <= presence.last_s]
        stretch = self._seen.stretch(number, at, asked)
        return stretch.valid, stretch.keypoints_px


def _presence_at(now_s: float, presences: list[_Presence]) -> _Presence | None:
    """The presence of a moment: none in a gap that is known to be long."""
    begun = [presence for presence in presences if presence.first_s <= now_s + ROUNDING]
    if not begun or now_s - begun[-1].last_s > _BRIDGE_S:
        return None
    return None if now_s > begun[-1].last_s and begun[-1] is not presences[-1] else begun[-1]
