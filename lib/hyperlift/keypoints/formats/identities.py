"""Who is who in a file: doubled detections and numbers that are none."""

from dataclasses import replace

import numpy as np

from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.people_by_frame import NO_TRACK, PeopleByFrame
from hyperlift.shapes import Bool, Float

_FEW_FRAMES = 3
"""Frames in which a tracker may slip before its numbers are taken for none at all."""
_SAME_BODY = 0.15
"""Two detections nearer than this in one frame, in body sizes, are one body that was found twice."""
_SMALL_SHARE = 0.02
"""The same as a part of the frames with several numbered people: what trackers of real recordings reach is 0.5 %."""


def settled_identities(detections: Detections) -> Detections:
    """The same people without exact doubles, and without track numbers that two bodies of one frame share.

    AlphaPose without its tracker, for one, gives everybody the same number. Numbers that are shared in more than a few
    frames are dropped for the whole file; a note says so.
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
    """Of detections in one frame that are equal in every number the first, and how many others there were."""
    frame = people.person_frame
    if not (np.diff(frame) == 0).any():
        return people, 0
    kept = np.ones(len(frame), bool)
    # Only neighbours in x of the first joints can be equal: rows are compared where cheap keys agree.
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
    """Whose number another body in the same frame has too; a body that was found twice shares it with itself."""
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
    """Median over the joints that both have, in body sizes; infinite where they have none in common."""
    lengths = np.linalg.norm(one[..., :2] - other[..., :2], axis=-1)
    none = np.isnan(lengths).all(-1)
    lengths[none] = np.inf
    points = np.concatenate([one, other], axis=1)[..., :2]
    seen = np.isfinite(points)
    box = np.max(points, axis=1, initial=-np.inf, where=seen) - np.min(points, axis=1, initial=np.inf, where=seen)
    return np.nanmedian(lengths, axis=-1) / np.maximum(np.linalg.norm(box, axis=-1), 1.0)
