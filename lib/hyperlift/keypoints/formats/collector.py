"""Collects the people of a keypoint file, in any order, and builds ``Detections`` from them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.chunks import frame_chunks
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.frame_order import frame_order_warnings
from hyperlift.keypoints.people_by_frame import NO_TRACK, PeopleByFrame
from hyperlift.shapes import Float
from hyperlift.skeletons.mapping import has_position, mark_missing
from hyperlift.skeletons.skeleton import Skeleton

_BLOCK = 4096
"""Detections that are stacked into one array at a time. Chosen: bounds the number of small arrays in memory."""
_ABOVE_ONE = 2.0
"""Maximum above which confidences are percentages. Chosen: scores of SimCC heads exceed 1 by less."""

Confidences = Callable[[Float[np.ndarray, " points"]], tuple[Float[np.ndarray, " points"], str | None]]
"""Converts the third values of all keypoints in a file that are not missing to confidences 0..1; also returns a
note."""


def as_confidences(third: Float[np.ndarray, " points"]) -> tuple[Float[np.ndarray, " points"], str | None]:
    """Interpret the third values of a file as confidences 0..1, as percentages, or, if all are 0, as unknown.

    Args:
        third: of all keypoints of the file that have coordinates.

    Returns:
        Confidences, which may exceed 1, and a note on the assumption.
    """
    if not len(third):
        return third, None
    if not third.any():
        return np.ones_like(third), "all confidences are 0: taken as not known, every point counts as seen"
    highest = float(third.max())
    if _ABOVE_ONE < highest <= 100 and third.min() >= 0:
        return third / 100.0, f"confidences reach {highest:g}: taken as parts of 100"
    return third, None


class PeopleCollector:
    """The people of a file while it is read, in any order of frames."""

    def __init__(self, confidences: Confidences = as_confidences) -> None:
        """Create an empty collector.

        Args:
            confidences: interprets the third values of all keypoints, after the file has been read.
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
        """Add a frame, which may have no people."""
        self._empty.append(frame)

    def add(self, frame: int, keypoints: Float[np.ndarray, "joints 3"], track_id: int | None = None) -> None:
        """Add a person.

        Args:
            frame: frame number.
            keypoints: x, y in pixels and the third value of the file; all people have the same number of joints.
            track_id: absolute value below 2^63.
        """
        self._waiting.append((frame, keypoints, NO_TRACK if track_id is None else track_id))
        if len(self._waiting) == _BLOCK:
            self._flush()

    @contextmanager
    def entry(self) -> Iterator[None]:
        """Context for reading one entry: an entry with an error is skipped and counted."""
        try:
            yield
        except InputError as fault:
            self._faults += 1
            self._first_fault = self._first_fault or fault

    def number(self, track_ids: list[int | None]) -> None:
        """Set the track numbers of all people, if they are known only after reading."""
        self._flush()
        self._track_id = [np.array([NO_TRACK if number is None else number for number in track_ids], np.int64)]

    def renumber(self, frames: Sequence[int | None]) -> None:
        """Replace all frame numbers, if they are known only after reading.

        Args:
            frames: the new number of each number used so far; None removes the frame.
        """
        self._flush()
        new = np.array([-1 if frame is None else frame for frame in frames], np.int64)
        frame = [new[numbers] for numbers in self._frame]
        self._keypoints = [kept[numbers >= 0] for kept, numbers in zip(self._keypoints, frame, strict=True)]
        self._track_id = [kept[numbers >= 0] for kept, numbers in zip(self._track_id, frame, strict=True)]
        self._frame = [numbers[numbers >= 0] for numbers in frame]
        self._empty = [int(new[number]) for number in self._empty if new[number] >= 0]

    def detections(self, source: str, tool: str, skeleton: Skeleton) -> Detections:
        """Build the result, once: people by frame, and within a frame in the order of addition.

        Missing joints become NaN, NaN, 0; people without any joint are removed.

        Args:
            source: the file, for messages.
            tool: the tool that wrote the file.
            skeleton: the joint set of all people.

        Raises:
            InputError: the error of the first entry, if at least half of the entries cannot be read.
        """
        self._flush()
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
        remark = normalise_missing(keypoints, self._confidences)
        notes += [] if remark is None else [remark]
        frame = np.concatenate([np.empty(0, np.int64), *self._frame])
        track_id = np.concatenate([np.empty(0, np.int64), *self._track_id])
        self._empty += dict.fromkeys(frame.tolist())
        visible = np.isfinite(keypoints[..., 0]).any(1)
        if not visible.all():
            frame, track_id, keypoints = frame[visible], track_id[visible], keypoints[visible]
        if (np.diff(frame) < 0).any():
            order = np.argsort(frame, kind="stable")
            frame, track_id, keypoints = frame[order], track_id[order], keypoints[order]
        numbers = np.unique(np.array(self._empty, np.int64))
        start = np.append(np.searchsorted(frame, numbers), len(frame))
        frames = PeopleByFrame(numbers, start, keypoints, track_id)
        notes += frame_order_warnings(frames, list(dict.fromkeys(self._empty)))
        return Detections(source=source, tool=tool, skeleton=skeleton, frames=frames, notes=tuple(notes))

    def _flush(self) -> None:
        if self._waiting:
            frame, keypoints, track_id = zip(*self._waiting, strict=True)
            self._frame.append(np.array(frame, np.int64))
            self._keypoints.append(np.stack(keypoints))
            self._track_id.append(np.array(track_id, np.int64))
            self._waiting.clear()


def normalise_missing(
    keypoints: Float[np.ndarray, "people joints 3"], confidences: Confidences = as_confidences
) -> str | None:
    """Set missing joints to NaN, NaN, 0 and confidences to 0..1, in place; return a note on the assumption."""
    placed = has_position(keypoints) & np.isfinite(keypoints[..., 2])
    third = keypoints[..., 2][placed]
    meant, remark = confidences(third)
    if meant is not third:
        keypoints[..., 2][placed] = meant
    for chunk in frame_chunks(len(keypoints)):
        keypoints[chunk] = mark_missing(keypoints[chunk])
    return remark


def _joined(blocks: list[np.ndarray], joints: int) -> Float[np.ndarray, "people joints 3"]:
    """Concatenate blocks and release each block after it has been copied, which halves the peak memory."""
    if not blocks:
        return np.empty((0, joints, 3))
    joined = np.empty((sum(map(len, blocks)), *blocks[0].shape[1:]), blocks[0].dtype)
    done = 0
    for number, block in enumerate(blocks):
        joined[done : done + len(block)] = block
        done += len(block)
        blocks[number] = block[:0]
    return joined
