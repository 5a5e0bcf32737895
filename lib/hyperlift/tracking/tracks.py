"""Tracks of all people of a recording: online tracking (``tracker``), then offline repair (``identity_repair``).

Identity switches are undone, tracks that jump are cut, and very short tracks are dropped.
"""

import logging
import math
from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.chunks import frames_text
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.people_by_frame import NO_TRACK
from hyperlift.keypoints.timestamps import check_times
from hyperlift.shapes import Float, Int
from hyperlift.tracking.association import given_id_cost, motion_cost
from hyperlift.tracking.identity_repair import Recording, Rows, cut_at_jumps, undo_switches
from hyperlift.tracking.tracker import Tracker

SHORTEST_TRACK_S = 0.3
"""Minimal duration of a track; in a shorter recording, half its frames. Chosen: false positives and half occluded
passers-by are shorter."""
_SLOWEST_DETECTOR_S = 0.1
"""Maximal time between successive frames of a detector that skips frames; larger steps are gaps. Chosen: 10 frames per
second."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, repr=False)
class Track:
    """The detections of one person; frames may be missing in between."""

    id: int
    frame: Int[np.ndarray, " frames"]
    keypoints_px: Float[np.ndarray, "frames joints 3"]
    """x, y in pixels and confidence 0..1; missing joints are NaN, NaN, 0."""

    def __repr__(self) -> str:
        return f"Track(p{self.id}: {frames_text(self.frame)})"


def track_people(detections: Detections, time_s: Float[np.ndarray, " all_frames"]) -> list[Track]:
    """Like ``track_rows``, but returns the keypoints, in the joint set of the detector.

    Raises:
        InputError: as for ``track_rows``.
    """
    people = detections.people
    frame = people.person_frame
    tracks = track_rows(detections, time_s)
    return [Track(id=number, frame=frame[row], keypoints_px=people.keypoints_px[row]) for number, row in tracks.items()]


def track_rows(detections: Detections, time_s: Float[np.ndarray, " all_frames"]) -> dict[int, Rows]:
    """Track all people of a recording; return rows of ``Detections.people`` by id.

    The first track that begins with a track number of the detector gets it as its id; all other tracks get free ids.
    Repairs and dropped tracks are logged (INFO).

    Args:
        detections: see above.
        time_s: time of every frame of the video in seconds, ascending, indexed by frame number.

    Returns:
        Rows in temporal order; people in the order of appearance.

    Raises:
        InputError: no track is long enough, or the time stamps are invalid.
    """
    check_times(time_s, max(detections.last_frame, 0))
    people, frame = detections.people, detections.people.person_frame
    recording = Recording(people.keypoints_px, frame, time_s[frame])
    tracks, switches = undo_switches(_identified(detections, time_s), recording)
    tracks, cuts = cut_at_jumps(tracks, recording)
    if switches or cuts:
        _log.info("%s: %d switches of identity undone, %d jumps cut", detections.source, switches, cuts)

    shortest = _fewest_detections(detections, time_s)
    kept = [track for track in tracks if len(track) >= shortest]
    if not kept:
        raise InputError(
            f"{detections.source}: nobody is seen in {shortest} frames or more that belong together; "
            "check `fps` and the frame numbers"
        )
    if len(kept) < len(tracks):
        short, rows = len(tracks) - len(kept), sum(len(track) for track in tracks if len(track) < shortest)
        _log.info(
            "%s: %d track%s of fewer than %d detections dropped (%d detection%s)",
            *(detections.source, short, "s" * (short != 1), shortest, rows, "s" * (rows != 1)),
        )
    return _numbered(kept, detections)


def _identified(detections: Detections, time_s: Float[np.ndarray, " all_frames"]) -> list[Rows]:
    """The rows of each person, as assigned by the tracker."""
    people = detections.people
    tracker = Tracker(given_id_cost if detections.tracked else motion_cost)
    person = np.full(len(people.keypoints_px), -1)
    for entry, frame in enumerate(people.frame.tolist()):
        rows = slice(*people.start[entry : entry + 2].tolist())
        given = [None if number == NO_TRACK else number for number in people.track_id[rows].tolist()]
        ids = tracker.update(float(time_s[frame]), people.keypoints_px[rows], given)
        person[rows] = [-1 if number is None else number for number in ids]
    order = np.argsort(person, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(person[order])) + 1)
    return [rows for rows in parts if len(rows) and person[rows[0]] >= 0]


def _fewest_detections(detections: Detections, time_s: Float[np.ndarray, " all_frames"]) -> int:
    frames = detections.people.frame
    if len(frames) < 2:
        return 1
    # A detector that processes every second frame gives half as many detections in the same time.
    step_s = min(float(np.median(np.diff(time_s[frames]))), _SLOWEST_DETECTOR_S)
    return max(1, min(math.ceil(SHORTEST_TRACK_S / step_s - 1e-6), detections.span // 2))


def _numbered(tracks: list[Rows], detections: Detections) -> dict[int, Rows]:
    """Assign ids: in the order of the first frames, track numbers of the detector, then free ids."""
    people, frame = detections.people, detections.people.person_frame
    numbered: dict[int, Rows] = {}
    others = []
    for track in sorted(tracks, key=lambda track: int(frame[track[0]])):
        given = int(people.track_id[track[0]])
        if given == NO_TRACK or given in numbered:
            others.append(track)
        else:
            numbered[given] = track
    free = range(max(numbered, default=-1) + 1, max(numbered, default=-1) + 1 + len(others))
    numbered |= zip(free, others, strict=True)
    return dict(sorted(numbered.items(), key=lambda item: (int(frame[item[1][0]]), item[0])))
