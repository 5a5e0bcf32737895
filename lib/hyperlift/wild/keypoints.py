"""What passes between the stages of lifting: detections a frame, lifted people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.normalisation import check_picture_size
from hyperlift.shapes import Bool, Float, Int
from hyperlift.skeletons import Skeleton
from hyperlift.wild.people import Detection, PeopleByFrame
from hyperlift.wild.timing import even_times

__all__ = ["LARGEST_SPAN", "Detection", "Detections", "LiftedPerson", "frames_text", "too_sparse"]

LARGEST_SPAN = 10**7
"""Frames of the longest recording: 92 hours of 30 frames a second."""
_SPARSE_SPAN = 10**5
_SPARSEST = 10**4
"""A recording longer than ``_SPARSE_SPAN`` frames has a detection in every so many of them, at least."""


@dataclass(frozen=True, eq=False, repr=False)
class Detections:
    """Everybody in a recording, frame by frame."""

    source: str
    """The file or folder it was read from, for messages."""
    tool: str
    skeleton: Skeleton
    frames: Mapping[int, Sequence[Detection]]
    """Frame number (from 0, gaps kept) to the people in it, in ascending order; kept as ``people``."""
    picture_size: tuple[int, int] | None = None
    """Width and height in pixels, where the file states them."""
    notes: tuple[str, ...] = ()
    """What was left out or assumed while it was read, in sentences."""
    tracked: bool = False
    """Whether track ids are identities that ``hyperlift.tracking.Tracker`` gave; those of others are evidence."""

    def __post_init__(self) -> None:
        people = PeopleByFrame.of(self.frames, len(self.skeleton))
        if len(people.frame) and people.frame[0] < 0:
            raise InputError(f"{self.source}: has a frame {people.frame[0]}; frame numbers count from 0")
        object.__setattr__(self, "frames", people)

    def __repr__(self) -> str:
        people = len(self.people.keypoints_px)
        return f"Detections({self.source}: {self.skeleton.name} of {people} sightings in {len(self.frames)} frames)"

    @property
    def people(self) -> PeopleByFrame:
        """``frames`` as arrays."""
        assert isinstance(self.frames, PeopleByFrame)
        return self.frames

    @property
    def span(self) -> int:
        """Frames from the first to the last, those without an entry included."""
        number = self.people.frame
        return int(number[-1] - number[0]) + 1 if len(number) else 0

    @property
    def last_frame(self) -> int:
        """The highest frame number; -1 where there is no frame."""
        number = self.people.frame
        return int(number[-1]) if len(number) else -1

    def times_s(self, fps: float) -> Float[np.ndarray, " frames"]:
        """Seconds of every frame from 0 to the last of a video of constant rate, of which nothing else says how long
        it is.

        Args:
            fps: frames a second.

        Raises:
            InputError: the rate is not between 1 and 1000, or the numbers reach so far that they are no frame numbers.
        """
        frames, people = self.last_frame + 1, len(self.people.keypoints_px)
        if too_sparse(frames, people):
            raise InputError(
                f"{self.source}: {people} detections, and the last is in frame {frames - 1}; expected frame numbers "
                f"below {LARGEST_SPAN if people * _SPARSEST > LARGEST_SPAN else max(_SPARSE_SPAN, people * _SPARSEST)} "
                "that count from 0: number the frames anew, or give the video (video=FILE; --video FILE)"
            )
        return even_times(frames, fps)

    def check_fits_picture(self, width: int, height: int) -> None:
        """Refuse keypoints that cannot be pixels of a picture of this size.

        Raises:
            InputError: the picture is empty, there is nobody, or the coordinates are not pixels of such a
                picture.
        """
        check_picture_size(float(width), float(height))
        if self.picture_size not in (None, (width, height)):
            raise InputError(
                f"{self.source}: made from a picture of {self.picture_size[0]}x{self.picture_size[1]}, not "
                f"{width}x{height}; check picture_size (--video-size)"
            )
        points = self.people.keypoints_px[..., :2]
        points = points[np.isfinite(points).all(-1)]
        if not len(points):
            raise InputError(f"{self.source}: nobody is in it; check that the detector found people")
        if np.abs(points).max() <= 2:
            raise InputError(
                f"{self.source}: no coordinate exceeds {np.abs(points).max():.2f}, so these are not pixels; "
                "let the detector write pixels (OpenPose: --keypoint_scale 0)"
            )
        inside = ((points >= 0) & (points <= [width, height])).all(-1)
        if inside.mean() < 0.5:
            raise InputError(
                f"{self.source}: most points lie outside a picture of {width}x{height} (they reach "
                f"x {points[:, 0].max():.0f}, y {points[:, 1].max():.0f}); check picture_size (--video-size)"
            )
        # A detector places few points outside its picture, and those close by; a landscape size given for a portrait
        # video has many far outside.
        far = (points < -0.25 * np.array([width, height])) | (points > 1.25 * np.array([width, height]))
        if far.any(-1).mean() > 0.02:
            raise InputError(
                f"{self.source}: many points lie far outside a picture of {width}x{height} (they reach "
                f"x {points[:, 0].max():.0f}, y {points[:, 1].max():.0f}); check picture_size (--video-size)"
            )


@dataclass(frozen=True, eq=False, repr=False)
class LiftedPerson:
    """One person in 3D, at every frame of the video from their first to their last."""

    id: int
    frame: Int[np.ndarray, " frames"]
    time_s: Float[np.ndarray, " frames"]
    """Seconds since frame 0 of the video."""
    pose_norm: Float[np.ndarray, "frames joints 3"]
    """In the label space of the model; camera axes x right, y down, z forward."""
    valid: Bool[np.ndarray, "frames joints"]
    """True where the joint was seen, or lies between two sightings at most a second apart."""
    keypoints_px: Float[np.ndarray, "frames joints 3"] | None = None
    """What was lifted: x, y in pixels with confidence, NaN where a joint was not valid."""
    joints_m: Float[np.ndarray, "frames joints 3"] | None = None
    """Metres from the camera, camera axes; like all that follow None for somebody who is not placed."""
    root_m: Float[np.ndarray, "frames 3"] | None = None
    """The root joint of ``joints_m``."""
    root_std_m: Float[np.ndarray, "frames 3"] | None = None
    """Standard deviation of ``root_m``, without that of body size and focal length."""
    world_m: Float[np.ndarray, "frames joints 3"] | None = None
    """Metres in the world: z up, the floor at 0."""
    reprojection_px: Float[np.ndarray, " frames"] | None = None
    """Root mean square distance between projected joints and keypoints; NaN where no joint was seen."""
    bridged: Bool[np.ndarray, "frames joints"] | None = None
    """True where a valid joint was not seen but lies between two sightings."""

    def __repr__(self) -> str:
        placed = "" if self.joints_m is not None else ", not placed"
        return f"LiftedPerson(p{self.id}: {frames_text(self.frame)}{placed})"


def too_sparse(frames: int, sightings: int) -> bool:
    """Whether so many frames are not those of a recording in which somebody was seen so often: what has an entry a
    frame would fill the memory."""
    return frames > LARGEST_SPAN or (frames > _SPARSE_SPAN and frames > _SPARSEST * sightings)


def frames_text(frame: Int[np.ndarray, " frames"]) -> str:
    """First and last of some frames, for people."""
    return f"frames {frame[0]}–{frame[-1]}" if len(frame) else "no frames"
