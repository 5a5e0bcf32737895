"""``PeopleByFrame``: the people of all frames in contiguous arrays, without an object per detection."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Float, Int

NO_TRACK = np.iinfo(np.int64).min
"""Value of ``PeopleByFrame.track_id`` for a detection without a track number."""


@dataclass(frozen=True, eq=False, repr=False)
class Detection:
    """The keypoints of one person in one frame.

    Example:
        >>> import numpy as np
        >>> from hyperlift import Detection
        >>> keypoints_px = np.full((17, 3), np.nan)
        >>> keypoints_px[:, 2] = 0.0
        >>> keypoints_px[0] = 640.0, 220.0, 0.9  # the nose alone
        >>> Detection(keypoints_px, track_id=4)
        Detection(1 of 17 joints, track 4)
    """

    keypoints_px: Float[np.ndarray, "joints 3"]
    """x, y in pixels and confidence 0..1, in the joint order of the detector; missing joints are NaN, NaN, 0."""
    track_id: int | None = None
    """Track number from the tracker of the detector."""

    def __repr__(self) -> str:
        seen = int(np.isfinite(self.keypoints_px[:, :2]).all(-1).sum())
        return f"Detection({seen} of {len(self.keypoints_px)} joints, track {self.track_id})"


@dataclass(frozen=True, eq=False, repr=False)
class PeopleByFrame(Mapping[int, Sequence[Detection]]):
    """Maps frame numbers, in ascending order, to people; the ``Detection`` objects are views of the arrays."""

    frame: Int[np.ndarray, " frames"]
    """Ascending frame numbers of the entries; an entry may have no people."""
    start: Int[np.ndarray, " frames_and_end"]
    """The people of entry k are the rows ``start[k]:start[k + 1]`` of the arrays below."""
    keypoints_px: Float[np.ndarray, "people joints 3"]
    """As in ``Detection``."""
    track_id: Int[np.ndarray, " people"]
    """``NO_TRACK`` for people without a track number."""

    @classmethod
    def of(cls, frames: Mapping[int, Sequence[Detection]], joints: int) -> "PeopleByFrame":
        """Build the arrays from a mapping.

        Args:
            frames: maps frame numbers, in any order, to people.
            joints: number of joints, used if there are no people.
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
        """Frame number of every row."""
        return np.repeat(self.frame, np.diff(self.start))

    def rows(self, entry: int) -> range:
        """The rows of an entry."""
        return range(int(self.start[entry]), int(self.start[entry + 1]))

    def detection(self, row: int) -> Detection:
        """The person in a row."""
        number = int(self.track_id[row])
        return Detection(self.keypoints_px[row], None if number == NO_TRACK else number)

    def over(self, frames: int) -> "PeopleByFrame":
        """A copy with exactly one entry for each of the frames 0 to ``frames - 1``."""
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
