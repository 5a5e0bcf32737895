"""Finding, with the whole recording in hand, where tracks pass from one body to another.

Each track is looked at through short straight lines fitted to its joints just before and just after every moment.
Where two people are near one another, the lines before are joined to the lines after both ways; if the other way is
far smoother, the tracks exchange their bodies there. Where a single track jumps between two steady courses, it is cut.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hyperlift.geometry.stretches import STRETCH, stretches
from hyperlift.shapes import Bool, Float, Int
from hyperlift.wild.following import LEAST_JOINTS, LONGEST_GAP_S

VIEW_S = 0.25
"""Length of the lines fitted before and after a moment."""
COURSE_S = 0.2
"""Seconds over which a difference of velocities counts as a distance."""
SIZE_WEIGHT = 0.5
"""Body sizes that a size e times as large counts as."""
NEAR = 0.75
"""Body sizes within which two people may be mistaken for one another."""
LEAST_GAIN = 0.25
"""Body sizes by which an exchange must make the joins of both people smoother ..."""
LARGEST_SHARE = 0.5
"""... and to which share of the joins as they stand."""
JUMP = 0.25
"""Body sizes between two steady courses that are not one body's ..."""
JUMP_SPEED = 1.0
"""... and what is added for every second unseen."""
_LEAST_SIGHTINGS = 3
_MOST_EXCHANGES = 50


@dataclass(frozen=True, eq=False)
class Sightings:
    """One track while it is being mended: which detections are its."""

    frame: Int[np.ndarray, " seen"]
    row: Int[np.ndarray, " seen"]
    """Of each in the recording's keypoints."""
    track_id: int | None = None
    """The detector's number at its start."""

    def part(self, first: int | None, last: int | None) -> "Sightings":
        """Entries ``first:last``."""
        return Sightings(self.frame[first:last], self.row[first:last], self.track_id)


@dataclass(frozen=True, eq=False)
class _Recording:
    keypoints_px: Float[np.ndarray, "people joints 3"]
    """Of every detection; missing joints are NaN, NaN, 0."""
    time_s: Float[np.ndarray, " all_frames"]


@dataclass(frozen=True, eq=False)
class _Course:
    """Lines at each sighting of a track, through itself and those up to ``VIEW_S`` to one side of it."""

    place_px: Float[np.ndarray, "seen joints 2"]
    velocity_px_s: Float[np.ndarray, "seen joints 2"]
    size_px: Float[np.ndarray, " seen"]
    steady: Bool[np.ndarray, " seen"]
    """Whether enough sightings stand behind the line."""

    def part(self, some: slice) -> "_Course":
        return _Course(self.place_px[some], self.velocity_px_s[some], self.size_px[some], self.steady[some])


@dataclass(frozen=True, eq=False)
class _Viewed:
    """A stretch of a track."""

    first: int
    """The sighting that entry 0 is of."""
    time_s: Float[np.ndarray, " seen"]
    before: _Course
    after: _Course


_Exchange = tuple[float, int, int]
"""What it gains in body sizes, and the first sightings of both tracks that it moves."""
_NOTHING: _Exchange = (0.0, 0, 0)


def exchange_crossings(
    tracks: list[Sightings],
    keypoints_px: Float[np.ndarray, "people joints 3"],
    time_s: Float[np.ndarray, " all_frames"],
) -> tuple[list[Sightings], int]:
    """Undo exchanges of bodies between tracks.

    Args:
        tracks: in the detector's joints.
        keypoints_px: of every detection of the recording.
        time_s: seconds of every frame of the video.

    Returns:
        The same number of tracks, and how many exchanges were made.
    """
    recording = _Recording(keypoints_px, time_s)
    tracks = list(tracks)
    found = _best_exchanges(_pairs_at_one_time(tracks), tracks, recording)
    made = 0
    while made < _MOST_EXCHANGES:
        best = max(((*exchange, *pair) for pair, exchange in found.items()), default=None)
        if best is None or best[0] <= 0:
            break
        _, at_a, at_b, a, b = best
        one, other = tracks[a], tracks[b]
        tracks[a] = _joined(one.part(None, at_a), other.part(at_b, None))
        tracks[b] = _joined(other.part(None, at_b), one.part(at_a, None))
        touched = {(min(c, d), max(c, d)) for c in (a, b) for d in range(len(tracks)) if c != d}
        found = {pair: exchange for pair, exchange in found.items() if pair not in touched}
        found |= _best_exchanges(touched, tracks, recording)
        made += 1
    return tracks, made


def cut_jumps(
    tracks: list[Sightings],
    keypoints_px: Float[np.ndarray, "people joints 3"],
    time_s: Float[np.ndarray, " all_frames"],
) -> tuple[list[Sightings], int]:
    """Cut tracks where they jump from one steady course to another that no body could go on to.

    Args:
        tracks: in the detector's joints.
        keypoints_px: of every detection of the recording.
        time_s: seconds of every frame of the video.

    Returns:
        The parts, and how many cuts were made.
    """
    recording = _Recording(keypoints_px, time_s)
    parts = []
    for track in tracks:
        cuts = _jumps(track, recording) if len(track.frame) > 1 else []
        borders = [None, *cuts, None]
        parts += [track.part(first, last) for first, last in pairwise(borders)]
    return parts, len(parts) - len(tracks)


def _pairs_at_one_time(tracks: list[Sightings]) -> set[tuple[int, int]]:
    """The pairs of tracks that share a stretch of time."""
    pairs: set[tuple[int, int]] = set()
    going_on: list[int] = []
    for number in sorted(range(len(tracks)), key=lambda n: int(tracks[n].frame[0])):
        start = tracks[number].frame[0]
        going_on = [n for n in going_on if tracks[n].frame[-1] >= start]
        pairs |= {(min(n, number), max(n, number)) for n in going_on}
        going_on.append(number)
    return pairs


def _best_exchanges(
    pairs: set[tuple[int, int]], tracks: list[Sightings], recording: _Recording
) -> dict[tuple[int, int], _Exchange]:
    """The best exchange of each pair; a stretch of the recording after the other, so that few views are in memory."""
    at: dict[int, list[tuple[int, int]]] = {}
    for a, b in sorted(pairs):
        first = max(int(tracks[a].frame[0]), int(tracks[b].frame[0]))
        last = min(int(tracks[a].frame[-1]), int(tracks[b].frame[-1]))
        for stretch in range(first // STRETCH, last // STRETCH + 1):
            at.setdefault(stretch, []).append((a, b))
    best = dict.fromkeys(pairs, _NOTHING)
    for stretch, together in sorted(at.items()):
        views: dict[tuple[int, int, int], _Viewed] = {}
        for a, b in together:
            moments = np.union1d(_within(tracks[a].frame, stretch), _within(tracks[b].frame, stretch))
            at_a, at_b = (np.searchsorted(tracks[n].frame, moments, side="right") for n in (a, b))
            inside = (at_a > 0) & (at_a < len(tracks[a].frame)) & (at_b > 0) & (at_b < len(tracks[b].frame))
            at_a, at_b = at_a[inside], at_b[inside]
            if not len(at_a):
                continue
            looked_at = []
            for number, sightings in ((a, at_a), (b, at_b)):
                key = number, int(sightings.min()) - 1, int(sightings.max()) + 1
                if key not in views:
                    views[key] = _view(tracks[number], key[1], key[2], recording)
                looked_at.append(views[key])
            exchange = _best_exchange(looked_at[0], at_a, looked_at[1], at_b)
            if exchange[0] > best[a, b][0]:
                best[a, b] = exchange
    return best


def _within(frame: Int[np.ndarray, " seen"], stretch: int) -> Int[np.ndarray, " some"]:
    first, last = np.searchsorted(frame, [stretch * STRETCH, (stretch + 1) * STRETCH])
    return frame[first:last]


def _best_exchange(
    one: _Viewed, at_a: Int[np.ndarray, " moments"], other: _Viewed, at_b: Int[np.ndarray, " moments"]
) -> _Exchange:
    """The best exchange from one of these sightings on."""
    a, b = at_a - one.first, at_b - other.first
    gap_a, gap_b = (view.time_s[i] - view.time_s[i - 1] for view, i in ((one, a), (other, b)))
    usable = (gap_a <= LONGEST_GAP_S) & (gap_b <= LONGEST_GAP_S)
    usable &= one.before.steady[a - 1] & one.after.steady[a] & other.before.steady[b - 1] & other.after.steady[b]
    a, b = a[usable], b[usable]
    near = _near(one, a, other, b)
    a, b = a[near], b[near]
    if not len(a):
        return _NOTHING
    keep = _join(one, a - 1, one, a) + _join(other, b - 1, other, b)
    swap = _join(one, a - 1, other, b) + _join(other, b - 1, one, a)
    gain = np.where((keep - swap > LEAST_GAIN) & (swap < LARGEST_SHARE * keep), keep - swap, 0.0)
    best = int(gain.argmax())
    return float(gain[best]), int(a[best]) + one.first, int(b[best]) + other.first


def _near(one: _Viewed, a: np.ndarray, other: _Viewed, b: np.ndarray) -> Bool[np.ndarray, " moments"]:
    """Whether the two stand close by, before or after."""
    size = np.maximum(one.before.size_px[a - 1], other.before.size_px[b - 1])
    before = _distance(one.before.place_px[a - 1] - other.before.place_px[b - 1])
    after = _distance(one.after.place_px[a] - other.after.place_px[b])
    return np.asarray(np.minimum(before, after) < NEAR * size)


def _join(start: _Viewed, last: np.ndarray, end: _Viewed, first: np.ndarray) -> Float[np.ndarray, " moments"]:
    """How roughly the course up to sighting ``last`` goes on into that from sighting ``first``, in body sizes."""
    half = ((end.time_s[first] - start.time_s[last]) / 2)[:, None, None]
    # An exchange may stitch sightings of one moment together, or in the wrong order by a frame: no way back in time.
    half = np.maximum(half, 0.0)
    velocity = start.before.velocity_px_s[last], end.after.velocity_px_s[first]
    places = start.before.place_px[last] + half * velocity[0], end.after.place_px[first] - half * velocity[1]
    size = np.maximum(start.before.size_px[last], end.after.size_px[first])
    growth = np.abs(np.log(end.after.size_px[first] / start.before.size_px[last]))
    turn = np.linalg.norm(np.nanmedian(velocity[1] - velocity[0], axis=1), axis=-1)
    return (_distance(places[1] - places[0]) + COURSE_S * turn) / size + SIZE_WEIGHT * growth


def _jumps(track: Sightings, recording: _Recording) -> list[int]:
    """First sightings after each jump."""
    steps = len(track.frame) - 1
    rough = np.concatenate([_roughness(_view(track, s.start, s.stop + 1, recording)) for s in stretches(steps)])
    at_s = recording.time_s[track.frame[:-1]]
    odd = np.flatnonzero(rough >= 1)
    cuts = []
    # The lines on both sides of a jump reach across it in the moments beside it: only the roughest of them is cut.
    for worst in odd[np.argsort(-rough[odd], kind="stable")].tolist():
        if rough[worst] >= 1:
            cuts.append(worst + 1)
            first, last = np.searchsorted(at_s, [at_s[worst] - 2 * VIEW_S, at_s[worst] + 2 * VIEW_S])
            rough[first:last][np.abs(at_s[first:last] - at_s[worst]) <= VIEW_S] = 0.0
            rough[worst] = 0.0
    return sorted(cuts)


def _roughness(view: _Viewed) -> Float[np.ndarray, " steps"]:
    """How roughly a track goes on from each sighting to the next, over what a body can do."""
    last = np.arange(len(view.time_s) - 1)
    gap_s = np.diff(view.time_s)
    half = (gap_s / 2)[:, None, None]
    there = view.before.place_px[last] + half * view.before.velocity_px_s[last]
    here = view.after.place_px[last + 1] - half * view.after.velocity_px_s[last + 1]
    size = np.maximum(view.before.size_px[last], view.after.size_px[last + 1])
    rough = _distance(here - there) / size / (JUMP + JUMP_SPEED * gap_s)
    return np.where(view.before.steady[last] & view.after.steady[last + 1] & (gap_s <= VIEW_S), rough, 0.0)


def _view(track: Sightings, first: int, last: int, recording: _Recording) -> _Viewed:
    """Lines at the sightings ``first:last``, which lean on those up to ``VIEW_S`` before and after."""
    time_s = recording.time_s
    reach_s = time_s[track.frame[first]] - VIEW_S, time_s[track.frame[last - 1]] + VIEW_S
    reach = np.searchsorted(time_s, reach_s[0]), np.searchsorted(time_s, reach_s[1], side="right")
    from_, to = (int(n) for n in np.searchsorted(track.frame, reach))
    from_, to = min(from_, first), max(to, last)
    at_s, keypoints_px = time_s[track.frame[from_:to]], recording.keypoints_px[track.row[from_:to]]
    sizes_px = _body_sizes(keypoints_px)
    before = _course(at_s, keypoints_px[..., :2], sizes_px)
    after = _course(-at_s[::-1], keypoints_px[::-1, :, :2], sizes_px[::-1])
    after = _Course(after.place_px[::-1], -after.velocity_px_s[::-1], after.size_px[::-1], after.steady[::-1])
    asked = slice(first - from_, last - from_)
    return _Viewed(first, at_s[asked], before.part(asked), after.part(asked))


def _body_sizes(keypoints_px: Float[np.ndarray, "seen joints 3"]) -> Float[np.ndarray, " seen"]:
    """``body_size`` of each."""
    seen = np.isfinite(keypoints_px[..., :1])
    low = np.min(keypoints_px[..., :2], axis=1, initial=np.inf, where=seen)
    high = np.max(keypoints_px[..., :2], axis=1, initial=-np.inf, where=seen)
    size = np.hypot(*np.maximum(high - low, 0.0).T)
    return np.maximum(size, 1.0)


def _course(
    at_s: Float[np.ndarray, " seen"],
    points_px: Float[np.ndarray, "seen joints 2"],
    sizes_px: Float[np.ndarray, " seen"],
) -> _Course:
    """Least-squares lines at each sighting through it and those before it."""
    finite = np.asarray(np.isfinite(points_px).all(-1))
    points = np.where(finite[..., None], points_px, 0.0)
    count, t, tt = (np.zeros(finite.shape) for _ in range(3))
    x, tx = (np.zeros(points.shape) for _ in range(2))
    sightings, size = np.zeros(len(at_s)), np.zeros(len(at_s))
    first = np.searchsorted(at_s, at_s - VIEW_S)
    for back in range(int((np.arange(len(at_s)) - first).max()) + 1):
        now = np.arange(back, len(at_s))
        now = now[now - back >= first[now]]
        used, since = finite[now - back], (at_s[now - back] - at_s[now])[:, None]
        count[now] += used
        t[now] += used * since
        tt[now] += used * since**2
        x[now] += points[now - back]
        tx[now] += since[..., None] * points[now - back]
        sightings[now] += used.sum(1) >= LEAST_JOINTS
        size[now] += sizes_px[now - back]
    size /= np.arange(len(at_s)) - first + 1
    enough = count >= _LEAST_SIGHTINGS
    spread = np.where(enough, count * tt - t**2, 1.0)[..., None]
    velocity = (count[..., None] * tx - t[..., None] * x) / spread
    place = (x - velocity * t[..., None]) / np.maximum(count, 1)[..., None]
    nothing = np.where(enough, 0.0, np.nan)[..., None]
    return _Course(place + nothing, velocity + nothing, size, np.asarray(enough.sum(1) >= LEAST_JOINTS))


def _distance(offsets: Float[np.ndarray, "moments joints 2"]) -> Float[np.ndarray, " moments"]:
    """Median over the joints that both have; infinite where there are too few."""
    lengths = np.linalg.norm(offsets, axis=-1)
    few = np.isfinite(lengths).sum(1) < LEAST_JOINTS
    return np.where(few, np.inf, np.nanmedian(np.where(few[:, None], 0.0, lengths), axis=1))


def _joined(start: Sightings, end: Sightings) -> Sightings:
    return Sightings(np.concatenate([start.frame, end.frame]), np.concatenate([start.row, end.row]), start.track_id)
