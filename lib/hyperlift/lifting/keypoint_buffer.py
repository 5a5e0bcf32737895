"""Buffer of the keypoints of the last seconds, shared by all kinds of live streams."""

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
from hyperlift.tracking.gaps import drop_weak_joints, fill_gaps

ROUNDING = 1e-6
"""Tolerance for rounding errors, in frames or seconds: far below a frame, far above float64 at a day of seconds."""
UNSEEN_JOINT = np.array([np.nan, np.nan, 0.0])
"""Keypoint (x, y, confidence) of a joint that was not detected."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Consecutive frames of one person, with short gaps filled."""

    times_s: Float[np.ndarray, " frames"]
    pose2d_norm: Float[np.ndarray, "frames joints 3"]
    """x, y in normalised picture space and confidence; finite."""
    valid: Bool[np.ndarray, " joints"]
    """At the target frame: the joint was detected, or lies between two detections at most 1 s apart."""
    keypoints_px: Float[np.ndarray, "joints 3"]
    """At the target frame; NaN where a joint is not valid."""


class KeypointBuffer:
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
        """Create an empty buffer.

        Args:
            width: of the picture in pixels.
            height: of the picture in pixels.
            fps: frame rate, used for frames without a time stamp.
            memory_s: how long keypoints before the target frame are kept.
            skeleton: of the keypoints; other skeletons than ``H36M_17`` are mapped to it.
            min_confidence: keypoints below it count as missing.

        Raises:
            InputError: a setting is out of range.
        """
        check_fps(fps)
        check_picture_size(float(width), float(height))
        if not 0 <= min_confidence < 1:
            raise InputError(f"min_confidence is {min_confidence:g}; give a number from 0 up to, not including, 1")
        self._size, self._fps, self._memory_s = (float(width), float(height)), fps, memory_s
        self._skeleton, self._min_confidence = skeleton, min_confidence
        self.clear()

    def clear(self) -> None:
        """Remove all frames."""
        self.newest = -1
        """Index of the newest frame."""
        self.times_s: dict[int, float] = {}
        self.people: dict[int, dict[int, Float[np.ndarray, "joints 3"]]] = {}
        """Keypoints in pixels by person id and frame index; missing joints are NaN."""

    @property
    def newest_s(self) -> float:
        """Time stamp of the newest frame; NaN if the buffer is empty."""
        return self.times_s.get(self.newest, np.nan)

    def push(self, people: Mapping[int, Float[np.ndarray, "joints 3"] | None], time_s: float | None) -> None:
        """Add the next frame.

        Raises:
            InputError: keypoints have the wrong shape, or time stamps do not ascend; the frame is not added.
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

    def segment(self, number: int, at: list[int], target: int) -> Segment:
        """Fill the gaps between detections of a person.

        Args:
            number: id of the person.
            at: frames with detections, ascending, at most 1 s apart.
            target: the requested frame, not before the first detection.
        """
        keypoints = [self.people[number][frame] for frame in at]
        if at[-1] < target:  # missing at the target: the last position is held and marked as not valid
            at, keypoints = [*at, target], [*keypoints, np.tile(UNSEEN_JOINT, (len(H36M_17), 1))]
        times_s = np.array([self.times_s[frame] for frame in range(at[0], at[-1] + 1)])
        seen_px = drop_weak_joints(np.stack(keypoints), times_s[np.array(at) - at[0]])
        if not np.isfinite(seen_px[..., 0]).any():
            seen_px = np.stack(keypoints)
        filled = fill_gaps(np.array(at) - at[0], seen_px, H36M_17, times_s)
        valid = filled.valid[target - at[0]]
        return Segment(
            times_s=times_s,
            pose2d_norm=self.normalised(filled.keypoints_px),
            valid=valid,
            keypoints_px=np.where(valid[:, None], filled.keypoints_px[target - at[0]], UNSEEN_JOINT),
        )

    def normalised(self, keypoints_px: Float[np.ndarray, "*any joints 3"]) -> Float[np.ndarray, "*any joints 3"]:
        """Convert pixels to normalised picture space; the confidence is kept."""
        return np.concatenate([normalise_points(keypoints_px[..., :2], *self._size), keypoints_px[..., 2:]], axis=-1)

    def forget(self, target: int) -> None:
        """Remove the frames that no target after this one needs."""
        oldest_s = self.times_s[target] - self._memory_s
        for frame in [frame for frame, time_s in self.times_s.items() if time_s < oldest_s and frame < target]:
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
