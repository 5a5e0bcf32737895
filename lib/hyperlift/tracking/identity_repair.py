"""Offline repair of identities: undo identity switches between two tracks, and cut tracks that jump to another body.

At every step of a track, straight lines are fitted to its joints before and after the step and extrapolated to its
midpoint. Where two people are close, two assignments are compared: identities kept, and identities swapped. A track is
cut where it jumps between two reliable fits.

A track is an array of rows of the detections of a recording, in temporal order.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from hyperlift.geometry.chunks import CHUNK_FRAMES, frame_chunks
from hyperlift.shapes import Bool, Float, Int
from hyperlift.tracking.association import LEAST_JOINTS, body_sizes
from hyperlift.tracking.gaps import LONGEST_GAP_S

FIT_S = 0.25
"""Duration of a line fit in seconds. Chosen: half a step of a walk, in which the motion is nearly straight."""
VELOCITY_WEIGHT_S = 0.2
"""Weight of a velocity difference as a distance, in seconds. Chosen: about the duration of a change of direction."""
SIZE_WEIGHT = 0.5
"""Cost of a size ratio of e, in body sizes. Chosen: a person at twice the distance from the camera costs a third of a
body size."""
NEAR_DISTANCE = 0.75
"""Maximal distance in body sizes of two people who may be confused. Chosen: shoulder to shoulder, people are a third of
a body size apart."""
LEAST_GAIN = 0.25
"""Minimal cost reduction of a swap, in body sizes. Chosen: ten times the noise of detectors."""
MAX_REMAINING_SHARE = 0.5
"""Maximal ratio of the cost after a swap to the cost before. Chosen together with ``LEAST_GAIN``."""
JUMP = 0.25
"""Minimal distance of two reliable fits, in body sizes, that is a jump. Measured: dances with peaks of 4 m/s and 30
m/s² stay below it (tests/tracking/test_crossings.py)."""
JUMP_SPEED = 1.0
"""Increase of ``JUMP`` per second of the gap. Chosen."""
_LEAST_DETECTIONS = 3
"""Minimal number of detections of a line fit: two points always lie on a line."""
_MOST_SWITCHES = 50
"""Maximal number of swaps per recording. Chosen: bounds the computing time for crowds."""

Rows = Int[np.ndarray, "_"]


@dataclass(frozen=True, eq=False)
class Recording:
    """All detections of a recording, one per row."""

    keypoints_px: Float[np.ndarray, "people joints 3"]
    """Missing joints are NaN, NaN, 0."""
    frame: Int[np.ndarray, " people"]
    time_s: Float[np.ndarray, " people"]


@dataclass(frozen=True, eq=False)
class _LineFit:
    """Least-squares line at each detection of a track, fitted to the detections within ``FIT_S`` on one side."""

    place_px: Float[np.ndarray, "seen joints 2"]
    velocity_px_s: Float[np.ndarray, "seen joints 2"]
    size_px: Float[np.ndarray, " seen"]
    """Mean body size."""
    reliable: Bool[np.ndarray, " seen"]
    """True if at least ``LEAST_JOINTS`` joints have a line."""

    def at(self, entries: slice | np.ndarray) -> "_LineFit":
        return _LineFit(
            self.place_px[entries], self.velocity_px_s[entries], self.size_px[entries], self.reliable[entries]
        )


@dataclass(frozen=True, eq=False)
class _FittedPart:
    """Line fits at consecutive detections of a track."""

    first: int
    """Index, within the track, of the detection of entry 0."""
    time_s: Float[np.ndarray, " seen"]
    before: _LineFit
    after: _LineFit


@dataclass(frozen=True, order=True)
class _Switch:
    """A swap of two tracks, from one detection of each onwards."""

    gain: float
    """Cost reduction in body sizes."""
    a: int = 0
    b: int = 0
    """Indices of the tracks, ``a < b``."""
    at_a: int = 0
    at_b: int = 0
    """Index of the first detection of each track that moves to the other."""


def undo_switches(tracks: list[Rows], recording: Recording) -> tuple[list[Rows], int]:
    """Undo identity switches between pairs of tracks.

    Returns:
        The same number of tracks, and the number of switches undone.
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
    """Cut tracks at jumps that no body could make.

    Returns:
        The parts, and the number of cuts.
    """
    parts = []
    for track in tracks:
        borders = [0, *_jumps(track, recording), len(track)]
        parts += [track[first:last] for first, last in pairwise(borders)]
    return parts, len(parts) - len(tracks)


def _simultaneous(tracks: list[Rows], recording: Recording) -> set[tuple[int, int]]:
    """The pairs of tracks that overlap in time."""
    pairs: set[tuple[int, int]] = set()
    active: list[int] = []
    frame = recording.frame
    for number in sorted(range(len(tracks)), key=lambda n: int(frame[tracks[n][0]])):
        active = [n for n in active if frame[tracks[n][-1]] >= frame[tracks[number][0]]]
        pairs |= {(min(n, number), max(n, number)) for n in active}
        active.append(number)
    return pairs


def _best_switches(
    pairs: set[tuple[int, int]], tracks: list[Rows], recording: Recording
) -> dict[tuple[int, int], _Switch]:
    """The best swap of each pair."""
    best = {pair: _Switch(0.0, *pair) for pair in pairs}
    frames = {n: recording.frame[tracks[n]] for pair in pairs for n in pair}
    pairs_of_chunk: dict[int, list[tuple[int, int]]] = {}
    for a, b in sorted(pairs):
        first, last = max(frames[a][0], frames[b][0]), min(frames[a][-1], frames[b][-1])
        for chunk in range(int(first) // CHUNK_FRAMES, int(last) // CHUNK_FRAMES + 1):
            pairs_of_chunk.setdefault(chunk, []).append((a, b))
    # Chunk by chunk, so that few fits are in memory, and all pairs share the fits of a track.
    for chunk, chunk_pairs in sorted(pairs_of_chunk.items()):
        borders = [chunk * CHUNK_FRAMES, (chunk + 1) * CHUNK_FRAMES]
        inside = {n: np.searchsorted(frames[n], borders) for pair in chunk_pairs for n in pair}
        fits = {n: _fitted(tracks[n], int(first) - 1, int(last) + 1, recording) for n, (first, last) in inside.items()}
        for a, b in chunk_pairs:
            moments = np.union1d(frames[a][slice(*inside[a])], frames[b][slice(*inside[b])])
            at_a, at_b = (np.searchsorted(frames[n], moments, side="right") for n in (a, b))
            within = (at_a > 0) & (at_a < len(frames[a])) & (at_b > 0) & (at_b < len(frames[b]))
            gain, at_a, at_b = _best_moment(fits[a], at_a[within], fits[b], at_b[within])
            best[a, b] = max(best[a, b], _Switch(gain, a, b, at_a, at_b), key=lambda switch: switch.gain)
    return best


def _best_moment(
    one: _FittedPart, at_a: Int[np.ndarray, " moments"], other: _FittedPart, at_b: Int[np.ndarray, " moments"]
) -> tuple[float, int, int]:
    """The gain of the best swap at one of the given pairs of detections, and that pair."""
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
    near = np.minimum(before, after) < NEAR_DISTANCE * size
    a, b = a[near], b[near]
    if not len(a):
        return 0.0, 0, 0
    kept = _step_cost(one, a - 1, one, a) + _step_cost(other, b - 1, other, b)
    switched = _step_cost(one, a - 1, other, b) + _step_cost(other, b - 1, one, a)
    gain = np.where((kept - switched > LEAST_GAIN) & (switched < MAX_REMAINING_SHARE * kept), kept - switched, 0.0)
    best = int(gain.argmax())
    return float(gain[best]), int(a[best]) + one.first, int(b[best]) + other.first


def _step_cost(
    start: _FittedPart, last: np.ndarray, end: _FittedPart, first: np.ndarray
) -> Float[np.ndarray, " steps"]:
    """Cost in body sizes of a step from detection ``last`` to ``first``: misfit of the lines, and change of velocity
    and size."""
    before, after = start.before.at(last), end.after.at(first)
    # A swap may join detections of the same time, or of reversed order by a frame: negative durations become 0.
    misfit, size = _misfit(before, after, np.maximum(end.time_s[first] - start.time_s[last], 0.0))
    turn = np.linalg.norm(np.nanmedian(after.velocity_px_s - before.velocity_px_s, axis=1), axis=-1)
    growth = np.abs(np.log(after.size_px / before.size_px))
    return misfit + VELOCITY_WEIGHT_S * turn / size + SIZE_WEIGHT * growth


def _misfit(
    before: _LineFit, after: _LineFit, step_s: Float[np.ndarray, " steps"]
) -> tuple[Float[np.ndarray, " steps"], Float[np.ndarray, " steps"]]:
    """Distance in body sizes of the lines before and after each step at its midpoint; and the body size in pixels."""
    half = (step_s / 2)[:, None, None]
    from_before = before.place_px + half * before.velocity_px_s
    from_after = after.place_px - half * after.velocity_px_s
    size = np.maximum(before.size_px, after.size_px)
    return _median_lengths(from_after - from_before) / size, size


def _jumps(track: Rows, recording: Recording) -> list[int]:
    """Indices of the first detection after each jump."""
    misfit = np.zeros(len(track) - 1)
    for chunk in frame_chunks(len(misfit)):
        part = _fitted(track, chunk.start, chunk.stop + 1, recording)
        before, after, step_s = part.before.at(slice(-1)), part.after.at(slice(1, None)), np.diff(part.time_s)
        comparable = before.reliable & after.reliable & (step_s <= FIT_S)
        misfit[chunk] = np.where(comparable, _misfit(before, after, step_s)[0] / (JUMP + JUMP_SPEED * step_s), 0.0)
    time_s = recording.time_s[track[:-1]]
    cuts = []
    # Fits near a jump contain detections of both sides: within FIT_S, only the step of the largest misfit is cut.
    for worst in np.argsort(-misfit, kind="stable")[: int((misfit >= 1).sum())].tolist():
        if misfit[worst] >= 1:
            cuts.append(worst + 1)
            misfit[np.abs(time_s - time_s[worst]) <= FIT_S] = 0.0
    return sorted(cuts)


def _fitted(track: Rows, first: int, last: int, recording: Recording) -> _FittedPart:
    """Line fits at the detections ``first:last`` of a track; the range is clipped to the track."""
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
    """Line at each detection, fitted to it and the detections up to ``FIT_S`` earlier."""
    now = np.arange(len(time_s))
    first = np.minimum(np.searchsorted(time_s, time_s - FIT_S), now)

    def windowed(values: np.ndarray) -> np.ndarray:
        sums = np.cumsum(values, axis=0, dtype=np.float64)
        return sums - np.where(first.reshape(-1, *[1] * (values.ndim - 1)) > 0, sums[first - 1], 0.0)

    seen = np.asarray(np.isfinite(points_px).all(-1, keepdims=True))
    since = (time_s - time_s[0])[:, None, None]  # small values, because sums of squares are subtracted below
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
    """Median length over the shared joints; infinite for fewer than ``LEAST_JOINTS``."""
    lengths = np.linalg.norm(offsets, axis=-1)
    few = np.isfinite(lengths).sum(1) < LEAST_JOINTS
    return np.where(few, np.inf, np.nanmedian(np.where(few[:, None], 0.0, lengths), axis=1))
