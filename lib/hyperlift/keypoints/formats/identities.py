"""Cleaning of identities in a keypoint file: duplicate detections, and track numbers that are not unique."""

from dataclasses import replace

import numpy as np

from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.people_by_frame import NO_TRACK, PeopleByFrame
from hyperlift.shapes import Bool, Float

_FEW_FRAMES = 3
"""Number of frames with shared numbers up to which track numbers are used. Chosen: trackers make occasional errors."""
_SAME_BODY = 0.15
"""Maximal distance of two detections of one body in a frame, in body sizes. Chosen: people side by side are about one
body size apart."""
_SMALL_SHARE = 0.02
"""The same limit as a share of the frames with several numbered people. Chosen: a tracker that gives two bodies one
number more often says little about identities."""


def cleaned_identities(detections: Detections) -> Detections:
    """Remove exact duplicates, and track numbers that two bodies of one frame share.

    For example, AlphaPose without its tracker gives all people the same number. If numbers are shared in more than a
    few frames, all track numbers of the file are removed, with a note.
    """
    notes = list(detections.notes)
    people, doubled = _without_doubles(detections.people)
    if doubled:
        notes.append(f"{doubled} detection{'s are' if doubled > 1 else ' is'} there twice, and counted once")
    shared = _shared_numbers(people)
    frames_shared = len(np.unique(people.person_frame[shared]))
    if frames_shared:
        numbered = people.track_id != NO_TRACK
        several = int((np.unique(people.person_frame[numbered], return_counts=True)[1] > 1).sum())
        if frames_shared > max(_FEW_FRAMES, _SMALL_SHARE * several) or frames_shared == several:
            notes.append(
                f"track numbers are not used: in {frames_shared} of {several} frames with several people two of them "
                "share a number; people are told apart by where they are"
            )
            shared = np.ones_like(shared)
        people = replace(people, track_id=np.where(shared, NO_TRACK, people.track_id))
    return replace(detections, frames=people, notes=tuple(notes))


def _without_doubles(people: PeopleByFrame) -> tuple[PeopleByFrame, int]:
    """Keep the first of identical detections of a frame; also return the number of removed ones."""
    frame = people.person_frame
    if not (np.diff(frame) == 0).any():
        return people, 0
    kept = np.ones(len(frame), bool)
    # Rows are compared in full only if their sums of coordinates are equal.
    keys = np.nan_to_num(people.keypoints_px[..., :2], nan=-1.0).sum((1, 2))
    order = np.lexsort((keys, frame))
    same = (np.diff(frame[order]) == 0) & (np.diff(keys[order]) == 0)
    for place in np.flatnonzero(same):
        one, other = sorted((order[place], order[place + 1]))
        if np.array_equal(people.keypoints_px[one], people.keypoints_px[other], equal_nan=True):
            kept[other] = False
    if kept.all():
        return people, 0
    counts = np.add.reduceat(kept, people.start[:-1][np.diff(people.start) > 0]) if kept.size else np.empty(0, int)
    sizes = np.zeros(len(people.frame), np.int64)
    sizes[np.diff(people.start) > 0] = counts
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    fewer = PeopleByFrame(people.frame, start, people.keypoints_px[kept], people.track_id[kept])
    return fewer, int((~kept).sum())


def _shared_numbers(people: PeopleByFrame) -> Bool[np.ndarray, " people"]:
    """Mask of people whose track number belongs to another body of the same frame as well; two detections of one body
    may share a number."""
    frame, number = people.person_frame, people.track_id
    order = np.lexsort((number, frame))
    one, other = order[:-1], order[1:]
    same = (frame[one] == frame[other]) & (number[one] == number[other]) & (number[one] != NO_TRACK)
    one, other = one[same], other[same]
    apart = _distance(people.keypoints_px[one], people.keypoints_px[other]) > _SAME_BODY
    shared = np.zeros(len(number), bool)
    shared[one[apart]] = shared[other[apart]] = True
    return shared


def _distance(
    one: Float[np.ndarray, "pairs joints 3"], other: Float[np.ndarray, "pairs joints 3"]
) -> Float[np.ndarray, " pairs"]:
    """Median distance of the shared joints, in body sizes; infinite without shared joints."""
    lengths = np.linalg.norm(one[..., :2] - other[..., :2], axis=-1)
    none = np.isnan(lengths).all(-1)
    lengths[none] = np.inf
    points = np.concatenate([one, other], axis=1)[..., :2]
    seen = np.isfinite(points)
    box = np.max(points, axis=1, initial=-np.inf, where=seen) - np.min(points, axis=1, initial=np.inf, where=seen)
    return np.nanmedian(lengths, axis=-1) / np.maximum(np.linalg.norm(box, axis=-1), 1.0)
