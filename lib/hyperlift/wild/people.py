"""Everybody in every frame, in arrays: a detection costs its numbers, not an object with an array of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float, Int
from hyperlift.skeletons.mapping import mark_missing

NO_TRACK = np.iinfo(np.int64).min
"""Stands for a detection without a track number."""
_BLOCK = 4096
"""Detections that are gathered before they are put into an array."""


@dataclass(frozen=True, eq=False, repr=False)
class Detection:
    """One person in one frame, as the detector saw them."""

    keypoints_px: Float[np.ndarray, "joints 3"]
    """x, y in pixels and confidence 0..1, in the detector's joint order; missing joints are NaN, NaN, 0."""
    track_id: int | None = None
    """The number that the detector's own tracker gave, if it has one."""

    def __repr__(self) -> str:
        seen = int(np.isfinite(self.keypoints_px[:, :2]).all(-1).sum())
        return f"Detection({seen} of {len(self.keypoints_px)} joints, track {self.track_id})"


@dataclass(frozen=True, eq=False, repr=False)
class PeopleByFrame(Mapping[int, Sequence[Detection]]):
    """Frame number to the people in it, ascending; the detections handed out are views of the arrays."""

    frame: Int[np.ndarray, " frames"]
    """Ascending numbers of the frames that have an entry, those with nobody included."""
    start: Int[np.ndarray, " frames_and_end"]
    """The people of entry k are rows ``start[k]`` to ``start[k + 1]`` of the arrays below."""
    keypoints_px: Float[np.ndarray, "people joints 3"]
    """As in ``Detection``."""
    track_id: Int[np.ndarray, " people"]
    """``NO_TRACK`` where there is none."""

    @classmethod
    def of(cls, frames: Mapping[int, Sequence[Detection]], joints: int) -> "PeopleByFrame":
        """The arrays of a mapping from frame numbers to people.

        Args:
            frames: in any order.
            joints: of each person, for a mapping with nobody in it.
        """
        if isinstance(frames, PeopleByFrame):
            return frames
        numbers = sorted(frames)
        people = [person for number in numbers for person in frames[number]]
        return cls(
            frame=np.array(numbers, np.int64),
            start=np.cumsum([0, *(len(frames[number]) for number in numbers)], dtype=np.int64),
            keypoints_px=np.stack([p.keypoints_px for p in people]) if people else np.empty((0, joints, 3)),
            track_id=np.array([NO_TRACK if p.track_id is None else p.track_id for p in people], np.int64),
        )

    @property
    def person_frame(self) -> Int[np.ndarray, " people"]:
        """The frame number of every row."""
        return np.repeat(self.frame, np.diff(self.start))

    def rows(self, entry: int) -> range:
        """The rows of the people in the frame of an entry."""
        return range(int(self.start[entry]), int(self.start[entry + 1]))

    def detection(self, row: int) -> Detection:
        """One person in one frame."""
        number = int(self.track_id[row])
        return Detection(self.keypoints_px[row], None if number == NO_TRACK else number)

    def over(self, frames: int) -> "PeopleByFrame":
        """The same with an entry for every frame from 0 and no other."""
        counts = np.zeros(frames, np.int64)
        within = self.frame < frames
        counts[self.frame[within]] = np.diff(self.start)[within]
        people = int(counts.sum())
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return PeopleByFrame(np.arange(frames), start, self.keypoints_px[:people], self.track_id[:people])

    def __getitem__(self, frame: int) -> list[Detection]:
        entry = int(np.searchsorted(self.frame, frame)) if isinstance(frame, int | np.integer) else len(self.frame)
        if entry == len(self.frame) or self.frame[entry] != frame:
            raise KeyError(frame)
        return [self.detection(row) for row in self.rows(entry)]

    def __iter__(self) -> Iterator[int]:
        return map(int, self.frame)

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return f"PeopleByFrame({len(self.keypoints_px)} sightings in {len(self)} frames)"


class Gathered:
    """People while a file is read, in any order of frames."""

    def __init__(self, clean: Callable[[np.ndarray], np.ndarray] = mark_missing) -> None:
        """Begin with nobody.

        Args:
            clean: makes keypoints [people, joints, 3] as they come from the file those of ``Detection``.
        """
        self._clean = clean
        self._frame: list[np.ndarray] = []
        self._keypoints: list[np.ndarray] = []
        self._track_id: list[np.ndarray] = []
        self._empty: list[int] = []
        self._waiting: list[tuple[int, np.ndarray, int]] = []

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

    def people(self, joints: int) -> PeopleByFrame:
        """Everybody, frame by frame, and within a frame in the order in which they came; asked for once, in the end.

        Args:
            joints: of each person, where nobody came.
        """
        self._settle()
        frame = np.concatenate([np.empty(0, np.int64), *self._frame])
        track_id = np.concatenate([np.empty(0, np.int64), *self._track_id])
        keypoints = _joined(self._keypoints, joints)
        if (np.diff(frame) < 0).any():
            order = np.argsort(frame, kind="stable")
            frame, track_id, keypoints = frame[order], track_id[order], keypoints[order]
        numbers = np.union1d(frame, np.array(self._empty, np.int64))
        start = np.append(np.searchsorted(frame, numbers), len(frame))
        return PeopleByFrame(numbers, start, keypoints, track_id)

    def _settle(self) -> None:
        if self._waiting:
            frame, keypoints, track_id = zip(*self._waiting, strict=True)
            self._frame.append(np.array(frame, np.int64))
            self._keypoints.append(self._clean(np.stack(keypoints)))
            self._track_id.append(np.array(track_id, np.int64))
            self._waiting.clear()


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
