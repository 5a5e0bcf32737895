"""Finding, with the whole recording in hand, where tracks pass from one body to another.

Each track is looked at through short straight lines fitted to its joints just before and just after every moment.
Where two people are near one another, the lines before are joined to the lines after both ways; if the other way is
far smoother, the tracks exchange their bodies there. Where a single track jumps between two steady courses, it is cut.
"""

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from hyperlift.shapes import Bool, Float, Int
from hyperlift.wild.following import LEAST_JOINTS, LONGEST_GAP_S, body_size

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
    """One track while it is being mended."""

    frame: Int[np.ndarray, " seen"]
    keypoints_px: Float[np.ndarray, "seen joints 3"]
    """Missing joints are NaN, NaN, 0."""
    track_id: int | None = None
    """The detector's number at its start."""

    def part(self, first: int | None, last: int | None) -> "Sightings":
        """Entries ``first:last``."""
        return Sightings(self.frame[first:last], self.keypoints_px[first:last], self.track_id)


@dataclass(frozen=True, eq=False)
class _Course:
    """Lines at each sighting of a track, through itself and those up to ``VIEW_S`` to one side of it."""

    place_px: Float[np.ndarray, "seen joints 2"]
    velocity_px_s: Float[np.ndarray, "seen joints 2"]
    size_px: Float[np.ndarray, " seen"]
    steady: Bool[np.ndarray, " seen"]
    """Whether enough sightings stand behind the line."""


@dataclass(frozen=True, eq=False)
class _Viewed:
    time_s: Float[np.ndarray, " seen"]
    before: _Course
    after: _Course


def exchange_crossings(
    tracks: list[Sightings], time_s: Float[np.ndarray, " all_frames"]
) -> tuple[list[Sightings], int]:
    """Undo exchanges of bodies between tracks.

    Args:
        tracks: in the detector's joints.
        time_s: seconds of every frame of the video.

    Returns:
        The same number of tracks, and how many exchanges were made.
    """
    tracks = list(tracks)
    views = [_view(track, time_s) for track in tracks]
    made = 0
    while made < _MOST_EXCHANGES:
        best = max(
            ((*_best_exchange(views[a], views[b]), a, b) for a, b in combinations(range(len(tracks)), 2)),
            default=None,
        )
        if best is None or best[0] <= 0:
            break
        _, at_a, at_b, a, b = best
        one, other = tracks[a], tracks[b]
        tracks[a] = _joined(one.part(None, at_a), other.part(at_b, None))
        tracks[b] = _joined(other.part(None, at_b), one.part(at_a, None))
        views[a], views[b] = _view(tracks[a], time_s), _view(tracks[b], time_s)
        made += 1
    return tracks, made


def cut_jumps(tracks: list[Sightings], time_s: Float[np.ndarray, " all_frames"]) -> tuple[list[Sightings], int]:
    """Cut tracks where they jump from one steady course to another that no body could go on to.

    Args:
        tracks: in the detector's joints.
        time_s: seconds of every frame of the video.

    Returns:
        The parts, and how many cuts were made.
    """
    parts = []
    for track in tracks:
        cuts = _jumps(_view(track, time_s)) if len(track.frame) > 1 else []
        borders = [None, *cuts, None]
        parts += [track.part(first, last) for first, last in pairwise(borders)]
    return parts, len(parts) - len(tracks)


def _best_exchange(one: _Viewed, other: _Viewed) -> tuple[float, int, int]:
    """How much the best exchange gains in body sizes (0: none is worth it), and the first sightings that it moves."""
    nothing = 0.0, 0, 0
    if one.time_s[-1] < other.time_s[0] or other.time_s[-1] < one.time_s[0]:
        return nothing
    moments = np.union1d(one.time_s, other.time_s)
    a, b = (np.searchsorted(view.time_s, moments, side="right") for view in (one, other))
    inside = (a > 0) & (a < len(one.time_s)) & (b > 0) & (b < len(other.time_s))
    pairs = np.unique(np.stack([a[inside], b[inside]], axis=1), axis=0)
    a, b = pairs[:, 0], pairs[:, 1]
    gap_a, gap_b = (view.time_s[i] - view.time_s[i - 1] for view, i in ((one, a), (other, b)))
    usable = (gap_a <= LONGEST_GAP_S) & (gap_b <= LONGEST_GAP_S)
    usable &= one.before.steady[a - 1] & one.after.steady[a] & other.before.steady[b - 1] & other.after.steady[b]
    a, b = a[usable], b[usable]
    near = _near(one, a, other, b)
    a, b = a[near], b[near]
    if not len(a):
        return nothing
    keep = _join(one, a - 1, one, a) + _join(other, b - 1, other, b)
    swap = _join(one, a - 1, other, b) + _join(other, b - 1, one, a)
    gain = np.where((keep - swap > LEAST_GAIN) & (swap < LARGEST_SHARE * keep), keep - swap, 0.0)
    best = int(gain.argmax())
    return float(gain[best]), int(a[best]), int(b[best])


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


def _jumps(view: _Viewed) -> list[int]:
    """First sightings after each jump."""
    last = np.arange(len(view.time_s) - 1)
    gap_s = np.diff(view.time_s)
    half = (gap_s / 2)[:, None, None]
    there = view.before.place_px[last] + half * view.before.velocity_px_s[last]
    here = view.after.place_px[last + 1] - half * view.after.velocity_px_s[last + 1]
    size = np.maximum(view.before.size_px[last], view.after.size_px[last + 1])
    rough = _distance(here - there) / size / (JUMP + JUMP_SPEED * gap_s)
    rough = np.where(view.before.steady[last] & view.after.steady[last + 1] & (gap_s <= VIEW_S), rough, 0.0)
    cuts = []
    # The lines on both sides of a jump reach across it in the moments beside it: only the roughest of them is cut.
    while rough.max() >= 1:
        worst = int(rough.argmax())
        cuts.append(worst + 1)
        rough[np.abs(view.time_s[:-1] - view.time_s[worst]) <= VIEW_S] = 0.0
    return sorted(cuts)


def _view(track: Sightings, time_s: Float[np.ndarray, " all_frames"]) -> _Viewed:
    at_s = time_s[track.frame]
    sizes_px = np.array([body_size(person) for person in track.keypoints_px])
    before = _course(at_s, track.keypoints_px[..., :2], sizes_px)
    after = _course(-at_s[::-1], track.keypoints_px[::-1, :, :2], sizes_px[::-1])
    after = _Course(after.place_px[::-1], -after.velocity_px_s[::-1], after.size_px[::-1], after.steady[::-1])
    return _Viewed(at_s, before, after)


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
    return Sightings(
        np.concatenate([start.frame, end.frame]),
        np.concatenate([start.keypoints_px, end.keypoints_px]),
        start.track_id,
    )
