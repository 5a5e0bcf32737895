"""Types that the stages pass on: a lifted track in the label space of the lifter, and a person in metres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hyperlift.body.rigid_fit import FittedMotion
from hyperlift.errors import InputError
from hyperlift.geometry.chunks import MAX_SPAN, frames_text, max_span
from hyperlift.shapes import Bool, Float, Int
from hyperlift.skeletons.skeleton import Skeleton

_FARTHEST = 1e5
"""Bound on values in files, in metres (100 km), picture widths or pixels; larger ones make drawing slow and fits
overflow."""
Space = Literal["pose_norm", "joints_m", "world_m"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LiftedTrack:
    """Result of lifting one track: poses without scale and position."""

    id: int
    frame: Int[np.ndarray, " frames"]
    """All frames of the video from the first detection to the last."""
    time_s: Float[np.ndarray, " frames"]
    """Seconds since frame 0 of the video."""
    pose_norm: Float[np.ndarray, "frames joints 3"]
    """In the label space of the lifter; camera axes x right, y down, z forward."""
    valid: Bool[np.ndarray, "frames joints"]
    """True where the joint was seen, or lies between two sightings at most a second apart."""
    bridged: Bool[np.ndarray, "frames joints"]
    """True where a valid joint was not seen but lies between two sightings."""
    keypoints_px: Float[np.ndarray, "frames joints 3"]
    """What was lifted: x, y in pixels with confidence; NaN where a joint was not valid."""

    def __repr__(self) -> str:
        return f"LiftedTrack(p{self.id}: {frames_text(self.frame)})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Person:
    """One person in 3D, at all frames of the video from the first detection to the last.

    Unknown values are NaN: joints that were never detected, keypoints of a person read from a file, and metres in a
    file of a version without placement.

    Example:
        >>> import hyperlift
        >>> motion = hyperlift.load_motion("out/pose3d.npz")
        >>> person = motion.people[0]
        >>> wrist = motion.skeleton.index("RWrist")
        >>> person.world_m[:, wrist].shape  # a position in metres for each frame
        (169, 3)
    """

    id: int
    frame: Int[np.ndarray, " frames"]
    time_s: Float[np.ndarray, " frames"]
    """Seconds since frame 0 of the video."""
    pose_norm: Float[np.ndarray, "frames joints 3"]
    """In the label space of the lifter; camera axes x right, y down, z forward."""
    valid: Bool[np.ndarray, "frames joints"]
    """True where the joint was seen, or lies between two sightings at most a second apart."""
    bridged: Bool[np.ndarray, "frames joints"]
    """True where a valid joint was not seen but lies between two sightings."""
    keypoints_px: Float[np.ndarray, "frames joints 3"]
    """What was lifted: x, y in pixels with confidence; NaN where a joint was not valid."""
    joints_m: Float[np.ndarray, "frames joints 3"]
    """Metres relative to the camera, camera axes."""
    root_m: Float[np.ndarray, "frames 3"]
    """The root joint of ``joints_m``."""
    root_std_m: Float[np.ndarray, "frames 3"]
    """Standard deviation of ``root_m``, without the errors of standing height, which scales all metres of a person by
    one factor, and of focal length."""
    world_m: Float[np.ndarray, "frames joints 3"]
    """Metres in the world: z up, the floor at 0."""
    reprojection_px: Float[np.ndarray, " frames"]
    """Root mean square distance between projected joints and keypoints; NaN where no joint was detected."""
    fit: FittedMotion | None = None
    """The rigid body that ``joints_m`` and ``world_m`` come from; None for lifted joints."""

    @classmethod
    def of(cls, **known: Any) -> "Person":
        """Create a person from some fields; the other arrays are NaN, and no joint is bridged.

        Args:
            known: ``id``, ``frame``, ``time_s``, ``pose_norm`` and ``valid``, and any other fields.
        """
        pose = known["pose_norm"]
        frames, joints = pose.shape[:1], pose.shape[:2]
        nan = {
            **dict.fromkeys(("keypoints_px", "joints_m", "world_m"), (*joints, 3)),
            **dict.fromkeys(("root_m", "root_std_m"), (*frames, 3)),
            "reprojection_px": frames,
        }
        # Broadcast views of one number take no memory.
        unknown: dict[str, Any] = {name: np.broadcast_to(np.float32(np.nan), shape) for name, shape in nan.items()}
        unknown["bridged"] = np.broadcast_to(False, joints)
        return cls(**{**unknown, **known})

    def lacks(self, space: Space) -> bool:
        """Whether this person has poses, but none in the given space."""
        return not known(getattr(self, space)) and known(self.pose_norm)

    def __repr__(self) -> str:
        return f"Person(p{self.id}: {frames_text(self.frame)}{', no metres' if self.lacks('joints_m') else ''})"


def known(array: np.ndarray) -> bool:
    """Whether an array holds a finite number."""
    return bool(np.isfinite(array).any())


def check_people(people: Sequence[Person], skeleton: Skeleton) -> None:
    """Check shapes and values of the arrays of people.

    Raises:
        InputError: a shape is wrong, there are no frames, times do not ascend, or a value is out of range.
    """
    joints = len(skeleton)
    for person in people:
        frames = len(person.frame) if person.frame.ndim == 1 else -1
        shapes = {
            **dict.fromkeys(("frame", "time_s", "reprojection_px"), (frames,)),
            **dict.fromkeys(("pose_norm", "joints_m", "world_m"), (frames, joints, 3)),
            **dict.fromkeys(("root_m", "root_std_m"), (frames, 3)),
            **dict.fromkeys(("valid", "bridged"), (frames, joints)),
        }
        for name, shape in shapes.items():
            array = getattr(person, name)
            if array.shape != shape:
                raise InputError(
                    f"p{person.id}/{name} has shape {array.shape}; expected {shape}: {frames} frames, {joints} joints"
                )
            # Comparisons with NaN (unknown values) are false.
            if name != "time_s" and array.dtype.kind == "f" and (np.abs(array) > _FARTHEST).any():
                raise InputError(f"p{person.id}/{name} holds infinite or absurd numbers; lift the recording again")
        if not frames:
            raise InputError(f"p{person.id} has no frames; leave this person out")
        _check_frames(person)


def _check_frames(person: Person) -> None:
    """Check frame numbers and times: clips and BVH write a picture or a row for every frame from frame 0 on, so their
    range is bounded."""
    frame, time_s = person.frame, person.time_s
    if (frame < 0).any() or (frame[1:] <= frame[:-1]).any():
        raise InputError(f"p{person.id}/frame does not ascend from 0; expected the number of each frame")
    if frame[-1] >= MAX_SPAN or frame[-1] - frame[0] >= max_span(len(frame)):
        raise InputError(
            f"p{person.id}/frame runs from {frame[0]} to {frame[-1]} in {len(frame)} frames; expected every frame from "
            "first to last"
        )
    if not (np.isfinite(time_s).all() and (np.diff(time_s) > 0).all()):
        raise InputError(f"p{person.id}/time_s does not ascend; expected the seconds of each frame")
    step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 1.0
    if not 0 <= time_s[0] <= time_s[-1] <= MAX_SPAN * step_s:
        raise InputError(
            f"p{person.id}/time_s runs from {time_s[0]:g} to {time_s[-1]:g} s in steps of {step_s:g} s; expected the "
            "seconds of each frame since frame 0"
        )
