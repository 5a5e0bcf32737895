"""What a live stream has seen of everybody during the last seconds: one buffer for every kind of stream."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.normalisation import check_picture_size, normalise_points
from hyperlift.keypoints.timestamps import check_fps
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.skeletons.mapping import mark_missing, to_h36m
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.tracking.gaps import fill_gaps

ROUNDING = 1e-6
"""Frames or seconds that arithmetic may lose."""
UNSEEN = np.array([np.nan, np.nan, 0.0])


@dataclass(frozen=True, eq=False)
class Stretch:
    """Sightings of one person with the frames between them filled."""

    times_s: Float[np.ndarray, " frames"]
    pose2d_norm: Float[np.ndarray, "frames joints 3"]
    """x, y in normalised picture space and confidence; every joint has some place."""
    valid: Bool[np.ndarray, " joints"]
    """Of the frame that is asked for: seen, or between two sightings at most a second apart."""
    keypoints_px: Float[np.ndarray, "joints 3"]
    """Of the frame that is asked for; NaN where a joint is not valid."""


class Sightings:
    """Keypoints of the latest frames, by person and frame number, in the joints of ``H36M_17``."""

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        memory_s: float,
        *,
        skeleton: Skeleton = H36M_17,
        min_confidence: float = 0.0,
    ) -> None:
        """Remember nobody yet.

        Args:
            width: of the picture in pixels.
            height: of the picture in pixels.
            fps: frames that come a second, where no time stamps are given.
            memory_s: how long before the frame that is asked for sightings are kept.
            skeleton: joints of the keypoints; those of another than ``H36M_17`` are mapped to it.
            min_confidence: keypoints below it count as not seen.

        Raises:
            InputError: an impossible setting.
        """
        check_fps(fps)
        check_picture_size(float(width), float(height))
        if not 0 <= min_confidence < 1:
            raise InputError(f"min_confidence is {min_confidence:g}; give a number from 0 up to, not including, 1")
        self._size, self._fps, self._memory_s = (float(width), float(height)), fps, memory_s
        self._skeleton, self._min_confidence = skeleton, min_confidence
        self.clear()

    def clear(self) -> None:
        """Forget everybody and all time."""
        self.newest = -1
        """Number of the newest frame."""
        self.times_s: dict[int, float] = {}
        self.people: dict[int, dict[int, Float[np.ndarray, "joints 3"]]] = {}
        """Keypoints by the person's number and the frame's, in pixels, missing joints NaN."""

    @property
    def newest_s(self) -> float:
        """Seconds of the newest frame; NaN before the first."""
        return self.times_s.get(self.newest, np.nan)

    def push(self, people: Mapping[int, Float[np.ndarray, "joints 3"] | None], time_s: float | None) -> None:
        """Take the next frame.

        Raises:
            InputError: keypoints of another shape, or time going backwards; nothing is taken then.
        """
        if time_s is None:
            time_s = self.times_s[self.newest] + 1 / self._fps if self.times_s else 0.0
        if not np.isfinite(time_s) or (self.times_s and time_s <= self.times_s[self.newest]):
            raise InputError(f"frame {self.newest + 1} is of {time_s} s, not after the frame before; time must ascend")
        seen = {number: self._cleaned(keypoints) for number, keypoints in people.items() if keypoints is not None}
        self.newest += 1
        self.times_s[self.newest] = float(time_s)
        for number, keypoints_px in seen.items():
            if np.isfinite(keypoints_px[:, 0]).any():
                self.people.setdefault(number, {})[self.newest] = keypoints_px

    def stretch(self, number: int, at: list[int], asked: int) -> Stretch:
        """Fill the frames between some sightings of a person.

        Args:
            number: of the person.
            at: frames of the sightings, ascending, with none longer than a second between them.
            asked: a frame from the first of them on.
        """
        keypoints = [self.people[number][frame] for frame in at]
        if at[-1] < asked:  # not seen now: the place is held, and not valid
            at, keypoints = [*at, asked], [*keypoints, np.tile(UNSEEN, (len(H36M_17), 1))]
        times_s = np.array([self.times_s[frame] for frame in range(at[0], at[-1] + 1)])
        filled = fill_gaps(np.array(at) - at[0], np.stack(keypoints), H36M_17, times_s)
        valid = filled.valid[asked - at[0]]
        return Stretch(
            times_s=times_s,
            pose2d_norm=self.normalised(filled.keypoints_px),
            valid=valid,
            keypoints_px=np.where(valid[:, None], filled.keypoints_px[asked - at[0]], UNSEEN),
        )

    def normalised(self, keypoints_px: Float[np.ndarray, "*any joints 3"]) -> Float[np.ndarray, "*any joints 3"]:
        """Pixels to normalised picture space; the confidence stays."""
        return np.concatenate([normalise_points(keypoints_px[..., :2], *self._size), keypoints_px[..., 2:]], axis=-1)

    def forget(self, asked: int) -> None:
        """Drop what no frame after the one that was asked for needs."""
        oldest_s = self.times_s[asked] - self._memory_s
        for frame in [frame for frame, time_s in self.times_s.items() if time_s < oldest_s and frame < asked]:
            del self.times_s[frame]
        for number, seen in list(self.people.items()):
            for frame in [frame for frame in seen if frame not in self.times_s]:
                del seen[frame]
            if not seen:
                del self.people[number]

    def _cleaned(self, keypoints: np.ndarray) -> Float[np.ndarray, "joints 3"]:
        keypoints_px = np.asarray(keypoints, dtype=np.float64)
        if keypoints_px.shape != (len(self._skeleton), 3):
            raise InputError(
                f"keypoints have the shape {list(keypoints_px.shape)}; expected [{len(self._skeleton)}, 3] "
                f"({self._skeleton.name}: x, y, confidence)"
            )
        cleaned = mark_missing(keypoints_px, self._min_confidence)
        return cleaned if self._skeleton.name == H36M_17.name else to_h36m(cleaned, self._skeleton)
