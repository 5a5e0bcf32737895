"""Following each person through a recording: from detections frame by frame to one track a person.

Frame by frame (``following``), then looked over as a whole (``exchanges``): exchanges between two people are undone, a
track that jumps is cut. Somebody unseen for more than a second comes back as another person. Very short tracks are
dropped.
"""

import logging
import math

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.wild.exchanges import Sightings, cut_jumps, exchange_crossings
from hyperlift.wild.following import Follower
from hyperlift.wild.keypoints import Detection, Detections, Track
from hyperlift.wild.timing import check_times

SHORTEST_TRACK_S = 0.3
"""Tracks with fewer detections than this are dropped: ghosts, passers-by half hidden. A recording that is
shorter itself needs the person in half of its frames."""
_SLOWEST_DETECTOR_S = 0.1
"""Detections farther apart than this are gaps, not a detector that looks at some frames only."""

_log = logging.getLogger(__name__)


def follow_people(detections: Detections, time_s: Float[np.ndarray, " all_frames"]) -> list[Track]:
    """Link the detections of a recording into one track a person, in the detector's joints.

    The detector's own track number becomes the track's id; a track that had to be cut goes on under a new
    one. What was mended and dropped is logged (INFO).

    Args:
        detections: everybody, frame by frame.
        time_s: seconds of every frame of the video, ascending, indexed by the frame numbers of ``detections``.

    Raises:
        InputError: nobody is seen for long enough, or the time stamps do not fit.
    """
    frames = sorted(detections.frames)
    check_times(time_s, frames[-1] if frames else 0)
    trails: dict[int, list[tuple[int, Detection]]] = {}
    follower = Follower()
    for frame in frames:
        people = detections.frames[frame]
        for person, number in zip(people, follower.follow(float(time_s[frame]), people), strict=True):
            if number is not None:
                trails.setdefault(number, []).append((frame, person))
    tracks, exchanges = exchange_crossings([_sightings(trail) for trail in trails.values()], time_s)
    tracks, cuts = cut_jumps(tracks, time_s)
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
    frames = np.array(sorted(detections.frames))
    if len(frames) < 2:
        return 1
    # Where the detector looked at every second frame only, half as many detections are as long.
    step_s = min(float(np.median(np.diff(time_s[frames]))), _SLOWEST_DETECTOR_S)
    return max(1, min(math.ceil(SHORTEST_TRACK_S / step_s - 1e-6), detections.span // 2))


def _sightings(trail: list[tuple[int, Detection]]) -> Sightings:
    return Sightings(
        frame=np.array([frame for frame, _ in trail]),
        keypoints_px=np.stack([person.keypoints_px for _, person in trail]),
        track_id=trail[0][1].track_id,
    )


def _number(tracks: list[Sightings]) -> list[Track]:
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
        Track(id=next(following) if owner is None else owner, frame=track.frame, keypoints_px=track.keypoints_px)
        for track, owner in zip(tracks, owners, strict=True)
    ]
    return sorted(numbered, key=lambda track: (int(track.frame[0]), track.id))
