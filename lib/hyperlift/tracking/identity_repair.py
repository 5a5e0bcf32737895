"""Repair of identities with the whole recording in hand: where tracks pass from one body to another.

Straight lines are fitted to the joints of each track just before and just after every moment, and extrapolated to the
middle of the step between. Where two people are near one another, two hypotheses are compared: identities kept, and
identities switched. Where a single track jumps between two reliable fits, it is cut.

A track is an array of rows of the recording's detections, in the order of time.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from hyperlift.geometry.chunks import CHUNK_FRAMES, frame_chunks
from hyperlift.shapes import Bool, Float, Int
from hyperlift.tracking.association import LEAST_JOINTS, body_sizes
from hyperlift.tracking.gaps import LONGEST_GAP_S

FIT_S = 0.25
"""Length of the lines fitted before and after a moment: half a step of a walk, which is nearly straight."""
TURN_S = 0.2
"""Seconds over which a difference of velocities counts as a distance: about as long as a change of direction takes."""
SIZE_WEIGHT = 0.5
"""Body sizes that a size e times as large counts as: somebody twice as far away counts as a third of a body apart."""
NEAR = 0.75
"""Body sizes within which two people may be mistaken for one another: shoulder to shoulder they are a third apart."""
LEAST_GAIN = 0.25
"""Body sizes by which a switch must make the steps of both people smoother: ten times the noise of detectors ..."""
LARGEST_SHARE = 0.5
"""... and the share of the misfit with identities kept that may be left."""
JUMP = 0.25
"""Body sizes between two reliable fits that are not one body's: less is reached by dances with peaks of 4 m/s and
30 m/s² (tests/tracking/test_crossings.py) ..."""
JUMP_SPEED = 1.0
"""... and what is added for every second unseen."""
_LEAST_DETECTIONS = 3
"""That a line is fitted to: two always lie on one."""
_MOST_SWITCHES = 50
"""In a recording: a bound on the work in a crowd."""

Rows = Int[np.ndarray, "_"]


@dataclass(frozen=True, eq=False)
class Recording:
    """Everybody's detections, row by row."""

    keypoints_px: Float[np.ndarray, "people joints 3"]
    """Missing joints are NaN, NaN, 0."""
    frame: Int[np.ndarray, " people"]
    time_s: Float[np.ndarray, " people"]


@dataclass(frozen=True, eq=False)
class _LineFit:
    """Least-squares lines at each detection of a track, through it and those up to ``FIT_S`` to one side of it."""

    place_px: Float[np.ndarray, "seen joints 2"]
    velocity_px_s: Float[np.ndarray, "seen joints 2"]
    size_px: Float[np.ndarray, " seen"]
    """Mean body size."""
    reliable: Bool[np.ndarray, " seen"]
    """Whether enough joints have a line."""

    def at(self, some: slice | np.ndarray) -> "_LineFit":
        return _LineFit(self.place_px[some], self.velocity_px_s[some], self.size_px[some], self.reliable[some])


@dataclass(frozen=True, eq=False)
class _FittedPart:
    """Lines at some successive detections of a track."""

    first: int
    """The detection of the track that entry 0 is of."""
    time_s: Float[np.ndarray, " seen"]
    before: _LineFit
    after: _LineFit


@dataclass(frozen=True, order=True)
class _Switch:
    """Two tracks change bodies from one detection of each on."""

    gain: float
    """In body sizes."""
    a: int = 0
    b: int = 0
    """The tracks, ``a < b``."""
    at_a: int = 0
    at_b: int = 0
    """The first detection of each that goes over to the other."""


def undo_switches(tracks: list[Rows], recording: Recording) -> tuple[list[Rows], int]:
    """Undo switches of identity between two tracks.

    Returns:
        The same number of tracks, and how many switches were undone.
    """
    tracks = list(tracks)
    best = _best_switches(_simultaneous(tracks, recording), tracks, recording)
    for made in range(_MOST_SWITCHES):
        switch = max(best.values(), default=_Switch(0.0))
        if switch.gain <= 0:
            return tracks, made
        a, b = tracks[switch.a], tracks[switch.b]
        tracks[switch.a] = np.concatenate([a[: switch.at_a], b[switch.at_b :]])
        tracks[switch.b] = np.concatenate([b[: switch.at_b], a[switch.at_a :]])
        touched = {(min(n, m), max(n, m)) for n in (switch.a, switch.b) for m in range(len(tracks)) if n != m}
        best = {pair: switch for pair, switch in best.items() if pair not in touched}
        best |= _best_switches(touched, tracks, recording)
    return tracks, _MOST_SWITCHES


def cut_at_jumps(tracks: list[Rows], recording: Recording) -> tuple[list[Rows], int]:
    """Cut tracks where they jump from one reliable fit to another that no body could go on to.

    Returns:
        The parts, and how many cuts were made.
    """
    parts = []
    for track in tracks:
        borders = [0, *_jumps(track, recording), len(track)]
        parts += [track[first:last] for first, last in pairwise(borders)]
    return parts, len(parts) - len(tracks)


def _simultaneous(tracks: list[Rows], recording: Recording) -> set[tuple[int, int]]:
    """The pairs of tracks that share a stretch of time."""
    pairs: set[tuple[int, int]] = set()
    going_on: list[int] = []
    frame = recording.frame
    for number in sorted(range(len(tracks)), key=lambda n: int(frame[tracks[n][0]])):
        going_on = [n for n in going_on if frame[tracks[n][-1]] >= frame[tracks[number][0]]]
        pairs |= {(min(n, number), max(n, number)) for n in going_on}
        going_on.append(number)
    return pairs


def _best_switches(
    pairs: set[tuple[int, int]], tracks: list[Rows], recording: Recording
) -> dict[tuple[int, int], _Switch]:
    """The best switch of each pair."""
    best = {pair: _Switch(0.0, *pair) for pair in pairs}
    frames = {n: recording.frame[tracks[n]] for pair in pairs for n in pair}
    together: dict[int, list[tuple[int, int]]] = {}
    for a, b in sorted(pairs):
        first, last = max(frames[a][0], frames[b][0]), min(frames[a][-1], frames[b][-1])
        for stretch in range(int(first) // CHUNK_FRAMES, int(last) // CHUNK_FRAMES + 1):
            together.setdefault(stretch, []).append((a, b))
    # One stretch of the recording after the other, so that few fits are in memory, each made once for all pairs.
    for stretch, some in sorted(together.items()):
        borders = [stretch * CHUNK_FRAMES, (stretch + 1) * CHUNK_FRAMES]
        inside = {n: np.searchsorted(frames[n], borders) for pair in some for n in pair}
        fits = {n: _fitted(tracks[n], int(first) - 1, int(last) + 1, recording) for n, (first, last) in inside.items()}
        for a, b in some:
            moments = np.union1d(frames[a][slice(*inside[a])], frames[b][slice(*inside[b])])
            at_a, at_b = (np.searchsorted(frames[n], moments, side="right") for n in (a, b))
            within = (at_a > 0) & (at_a < len(frames[a])) & (at_b > 0) & (at_b < len(frames[b]))
            gain, at_a, at_b = _best_moment(fits[a], at_a[within], fits[b], at_b[within])
            best[a, b] = max(best[a, b], _Switch(gain, a, b, at_a, at_b), key=lambda switch: switch.gain)
    return best


def _best_moment(
    one: _FittedPart, at_a: Int[np.ndarray, " moments"], other: _FittedPart, at_b: Int[np.ndarray, " moments"]
) -> tuple[float, int, int]:
    """What the best switch from one of these detections on gains, and the two detections."""
    a, b = at_a - one.first, at_b - other.first
    steps_s = np.maximum(one.time_s[a] - one.time_s[a - 1], other.time_s[b] - other.time_s[b - 1])
    reliable = (
        one.before.reliable[a - 1] & one.after.reliable[a] & other.before.reliable[b - 1] & other.after.reliable[b]
    )
    usable = reliable & (steps_s <= LONGEST_GAP_S)
    a, b = a[usable], b[usable]
    size = np.maximum(one.before.size_px[a - 1], other.before.size_px[b - 1])
    before = _median_lengths(one.before.place_px[a - 1] - other.before.place_px[b - 1])
    after = _median_lengths(one.after.place_px[a] - other.after.place_px[b])
    near = np.minimum(before, after) < NEAR * size
    a, b = a[near], b[near]
    if not len(a):
        return 0.0, 0, 0
    kept = _step_cost(one, a - 1, one, a) + _step_cost(other, b - 1, other, b)
    switched = _step_cost(one, a - 1, other, b) + _step_cost(other, b - 1, one, a)
    gain = np.where((kept - switched > LEAST_GAIN) & (switched < LARGEST_SHARE * kept), kept - switched, 0.0)
    best = int(gain.argmax())
    return float(gain[best]), int(a[best]) + one.first, int(b[best]) + other.first


def _step_cost(
    start: _FittedPart, last: np.ndarray, end: _FittedPart, first: np.ndarray
) -> Float[np.ndarray, " steps"]:
    """How unlike one body it is to go on from detection ``last`` to ``first``, in body sizes: misfit of the lines,
    change of velocity and of size."""
    before, after = start.before.at(last), end.after.at(first)
    # A switch may join detections of one moment, or in the wrong order by a frame: nobody moves back in time.
    misfit, size = _misfit(before, after, np.maximum(end.time_s[first] - start.time_s[last], 0.0))
    turn = np.linalg.norm(np.nanmedian(after.velocity_px_s - before.velocity_px_s, axis=1), axis=-1)
    growth = np.abs(np.log(after.size_px / before.size_px))
    return misfit + TURN_S * turn / size + SIZE_WEIGHT * growth


def _misfit(
    before: _LineFit, after: _LineFit, step_s: Float[np.ndarray, " steps"]
) -> tuple[Float[np.ndarray, " steps"], Float[np.ndarray, " steps"]]:
    """How far the lines before and after each step miss one another in its middle, in body sizes; and those sizes."""
    half = (step_s / 2)[:, None, None]
    reached = before.place_px + half * before.velocity_px_s
    begun = after.place_px - half * after.velocity_px_s
    size = np.maximum(before.size_px, after.size_px)
    return _median_lengths(begun - reached) / size, size


def _jumps(track: Rows, recording: Recording) -> list[int]:
    """First detections after each jump."""
    misfit = np.zeros(len(track) - 1)
    for some in frame_chunks(len(misfit)):
        part = _fitted(track, some.start, some.stop + 1, recording)
        before, after, step_s = part.before.at(slice(-1)), part.after.at(slice(1, None)), np.diff(part.time_s)
        comparable = before.reliable & after.reliable & (step_s <= FIT_S)
        misfit[some] = np.where(comparable, _misfit(before, after, step_s)[0] / (JUMP + JUMP_SPEED * step_s), 0.0)
    time_s = recording.time_s[track[:-1]]
    cuts = []
    # The lines on both sides of a jump reach across it in the moments beside it: only the largest misfit is cut.
    for worst in np.argsort(-misfit, kind="stable")[: int((misfit >= 1).sum())].tolist():
        if misfit[worst] >= 1:
            cuts.append(worst + 1)
            misfit[np.abs(time_s - time_s[worst]) <= FIT_S] = 0.0
    return sorted(cuts)


def _fitted(track: Rows, first: int, last: int, recording: Recording) -> _FittedPart:
    """Lines at the detections ``first:last``, as far as there are any, with the help of those around them."""
    first, last = max(first, 0), min(last, len(track))
    time_s = recording.time_s[track]
    from_ = min(int(np.searchsorted(time_s, time_s[first] - FIT_S)), first)
    to = max(int(np.searchsorted(time_s, time_s[last - 1] + FIT_S, side="right")), last)
    time_s, points_px = time_s[from_:to], recording.keypoints_px[track[from_:to], :, :2]
    before, after = _line_fits(time_s, points_px), _line_fits(-time_s[::-1], points_px[::-1]).at(slice(None, None, -1))
    after = replace(after, velocity_px_s=-after.velocity_px_s)
    wanted = slice(first - from_, last - from_)
    return _FittedPart(first, time_s[wanted], before.at(wanted), after.at(wanted))


def _line_fits(time_s: Float[np.ndarray, " seen"], points_px: Float[np.ndarray, "seen joints 2"]) -> _LineFit:
    """Lines at each detection through it and those up to ``FIT_S`` before it."""
    now = np.arange(len(time_s))
    first = np.minimum(np.searchsorted(time_s, time_s - FIT_S), now)

    def windowed(values: np.ndarray) -> np.ndarray:
        sums = np.cumsum(values, axis=0, dtype=np.float64)
        return sums - np.where(first.reshape(-1, *[1] * (values.ndim - 1)) > 0, sums[first - 1], 0.0)

    seen = np.asarray(np.isfinite(points_px).all(-1, keepdims=True))
    since = (time_s - time_s[0])[:, None, None]  # small numbers: sums of squares are subtracted below
    points, t = np.where(seen, points_px, 0.0), np.where(seen, since, 0.0)
    count = windowed(seen)
    enough = count >= _LEAST_DETECTIONS
    n = np.where(enough, count, np.nan)
    mean_t, mean = windowed(t) / n, windowed(points) / n
    velocity = (windowed(t * points) / n - mean_t * mean) / (windowed(t * t) / n - mean_t**2)
    return _LineFit(
        place_px=mean + velocity * (since - mean_t),
        velocity_px_s=velocity,
        size_px=windowed(body_sizes(points_px)) / (now - first + 1),
        reliable=np.asarray(enough.sum((1, 2)) >= LEAST_JOINTS),
    )


def _median_lengths(offsets: Float[np.ndarray, "moments joints 2"]) -> Float[np.ndarray, " moments"]:
    """Median over the joints that both have; infinite where there are too few."""
    lengths = np.linalg.norm(offsets, axis=-1)
    few = np.isfinite(lengths).sum(1) < LEAST_JOINTS
    return np.where(few, np.inf, np.nanmedian(np.where(few[:, None], 0.0, lengths), axis=1))
