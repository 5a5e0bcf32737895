"""Everybody in a file while it is read: entries in any order, frames numbered in the end, marks for missing joints."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.chunks import frame_chunks
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.frame_order import order_doubts
from hyperlift.keypoints.people_by_frame import NO_TRACK, PeopleByFrame
from hyperlift.shapes import Float
from hyperlift.skeletons.mapping import has_position, mark_missing
from hyperlift.skeletons.skeleton import Skeleton

_BLOCK = 4096
"""Detections that are gathered before they are put into an array."""
_ABOVE_ONE = 2.0
"""Confidences that pass 1 by more than this are parts of 100: scores of SimCC heads pass it by less."""

Confidences = Callable[[Float[np.ndarray, " points"]], tuple[Float[np.ndarray, " points"], str | None]]
"""Makes confidences 0..1 of the third numbers of all points in a file that are not marked as missing; with a remark."""


def as_confidences(third: Float[np.ndarray, " points"]) -> tuple[Float[np.ndarray, " points"], str | None]:
    """What the third numbers of a file mean: confidences 0..1, parts of 100, or nothing where all are 0.

    Args:
        third: of all points in the file that have coordinates.

    Returns:
        Confidences, which may pass 1, and what was assumed.
    """
    if not len(third):
        return third, None
    if not third.any():
        return np.ones_like(third), "all confidences are 0: taken as not known, every point counts as seen"
    highest = float(third.max())
    if _ABOVE_ONE < highest <= 100 and third.min() >= 0:
        return third / 100.0, f"confidences reach {highest:g}: taken as parts of 100"
    return third, None


class Gathered:
    """People while a file is read, in any order of frames."""

    def __init__(self, confidences: Confidences = as_confidences) -> None:
        """Begin with nobody.

        Args:
            confidences: what the third numbers of the file's points mean, looked at when all are known.
        """
        self._confidences = confidences
        self._frame: list[np.ndarray] = []
        self._keypoints: list[np.ndarray] = []
        self._track_id: list[np.ndarray] = []
        self._empty: list[int] = []
        self._waiting: list[tuple[int, np.ndarray, int]] = []
        self._faults = 0
        self._first_fault: InputError | None = None

    def add_frame(self, frame: int) -> None:
        """A frame was looked at, whoever is in it."""
        self._empty.append(frame)

    def add(self, frame: int, keypoints: Float[np.ndarray, "joints 3"], track_id: int | None = None) -> None:
        """Somebody in a frame.

        Args:
            frame: its number.
            keypoints: x, y in pixels and confidence as the file has them, of as many joints as everybody has.
            track_id: below 2^63 in size.
        """
        self._waiting.append((frame, keypoints, NO_TRACK if track_id is None else track_id))
        if len(self._waiting) == _BLOCK:
            self._settle()

    @contextmanager
    def entry(self) -> Iterator[None]:
        """Read one entry: a fault in it leaves it out, not the file."""
        try:
            yield
        except InputError as fault:
            self._faults += 1
            self._first_fault = self._first_fault or fault

    def number(self, track_ids: list[int | None]) -> None:
        """The track numbers of everybody who was added, where they are known only in the end."""
        self._settle()
        self._track_id = [np.array([NO_TRACK if number is None else number for number in track_ids], np.int64)]

    def renumber(self, frames: Sequence[int | None]) -> None:
        """Replace the frame numbers of all that was added, where they are known only in the end.

        Args:
            frames: by the numbers that stood for them; None drops a frame.
        """
        self._settle()
        new = np.array([-1 if frame is None else frame for frame in frames], np.int64)
        frame = [new[numbers] for numbers in self._frame]
        self._keypoints = [kept[numbers >= 0] for kept, numbers in zip(self._keypoints, frame, strict=True)]
        self._track_id = [kept[numbers >= 0] for kept, numbers in zip(self._track_id, frame, strict=True)]
        self._frame = [numbers[numbers >= 0] for numbers in frame]
        self._empty = [int(new[number]) for number in self._empty if new[number] >= 0]

    def detections(self, source: str, tool: str, skeleton: Skeleton) -> Detections:
        """Everybody, frame by frame, and within a frame in the order in which they came; asked for once, in the end.

        Missing joints become NaN, NaN, 0; somebody without any joint is left out.

        Args:
            source: the file, for messages.
            tool: that wrote it.
            skeleton: of everybody.

        Raises:
            InputError: the fault of the first entry, if not most of the entries can be read.
        """
        self._settle()
        people = sum(map(len, self._frame))
        if self._first_fault is not None and self._faults >= max(people, 1):
            raise self._first_fault
        notes = []
        if self._first_fault is not None:
            notes.append(
                f"{self._faults} of {people + self._faults} entries cannot be read and are left out; the first: "
                f"{self._first_fault}"
            )
        keypoints = _joined(self._keypoints, len(skeleton))
        remark = settle_missing(keypoints, self._confidences)
        notes += [] if remark is None else [remark]
        frame = np.concatenate([np.empty(0, np.int64), *self._frame])
        track_id = np.concatenate([np.empty(0, np.int64), *self._track_id])
        self._empty += dict.fromkeys(frame.tolist())
        there = np.isfinite(keypoints[..., 0]).any(1)
        if not there.all():
            frame, track_id, keypoints = frame[there], track_id[there], keypoints[there]
        if (np.diff(frame) < 0).any():
            order = np.argsort(frame, kind="stable")
            frame, track_id, keypoints = frame[order], track_id[order], keypoints[order]
        numbers = np.unique(np.array(self._empty, np.int64))
        start = np.append(np.searchsorted(frame, numbers), len(frame))
        frames = PeopleByFrame(numbers, start, keypoints, track_id)
        notes += order_doubts(frames, list(dict.fromkeys(self._empty)))
        return Detections(source=source, tool=tool, skeleton=skeleton, frames=frames, notes=tuple(notes))

    def _settle(self) -> None:
        if self._waiting:
            frame, keypoints, track_id = zip(*self._waiting, strict=True)
            self._frame.append(np.array(frame, np.int64))
            self._keypoints.append(np.stack(keypoints))
            self._track_id.append(np.array(track_id, np.int64))
            self._waiting.clear()


def settle_missing(
    keypoints: Float[np.ndarray, "people joints 3"], confidences: Confidences = as_confidences
) -> str | None:
    """Mark missing joints NaN, NaN, 0 and bring confidences into 0..1, in place; returns what was assumed."""
    placed = has_position(keypoints) & np.isfinite(keypoints[..., 2])
    third = keypoints[..., 2][placed]
    meant, remark = confidences(third)
    if meant is not third:
        keypoints[..., 2][placed] = meant
    for some in frame_chunks(len(keypoints)):
        keypoints[some] = mark_missing(keypoints[some])
    return remark


def _joined(blocks: list[np.ndarray], joints: int) -> Float[np.ndarray, "people joints 3"]:
    """One array of all blocks; each is let go once it is copied."""
    if not blocks:
        return np.empty((0, joints, 3))
    joined = np.empty((sum(map(len, blocks)), *blocks[0].shape[1:]), blocks[0].dtype)
    done = 0
    for number, block in enumerate(blocks):
        joined[done : done + len(block)] = block
        done += len(block)
        blocks[number] = block[:0]
    return joined
