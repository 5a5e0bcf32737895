"""Following each person through a recording: from detections frame by frame to one track a person.

Frame by frame (``following``), then looked over as a whole (``exchanges``): exchanges between two people are undone, a
track that jumps is cut. Somebody unseen for more than a second comes back as another person. Very short tracks are
dropped.
"""

import logging
import math
from array import array
from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float, Int
from hyperlift.wild.exchanges import Sightings, cut_jumps, exchange_crossings
from hyperlift.wild.following import Follower
from hyperlift.wild.keypoints import Detections, Track
from hyperlift.wild.timing import check_times

SHORTEST_TRACK_S = 0.3
"""Tracks with fewer detections than this are dropped: ghosts, passers-by half hidden. A recording that is
shorter itself needs the person in half of its frames."""
_SLOWEST_DETECTOR_S = 0.1
"""Detections farther apart than this are gaps, not a detector that looks at some frames only."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Trail:
    """The detections of one person."""

    id: int
    frame: Int[np.ndarray, " seen"]
    row: Int[np.ndarray, " seen"]
    """Of each in ``Detections.people``."""


def follow_people(detections: Detections, time_s: Float[np.ndarray, " all_frames"]) -> list[Track]:
    """``follow_trails`` with the keypoints of each person, in the detector's joints.

    Raises:
        InputError: as ``follow_trails``.
    """
    keypoints_px = detections.people.keypoints_px
    trails = follow_trails(detections, time_s)
    return [Track(id=trail.id, frame=trail.frame, keypoints_px=keypoints_px[trail.row]) for trail in trails]


def follow_trails(detections: Detections, time_s: Float[np.ndarray, " all_frames"]) -> list[Trail]:
    """Link the detections of a recording into one trail a person.

    The detector's own track number becomes the trail's id; a track that had to be cut goes on under a new
    one. What was mended and dropped is logged (INFO).

    Args:
        detections: everybody, frame by frame.
        time_s: seconds of every frame of the video, ascending, indexed by the frame numbers of ``detections``.

    Raises:
        InputError: nobody is seen for long enough, or the time stamps do not fit.
    """
    people = detections.people
    check_times(time_s, max(detections.last_frame, 0))
    trails: dict[int, array] = {}
    follower = Follower()
    for entry, frame in enumerate(people.frame.tolist()):
        rows = people.rows(entry)
        seen = [people.detection(row) for row in rows]
        for row, number in zip(rows, follower.follow(float(time_s[frame]), seen), strict=True):
            if number is not None:
                trails.setdefault(number, array("q")).append(row)
    of_row = people.person_frame
    tracks = [_sightings(np.array(rows, np.int64), of_row, detections) for rows in trails.values()]
    tracks, exchanges = exchange_crossings(tracks, people.keypoints_px, time_s)
    tracks, cuts = cut_jumps(tracks, people.keypoints_px, time_s)
    if exchanges or cuts:
        _log.info("%s: %d exchanges between people undone, %d jumps cut", detections.source, exchanges, cuts)

    shortest = _fewest_detections(detections, time_s)
    kept = [track for track in tracks if len(track.frame) >= shortest]
    if not kept:
        raise InputError(
            f"{detections.source}: nobody is seen in {shortest} frames or more that belong together; "
            "check fps (--fps) and the frame numbers"
        )
    if len(kept) < len(tracks):
        lone = sum(len(track.frame) for track in tracks if len(track.frame) < shortest)
        _log.info(
            "%s: %d tracks of fewer than %d detections dropped (%d detections)",
            *(detections.source, len(tracks) - len(kept), shortest, lone),
        )
    return _number(kept)


def _fewest_detections(detections: Detections, time_s: Float[np.ndarray, " all_frames"]) -> int:
    frames = detections.people.frame
    if len(frames) < 2:
        return 1
    # Where the detector looked at every second frame only, half as many detections are as long.
    step_s = min(float(np.median(np.diff(time_s[frames]))), _SLOWEST_DETECTOR_S)
    return max(1, min(math.ceil(SHORTEST_TRACK_S / step_s - 1e-6), detections.span // 2))


def _sightings(
    row: Int[np.ndarray, " seen"], frame_of_row: Int[np.ndarray, " people"], detections: Detections
) -> Sightings:
    return Sightings(frame_of_row[row], row, detections.people.detection(int(row[0])).track_id)


def _number(tracks: list[Sightings]) -> list[Trail]:
    """Own numbers first come first served; the parts of a cut track and people without a number get free
    ones."""
    tracks = sorted(tracks, key=lambda track: int(track.frame[0]))
    used: set[int] = set()
    owners = []
    for track in tracks:
        is_first = track.track_id is not None and track.track_id not in used
        if is_first and track.track_id is not None:
            used.add(track.track_id)
        owners.append(track.track_id if is_first else None)
    following = iter(range(max(used, default=-1) + 1, max(used, default=-1) + 1 + len(tracks)))
    numbered = [
        Trail(id=next(following) if owner is None else owner, frame=track.frame, row=track.row)
        for track, owner in zip(tracks, owners, strict=True)
    ]
    return sorted(numbered, key=lambda track: (int(track.frame[0]), track.id))
