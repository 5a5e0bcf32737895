"""Live lifting: a frame of keypoints goes in, the pose of a frame a little earlier comes out.

For every frame that is asked for, the last seconds around it are laid on an even grid of the model's frame rate that
passes through that very frame, and lifted afresh. So any rate of frames may come in, even or not, and memory is
bounded. Neighbouring windows disagree a little; what the windows just before said of the same frame is averaged in,
which halves the jitter at no cost. Somebody unseen for more than a second starts anew.

Streaming lifters keep their past themselves (``hyperlift.wild.stepping``); ``open_streams`` takes either kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.contract import LifterSpec, Predictor
from hyperlift.geometry.normalisation import check_picture_size, normalise_points
from hyperlift.geometry.stream_contract import StreamPredictor
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons import H36M_17, Skeleton
from hyperlift.skeletons.mapping import mark_missing, to_h36m
from hyperlift.wild.gaps import LONGEST_BRIDGE_S, fill_gaps
from hyperlift.wild.timing import SAME_MOMENT_S, check_fps, resample, resample_pose2d

BLENDED_FRAMES = 9
"""Windows that ended up to so many frames of the model earlier have a say in a pose ..."""
FADE = 0.8
"""... each frame earlier with this share of the weight."""
_ROUNDING = 1e-6


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


@dataclass(frozen=True, eq=False)
class _Window:
    """What is lifted for one person to get one frame."""

    pose2d_norm: Float[np.ndarray, "window joints 3"]
    grid_s: Float[np.ndarray, " window"]
    asked: int
    """The place of the frame that is asked for."""
    valid: Bool[np.ndarray, " joints"]
    keypoints_px: Float[np.ndarray, "joints 3"]
    """Of the frame that is asked for; NaN where a joint is not valid."""
    starts_s: float
    """When the person, without a long gap, was first seen: what lies before belongs to another course."""


@dataclass
class _Person:
    """Sightings of the last seconds, by frame number."""

    sightings: dict[int, Float[np.ndarray, "joints 3"]] = field(default_factory=dict)
    lifted: list[tuple[Float[np.ndarray, " window"], Float[np.ndarray, "window joints 3"]]] = field(
        default_factory=list
    )
    """Seconds and poses of the latest windows, oldest first."""


class LiftStreams:
    """Lifts several people frame by frame, all in one call of the predictor."""

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
        check_fps(fps)
        check_picture_size(float(width), float(height))
        if spec.skeleton != H36M_17.name:
            raise InputError(f"the lifter {spec.name!r} wants joints of {spec.skeleton}; give one of {H36M_17.name}")
        self._context = spec.n_frames if context is None else context
        if not 1 <= self._context <= spec.n_frames:
            raise InputError(f"context is {self._context}; the lifter {spec.name!r} takes 1 to {spec.n_frames} frames")
        if not 0 <= lookahead <= (self._context - 1) * fps / spec.fps + _ROUNDING:
            raise InputError(
                f"lookahead is {lookahead}; windows of {self._context} frames at {spec.fps:g} a second allow 0 to "
                f"{int((self._context - 1) * fps / spec.fps)} at {fps:g}"
            )
        if not 0 <= min_confidence < 1:
            raise InputError(f"min_confidence is {min_confidence:g}; give a number from 0 up to, not including, 1")
        self._predict, self._spec, self._size = predict, spec, (float(width), float(height))
        self._fps, self._lookahead = fps, lookahead
        self._blended_s = max(blended, 0) / spec.fps
        self._skeleton, self._min_confidence = skeleton, min_confidence
        self._memory_s = self._context / spec.fps + LONGEST_BRIDGE_S
        self._start()

    @property
    def frames(self) -> int:
        """Frames that have come so far."""
        return self._newest + 1

    @property
    def newest_s(self) -> float:
        """Seconds of the newest frame."""
        return self._times_s[self._newest]

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
        if time_s is None:
            time_s = self._times_s[self._newest] + 1 / self._fps if self._times_s else 0.0
        if not np.isfinite(time_s) or (self._times_s and time_s <= self._times_s[self._newest]):
            raise InputError(f"frame {self._newest + 1} is of {time_s} s, not after the frame before; time must ascend")
        sightings = {number: self._sighting(kp) for number, kp in people.items() if kp is not None}
        self._newest += 1
        self._times_s[self._newest] = float(time_s)
        for number, keypoints_px in sightings.items():
            if np.isfinite(keypoints_px[:, 0]).any():
                self._people.setdefault(number, _Person()).sightings[self._newest] = keypoints_px
        self._arrived()
        asked = self._newest - self._lookahead
        return self._lift(asked) if asked >= 0 else {}

    def flush(self) -> list[dict[int, StreamedPose]]:
        """The people of the frames that are still waited for, in order; then everything is forgotten."""
        waiting = range(max(0, self._newest - self._lookahead + 1), self._newest + 1)
        lifted = [self._lift(asked) for asked in waiting]
        self._start()
        return lifted

    def _arrived(self) -> None:
        """A frame has come; who lifts windows waits for its being asked for."""

    def _start(self) -> None:
        self._newest = -1
        self._times_s: dict[int, float] = {}
        self._people: dict[int, _Person] = {}

    def _sighting(self, keypoints: np.ndarray) -> Float[np.ndarray, "joints 3"]:
        keypoints_px = np.asarray(keypoints, dtype=np.float64)
        if keypoints_px.shape != (len(self._skeleton), 3):
            raise InputError(
                f"keypoints have the shape {list(keypoints_px.shape)}; expected [{len(self._skeleton)}, 3] "
                f"({self._skeleton.name}: x, y, confidence)"
            )
        cleaned = mark_missing(keypoints_px, self._min_confidence)
        return cleaned if self._skeleton.name == H36M_17.name else to_h36m(cleaned, self._skeleton)

    def _lift(self, asked: int) -> dict[int, StreamedPose]:
        windows = {number: self._window(person, asked) for number, person in self._people.items()}
        windows = {number: window for number, window in windows.items() if window is not None}
        poses = {}
        for length in {len(window.grid_s) for window in windows.values()}:
            alike = [number for number, window in windows.items() if len(window.grid_s) == length]
            lifted = self._predict(np.stack([windows[number].pose2d_norm for number in alike]))
            for number, pose in zip(alike, lifted, strict=True):
                poses[number] = StreamedPose(
                    index=asked,
                    time_s=self._times_s[asked],
                    pose_norm=self._blend(self._people[number], windows[number], pose),
                    valid=windows[number].valid,
                    keypoints_px=windows[number].keypoints_px,
                )
        self._forget(asked)
        return {number: poses[number] for number in windows}

    def _window(self, person: _Person, asked: int) -> _Window | None:
        now_s = self._times_s[asked]
        at = _unbroken(list(person.sightings), self._times_s, asked)
        if not at:
            return None
        sightings = [person.sightings[frame] for frame in at]
        if at[-1] < asked:  # not seen now: the place is held, and not valid
            at, sightings = [*at, asked], [*sightings, np.tile([np.nan, np.nan, 0.0], (len(H36M_17), 1))]
        times_s = np.array([self._times_s[frame] for frame in range(at[0], at[-1] + 1)])
        filled = fill_gaps(np.array(at) - at[0], np.stack(sightings), H36M_17, times_s)
        points_norm = normalise_points(filled.keypoints_px[..., :2], *self._size)
        pose2d_norm = np.concatenate([points_norm, filled.keypoints_px[..., 2:]], axis=-1)
        ahead = min(int((times_s[-1] - now_s) * self._spec.fps + _ROUNDING), self._context - 1)
        back = min(int((now_s - times_s[0]) * self._spec.fps + _ROUNDING), self._context - 1 - ahead)
        grid_s = np.clip(now_s + np.arange(-back, ahead + 1) / self._spec.fps, times_s[0], times_s[-1])
        valid = filled.valid[asked - at[0]]
        unseen = np.array([np.nan, np.nan, 0.0])
        return _Window(
            pose2d_norm=resample_pose2d(pose2d_norm, times_s, grid_s).astype(np.float32),
            grid_s=grid_s,
            asked=back,
            valid=valid,
            keypoints_px=np.where(valid[:, None], filled.keypoints_px[asked - at[0]], unseen),
            starts_s=float(times_s[0]),
        )

    def _blend(
        self, person: _Person, window: _Window, pose: Float[np.ndarray, "window joints 3"]
    ) -> Float[np.ndarray, "joints 3"]:
        """The pose asked for, averaged with what earlier windows said of this frame."""
        if not np.isfinite(pose).all():
            raise InputError(f"the lifter {self._spec.name!r} returns NaN or infinite poses; its weights are broken")
        if not self._spec.rootrel:
            pose = _at_depth_of(person.lifted[-1:], window, pose)
        end_s = window.grid_s[-1]
        now_s = window.grid_s[window.asked]
        earlier = [lifted for lifted in person.lifted if lifted[0][-1] >= end_s - self._blended_s - _ROUNDING]
        total, weight = pose[window.asked].astype(np.float64), 1.0
        for grid_s, poses in earlier:
            if self._blended_s and grid_s[-1] >= now_s - _ROUNDING and grid_s[0] <= now_s:
                share = FADE ** ((end_s - grid_s[-1]) * self._spec.fps)
                total += share * pose_at(now_s, grid_s, poses)
                weight += share
        person.lifted = [*earlier, (window.grid_s, pose)]
        return (total / weight).astype(np.float32)

    def _forget(self, asked: int) -> None:
        """Drop what no later frame needs."""
        oldest_s = self._times_s[asked] - self._memory_s
        for frame in [frame for frame, time_s in self._times_s.items() if time_s < oldest_s and frame < asked]:
            del self._times_s[frame]
        for number, person in list(self._people.items()):
            for frame in [frame for frame in person.sightings if frame not in self._times_s]:
                del person.sightings[frame]
            if not person.sightings:
                del self._people[number]


def open_streams(
    predict: Predictor | StreamPredictor,
    spec: LifterSpec,
    width: int,
    height: int,
    fps: float,
    lookahead: int = 4,
    **settings,
) -> LiftStreams:
    """``LiftStreams`` of the kind that fits the lifter: a ``StreamPredictor`` lifts every frame once
    (``SteppedStreams``), any other lifts the last seconds anew for each frame.

    Args:
        predict: the lifter.
        spec: the lifter's contract.
        width: of the picture in pixels.
        height: of the picture in pixels.
        fps: frames that come a second.
        lookahead: frames to wait for.
        **settings: further ones of ``LiftStreams`` or ``SteppedStreams``.

    Raises:
        InputError: as they.
    """
    if not isinstance(predict, StreamPredictor):
        return LiftStreams(predict, spec, width, height, fps, lookahead, **settings)
    from hyperlift.wild.stepping import SteppedStreams  # a kind of LiftStreams

    return SteppedStreams(predict, width, height, fps, lookahead, **settings)


class LiftStream:
    """Lifts one person frame by frame."""

    def __init__(
        self,
        predict: Predictor | StreamPredictor,
        spec: LifterSpec,
        width: int,
        height: int,
        fps: float,
        lookahead: int = 4,
        **settings,
    ) -> None:
        """See ``open_streams``; further settings may be given by name."""
        self._streams = open_streams(predict, spec, width, height, fps, lookahead, **settings)
        self._lookahead = lookahead
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


def _unbroken(sightings: list[int], times_s: Mapping[int, float], asked: int) -> list[int]:
    """The sightings around a frame with no more than ``LONGEST_BRIDGE_S`` between them, on both sides; none where the
    frame lies in a longer gap or before the first."""
    before = [frame for frame in sightings if frame <= asked]
    after = [frame for frame in sightings if frame > asked]
    longest_s = LONGEST_BRIDGE_S + _ROUNDING
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
    before: list[tuple[Float[np.ndarray, " window"], Float[np.ndarray, "window joints 3"]]],
    window: _Window,
    pose: Float[np.ndarray, "now joints 3"],
) -> Float[np.ndarray, "now joints 3"]:
    """Where depth is measured from the window's first frame: shifted to agree with the window before."""
    root = H36M_17.root
    for grid_s, poses in before:
        common = (window.grid_s >= grid_s[0]) & (window.grid_s <= grid_s[-1])
        if common.any() and grid_s[-1] >= window.starts_s:
            step = np.interp(window.grid_s[common], grid_s, poses[:, root, 2]) - pose[common, root, 2]
            return pose + np.array([0.0, 0.0, np.median(step)], pose.dtype)
    return pose


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
