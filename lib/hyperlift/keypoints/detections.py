"""``Detections``: the 2D keypoints of all people of a recording, by frame."""

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
    """The 2D keypoints of all people of a recording, by frame.

    Example:
        >>> import hyperlift
        >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
        >>> detections.skeleton.joints[:2], detections.last_frame
        (('Nose', 'LEye'), 225)
        >>> detections.people.keypoints_px.shape
        (366, 17, 3)
    """

    source: str
    """File or folder, for messages."""
    tool: str
    skeleton: Skeleton
    frames: Mapping[int, Sequence[Detection]]
    """Maps frame numbers (from 0, with gaps, ascending) to people; stored as ``people``."""
    picture_size: tuple[int, int] | None = None
    """Width and height in pixels, if the file states them."""
    notes: tuple[str, ...] = ()
    """Sentences about skipped entries and assumptions during reading."""
    tracked: bool = False
    """True if the track ids are identities assigned by ``hyperlift.tracking.tracker.Tracker``; ids of other trackers
    are hints for the association."""

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
        """Number of frames from the first to the last entry."""
        number = self.people.frame
        return int(number[-1] - number[0]) + 1 if len(number) else 0

    @property
    def last_frame(self) -> int:
        """The highest frame number; -1 without frames."""
        number = self.people.frame
        return int(number[-1]) if len(number) else -1

    def times_s(self, fps: float) -> Float[np.ndarray, " frames"]:
        """Time in seconds of every frame from 0 to the last entry, for a constant frame rate and no video.

        Args:
            fps: frames per second.

        Raises:
            InputError: the rate is not between 1 and 1000, or the numbers are too large to be frame numbers.
        """
        frames, people = self.last_frame + 1, len(self.people.keypoints_px)
        if frames > max_span(people):
            raise InputError(
                f"{self.source}: {people} detections, and the last is in frame {frames - 1}; expected frame numbers "
                f"below {max_span(people)} that count from 0: number the frames anew, or give the video (`video`)"
            )
        return even_times(frames, fps)

    def check_fits_picture(self, width: int, height: int) -> None:
        """Check that the keypoints can be pixels of an image of this size.

        Raises:
            InputError: they cannot, there are no people, or the size is not positive.
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
        # Detectors place few points outside the image, and close to it. If the sides of a portrait video are swapped,
        # many points lie far outside.
        far = (points < -0.25 * np.array([width, height])) | (points > 1.25 * np.array([width, height]))
        if far.any(-1).mean() > 0.02:
            raise InputError(
                f"{self.source}: many points lie far outside a picture of {width}x{height} (they reach "
                f"x {points[:, 0].max():.0f}, y {points[:, 1].max():.0f}); check `picture_size`"
            )
