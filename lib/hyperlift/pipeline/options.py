"""What a user may choose about lifting a recording."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from hyperlift.errors import InputError, quoted
from hyperlift.kinematics import read_limits
from hyperlift.trajectory.intrinsics import fov_intrinsics
from hyperlift.trajectory.scale import BodyHeight
from hyperlift.trajectory.world import up_from_pitch_roll
from hyperlift.wild.smoothing import Smoothing

OutputFormat = Literal["npz", "json", "csv"]
BodyFormat = Literal["bvh", "glb", "trc", "c3d"]


@dataclass(frozen=True, kw_only=True)
class LiftOptions:
    """Choices for ``Lifter.lift``; the command line's options of the same names.

    Raises:
        InputError: a value that means nothing.
    """

    detector: str = "movenet"
    """Who finds people and their keypoints in the pictures of a video; "none" refuses to look at pictures."""
    det_onnx: Path | None = None
    """Person detector for rtmlib."""
    pose_onnx: Path | None = None
    """Pose network for rtmlib, in the joints of ``skeleton`` ("coco17", the default, or "halpe26")."""
    rtmlib_download: str | None = None
    """Let rtmlib fetch its own networks: "lightweight", "balanced" or "performance"."""
    keypoint_format: str | None = None
    """Format of a keypoint file, None to recognise it by its content."""
    skeleton: str | None = None
    """Joint set of a keypoint file that does not say it (plain arrays), or of rtmlib's pose network."""
    picture_size: tuple[int, int] | None = None
    """Width and height in pixels of the video that keypoints come from, where that video is not given."""
    fps: float | None = None
    """Frames a second of the video that keypoints come from, where that video is not given."""
    min_confidence: float = 0.05
    """Keypoints below it count as not seen."""
    people: tuple[int, ...] | None = None
    """Lift these alone; None lifts everybody."""
    flip: bool = True
    """Average with the mirrored clip: twice the work, slightly more accurate."""
    smooth: Smoothing | None = None
    """Filter of the 3D joints over time."""
    height_m: float | None = None
    """Standing height of every person; None assumes 1.70 m, which is right to within 6 % for most adults."""
    fov_deg: float | None = None
    """Field of view over the longer side of the picture; None takes the container's lens data, else 60°."""
    intrinsics: Path | None = None
    """File with the camera's intrinsics, in place of a field of view."""
    camera_pitch_deg: float | None = None
    """Angle by which the camera looks up, negative down; None measures it from the people."""
    camera_roll_deg: float | None = None
    """Angle by which the camera is turned clockwise about its axis; keypoints are turned upright by it before lifting.
    None lifts them as they are and measures it from the people."""
    rigid: bool = False
    """Join everybody to bones of constant length: joints are those of a fit."""
    limits: Path | None = None
    """File with limits of joint angles, for the fit of rigid bones."""
    allow_truncated: bool = False
    """Lift what is readable of a video that breaks off."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence < 1:
            raise InputError(
                f"min_confidence (--min-confidence) is {self.min_confidence:g}; give a number from 0 up to, not "
                "including, 1"
            )
        if self.smooth is not None and self.smooth not in get_args(Smoothing):
            raise InputError(
                f"smooth (--smooth) is {quoted(self.smooth)}; choose from {', '.join(get_args(Smoothing))}"
            )
        if self.fov_deg is not None and self.intrinsics is not None:
            raise InputError("fov_deg (--fov) and intrinsics (--intrinsics) say the same thing; give one of them")
        if self.limits is not None:
            read_limits(self.limits)
        # Those who use these numbers know their limits; asking now tells a mistake before the long work.
        if self.height_m is not None:
            BodyHeight.given(self.height_m)
        if self.fov_deg is not None:
            fov_intrinsics(self.fov_deg, 1, 1)
        up_from_pitch_roll(self.camera_pitch_deg or 0.0, self.camera_roll_deg or 0.0)


@dataclass(frozen=True, kw_only=True)
class RecordingJob:
    """Everything that defines the results of one recording; can be sent to another process."""

    source: Path
    """A video, or a keypoint file or folder."""
    out: Path
    """Folder for the results."""
    video: Path | None = None
    """The video of the keypoints."""
    model: str = "small"
    """Name of a bundled lifter, or an ONNX file."""
    options: LiftOptions = field(default_factory=LiftOptions)
    formats: tuple[OutputFormat, ...] = ("npz",)
    """Kinds of result files."""
    bodies: tuple[BodyFormat, ...] = ()
    """Kinds of animation and marker files, one a person: ``pose3d_p0.bvh`` …"""
    naming: str = "plain"
    """Of the nodes in BVH and glTF."""
    angles: bool = False
    """Write a table of angles."""
    render: bool = True
    """Draw a video."""
    view: bool = False
    """Write a page to look at."""
    threads: int | None = None
    """CPU threads; None takes all cores. It changes no result."""
    overwrite: bool = False
    """Let results take the place of files that no earlier run wrote, or that were changed since."""
    wait: bool = False
    """Wait where another run writes into the folder, instead of refusing."""

    def of(self, source: Path, out: Path) -> "RecordingJob":
        """The same for another recording."""
        return replace(self, source=source, out=out, video=None)

    def with_threads(self, threads: int) -> "RecordingJob":
        """The same on so many threads, where nothing else was asked for."""
        return self if self.threads is not None else replace(self, threads=threads)
