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

from hyperlift.errors import InputError
from hyperlift.geometry.contract import LifterSpec
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.geometry.stream_contract import StreamPredictor, StreamSpec
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons import H36M_17, Skeleton
from hyperlift.wild.gaps import LONGEST_BRIDGE_S, fill_gaps, place_unseen
from hyperlift.wild.streaming import LiftStreams, StreamedPose, pose_at
from hyperlift.wild.timing import check_fps

_ROUNDING = 1e-6
_BRIDGE_S = LONGEST_BRIDGE_S + _ROUNDING
_KEPT_POSES_S = 0.25
"""Poses before the moment asked for that interpolation may lean on."""


def least_lookahead(stream: StreamSpec, spec: LifterSpec, fps: float) -> int:
    """Frames at ``fps`` that a streaming lifter waits for: its own look-ahead, and where the rates differ a frame of
    the lifter more, to have a pose on either side.

    Raises:
        InputError: an impossible rate.
    """
    check_fps(fps)
    ratio = fps / spec.fps
    return math.ceil((stream.look_ahead + (abs(ratio - 1) > _ROUNDING)) * ratio - _ROUNDING)


@dataclass(eq=False)
class _Course:
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


class SteppedStreams(LiftStreams):
    """``LiftStreams`` for a streaming lifter; everybody is lifted in one call for each frame of the lifter's rate."""

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
            skeleton: as for ``LiftStreams``.
            min_confidence: as for ``LiftStreams``.

        Raises:
            InputError: an impossible setting, a look-ahead that is shorter than the lifter's, or a lifter of another
                skeleton.
        """
        spec, stream = lifter.spec, lifter.stream
        least = least_lookahead(stream, spec, fps)
        if lookahead < least:
            raise InputError(
                f"lookahead is {lookahead}; the lifter {spec.name!r} waits for {stream.look_ahead} frames at "
                f"{spec.fps:g} a second, at another rate for one more of those, {least} at {fps:g}; give {least} or "
                "more (lookahead=…; --look-ahead N), or another lifter such as small (--model small)"
            )
        self._lifter = lifter
        super().__init__(
            _no_windows, spec, width, height, fps, lookahead, skeleton=skeleton, min_confidence=min_confidence
        )

    def flush(self) -> list[dict[int, StreamedPose]]:
        """The people of the frames that are still waited for, as if everybody stood still from now on; then everything
        is forgotten."""
        if self._newest >= 0:
            active = self._active()
            for course in active:
                course.before = None
            last = self._next_grid + self._lifter.stream.look_ahead + 1
            self._step(active, range(self._next_grid, last), lambda grid_s: 1.0)
        return super().flush()

    def _start(self) -> None:
        super()._start()
        self._stepping = self._lifter.fork()
        self._courses: dict[int, list[_Course]] = {}
        self._keys = itertools.count()
        self._origin_s, self._next_grid = 0.0, 0

    def _arrived(self) -> None:
        """Lift the moments of the grid since the frame before."""
        now_s, before_s = self.newest_s, self._times_s.get(self._newest - 1)
        if before_s is None or now_s - before_s > _BRIDGE_S:
            self._origin_s, self._next_grid, before_s = now_s, 0, None
        for number, person in self._people.items():
            keypoints_px = person.sightings.get(self._newest)
            if keypoints_px is not None:
                self._see(number, keypoints_px, now_s)
        active = self._active()
        if before_s is None:
            active = [course for course in active if course.last_s == now_s]
        for course in active:
            if course.last_s < now_s:
                course.now = course.now * np.array([1.0, 1.0, 0.0])
        due = math.floor((now_s - self._origin_s) * self._spec.fps + _ROUNDING)

        def part(grid_s: float) -> float:
            if before_s is None or grid_s > now_s - _ROUNDING:
                return 1.0
            return max((grid_s - before_s) / (now_s - before_s), 0.0)

        self._step(active, range(self._next_grid, due + 1), part)
        for course in active:
            course.before = course.now

    def _see(self, number: int, keypoints_px: Float[np.ndarray, "joints 3"], now_s: float) -> None:
        courses = self._courses.setdefault(number, [])
        if not courses or now_s - courses[-1].last_s > _BRIDGE_S:
            nowhere = np.zeros((len(H36M_17), 3)), np.zeros(len(H36M_17), bool)
            courses.append(_Course(next(self._keys), now_s, now_s, *nowhere))
        courses[-1].see(keypoints_px, now_s)

    def _active(self) -> list[_Course]:
        """Those who may still be asked for."""
        asked_s = self._times_s.get(self._newest - self._lookahead, -np.inf)
        newest = [courses[-1] for courses in self._courses.values()]
        return [course for course in newest if asked_s - course.last_s <= _BRIDGE_S]

    def _step(self, active: list[_Course], grid: range, part_of: Callable[[float], float]) -> None:
        courses = {course.key: course for course in active}
        for number in grid if courses else ():
            grid_s = self._origin_s + number / self._spec.fps
            part = part_of(grid_s)
            keypoints_px = np.stack([course.at(part) for course in active])
            points_norm = normalise_points(keypoints_px[..., :2], *self._size)
            pose2d_norm = np.concatenate([points_norm, keypoints_px[..., 2:]], axis=-1).astype(np.float32)
            lifted = self._stepping.push(dict(zip(courses, pose2d_norm, strict=True)))
            lifted_s = grid_s - self._lifter.stream.look_ahead / self._spec.fps
            for key, pose in lifted.items():
                if not np.isfinite(pose).all():
                    raise InputError(
                        f"the lifter {self._spec.name!r} returns NaN or infinite poses; its weights are broken"
                    )
                courses[key].grid_s.append(lifted_s)
                courses[key].poses.append(pose)
        self._next_grid = max(self._next_grid, grid.stop)

    def _lift(self, asked: int) -> dict[int, StreamedPose]:
        now_s = self._times_s[asked]
        poses = {}
        for number, courses in list(self._courses.items()):
            course = _course_at(now_s, courses)
            if course is not None and course.poses:
                valid, keypoints_px = self._seen(number, course, asked)
                poses[number] = StreamedPose(
                    index=asked,
                    time_s=now_s,
                    pose_norm=pose_at(now_s, np.array(course.grid_s), course.poses),
                    valid=valid,
                    keypoints_px=keypoints_px,
                )
            for past in courses:
                old = sum(grid_s < now_s - _KEPT_POSES_S for grid_s in past.grid_s[:-1])
                del past.grid_s[:old], past.poses[:old]
            courses[:] = [course for course in courses if now_s - course.last_s <= _BRIDGE_S]
            if not courses:
                del self._courses[number]
        self._forget(asked)
        return poses

    def _seen(
        self, number: int, course: _Course, asked: int
    ) -> tuple[Bool[np.ndarray, " joints"], Float[np.ndarray, "joints 3"]]:
        """Which joints of a frame are known by now, and where they are: seen, or between two sightings."""
        sightings = self._people[number].sightings
        if asked in sightings and np.isfinite(sightings[asked]).all():
            return np.ones(len(H36M_17), bool), sightings[asked]
        first_s = max(course.first_s, self._times_s[asked] - LONGEST_BRIDGE_S) - _ROUNDING
        at = [frame for frame in sightings if first_s <= self._times_s[frame] <= course.last_s]
        keypoints = [sightings[frame] for frame in at]
        if at[-1] < asked:
            at, keypoints = [*at, asked], [*keypoints, np.tile([np.nan, np.nan, 0.0], (len(H36M_17), 1))]
        times_s = np.array([self._times_s[frame] for frame in range(at[0], at[-1] + 1)])
        filled = fill_gaps(np.array(at) - at[0], np.stack(keypoints), H36M_17, times_s)
        valid = filled.valid[asked - at[0]]
        unseen = np.array([np.nan, np.nan, 0.0])
        return valid, np.where(valid[:, None], filled.keypoints_px[asked - at[0]], unseen)


def _course_at(now_s: float, courses: list[_Course]) -> _Course | None:
    """The course of a moment: none in a gap that is known to be long."""
    begun = [course for course in courses if course.first_s <= now_s + _ROUNDING]
    if not begun or now_s - begun[-1].last_s > _BRIDGE_S:
        return None
    return None if now_s > begun[-1].last_s and begun[-1] is not courses[-1] else begun[-1]


def _no_windows(pose2d_norm: np.ndarray) -> np.ndarray:
    raise AssertionError("a streaming lifter lifts no windows")
