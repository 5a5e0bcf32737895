"""Detections: everybody a detector saw, frame by frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.chunks import max_span
from hyperlift.geometry.normalisation import check_picture_size
from hyperlift.keypoints.people_by_frame import Detection, PeopleByFrame
from hyperlift.keypoints.timestamps import even_times
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton

__all__ = ["Detection", "Detections"]


@dataclass(frozen=True, eq=False, repr=False)
class Detections:
    """Everybody in a recording, frame by frame.

    Example:
        >>> import hyperlift
        >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
        >>> detections.skeleton.joints[:2], detections.last_frame
        (('Nose', 'LEye'), 225)
        >>> detections.people.keypoints_px.shape
        (366, 17, 3)
    """

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
        if frames > max_span(people):
            raise InputError(
                f"{self.source}: {people} detections, and the last is in frame {frames - 1}; expected frame numbers "
                f"below {max_span(people)} that count from 0: number the frames anew, or give the video (`video`)"
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
                f"{width}x{height}; check `picture_size`"
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
                f"x {points[:, 0].max():.0f}, y {points[:, 1].max():.0f}); check `picture_size`"
            )
        # A detector places few points outside its picture, and those close by; a landscape size given for a portrait
        # video has many far outside.
        far = (points < -0.25 * np.array([width, height])) | (points > 1.25 * np.array([width, height]))
        if far.any(-1).mean() > 0.02:
            raise InputError(
                f"{self.source}: many points lie far outside a picture of {width}x{height} (they reach "
                f"x {points[:, 0].max():.0f}, y {points[:, 1].max():.0f}); check `picture_size`"
            )
