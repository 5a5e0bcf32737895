"""Options of lifting: parser, ``--help``, documentation and Python signature derive from these fields."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, get_args

from hyperlift.choices import (
    BodyFormat,
    DetectorName,
    KeypointFormat,
    NodeNaming,
    OutputFormat,
    SkeletonName,
    Smoothing,
)
from hyperlift.config.option import Nested, Option, person_number, size_in_pixels
from hyperlift.errors import InputError, quoted

_Detection = partial(Option, group="finding keypoints in a video")
_Reading = partial(Option, group="reading keypoints")
_Lifting = partial(Option, group="lifting")
_Metres = partial(Option, group="metres")
_Output = partial(Option, group="output")
_Rigid = partial(Option, group="rigid bones")


@dataclass(frozen=True, kw_only=True)
class LiftOptions:
    """Options of ``Lifter.lift``; docs/commands.md lists them with the spelling of the command line.

    Raises:
        InputError: a value is out of range.

    Example:
        >>> import hyperlift
        >>> options = hyperlift.LiftOptions(height_m=1.82, fov_deg=70.0, smooth="savgol")
        >>> options.detector, options.min_confidence
        ('movenet', 0.05)
    """

    detector: Annotated[
        str,
        _Detection(
            "finds people and their keypoints in the pictures of a video; none reads keypoint files only",
            choices=(*get_args(DetectorName), "none"),
        ),
    ] = "movenet"
    allow_truncated: Annotated[bool, _Detection("lift what is readable of a video that breaks off")] = False
    det_onnx: Annotated[Path | None, _Detection("person detector of rtmlib")] = None
    pose_onnx: Annotated[Path | None, _Detection("pose network of rtmlib, with the joints of SKELETON")] = None
    rtmlib_download: Annotated[
        str | None,
        _Detection("let rtmlib fetch its own networks: lightweight, balanced or performance", metavar="SIZE"),
    ] = None
    picture_size: Annotated[
        tuple[int, int] | None,
        _Reading(
            "pixels of the video, such as 1920x1080; the video says it where it is given",
            flag="--video-size",
            metavar="WxH",
            parse=size_in_pixels,
        ),
    ] = None
    fps: Annotated[
        float | None, _Reading("frames a second of the video; the video says it where it is given", metavar="N")
    ] = None
    keypoint_format: Annotated[
        str | None,
        _Reading(
            "the tool that wrote the keypoints; default: recognised by the content",
            flag="--format",
            choices=get_args(KeypointFormat),
            metavar="FORMAT",
        ),
    ] = None
    recording: Annotated[
        str | None,
        _Reading("a part of the name of the recording that is wanted, of keypoints of several", metavar="NAME"),
    ] = None
    skeleton: Annotated[
        str | None,
        _Reading(
            "joints of a file that does not name them, or of the pose network of rtmlib (coco17)",
            choices=get_args(SkeletonName),
            metavar="SKELETON",
        ),
    ] = None
    min_confidence: Annotated[float, _Reading("keypoints below it count as not seen", metavar="C")] = 0.05
    people: Annotated[
        tuple[int, ...] | None,
        _Lifting("only this person (0 or p0); may be repeated", flag="--person", metavar="ID", parse=person_number),
    ] = None
    flip: Annotated[bool, _Lifting("average with the mirrored clip: twice the work, slightly more accurate")] = True
    smooth: Annotated[Smoothing | None, _Lifting("filter of the 3D joints over time")] = None
    height_m: Annotated[
        float | None,
        _Metres("standing height of the people (default: 1.70, right to 6 %)", flag="--height", metavar="M"),
    ] = None
    fov_deg: Annotated[
        float | None,
        _Metres(
            "field of view over the longer side of the picture (default: lens data of the video, else 60)",
            flag="--fov",
            metavar="DEG",
        ),
    ] = None
    intrinsics: Annotated[
        Path | None, _Metres("the camera's, in pixels, in place of a field of view", metavar="FILE|fx,fy,cx,cy")
    ] = None
    camera_pitch_deg: Annotated[
        float | None,
        _Metres(
            "angle by which the camera looks up, negative down (default: measured on the people)",
            flag="--camera-pitch",
            metavar="DEG",
        ),
    ] = None
    camera_roll_deg: Annotated[
        float | None,
        _Metres(
            "angle by which the camera is turned clockwise, seen from behind; where it is given, keypoints are turned "
            "upright before they are lifted (default: measured on the people)",
            flag="--camera-roll",
            metavar="DEG",
        ),
    ] = None
    rigid: Annotated[bool, _Rigid("bones of constant length: joints are those of a fit")] = False
    limits: Annotated[Path | None, _Rigid("limits of joint angles for the fit, YAML (default: none)")] = None

    def __post_init__(self) -> None:
        # Validated early by the modules that use the values; imported here, so that --help does not import NumPy.
        from hyperlift.body.joint_limits import read_limits
        from hyperlift.placement.body_height import BodyHeight
        from hyperlift.placement.lens import fov_intrinsics
        from hyperlift.placement.world_frame import up_from_pitch_roll

        if not 0 <= self.min_confidence < 1:
            raise InputError(
                f"`min_confidence` is {self.min_confidence:g}; give a number from 0 up to, not including, 1"
            )
        if self.smooth is not None and self.smooth not in get_args(Smoothing):
            raise InputError(f"`smooth` is {quoted(self.smooth)}; choose from {', '.join(get_args(Smoothing))}")
        if self.fov_deg is not None and self.intrinsics is not None:
            raise InputError("`fov_deg` and `intrinsics` say the same thing; give one of them")
        if self.limits is not None:
            read_limits(self.limits)
        if self.height_m is not None:
            BodyHeight.given(self.height_m)
        if self.fov_deg is not None:
            fov_intrinsics(self.fov_deg, 1, 1)
        up_from_pitch_roll(self.camera_pitch_deg or 0.0, self.camera_roll_deg or 0.0)


@dataclass(frozen=True, kw_only=True)
class RecordingJob:
    """Everything that defines the results of one recording; can be pickled."""

    source: Path
    """A video, or a keypoint file or folder."""
    out: Annotated[Path, Option("folder of the results: pose3d.npz, pose3d.mp4, report.json", metavar="DIR")]
    video: Annotated[Path | None, Option("the video of the keypoints: its size, time stamps and pictures")] = None
    model: Annotated[str, _Lifting("a bundled lifter, or an ONNX file", aliases=("--onnx",), metavar="NAME|FILE")] = (
        "small"
    )
    options: Annotated[LiftOptions, Nested()] = field(default_factory=LiftOptions)
    formats: Annotated[
        tuple[OutputFormat, ...],
        _Output(
            "kinds of result files",
            switches={"json": "also write pose3d.json", "csv": "also write pose3d.csv"},
        ),
    ] = ("npz",)
    bodies: Annotated[
        tuple[BodyFormat, ...],
        _Rigid(
            "kinds of files with a rigid body, one a person: pose3d_p0.bvh …",
            switches={
                "bvh": "also write pose3d_p<ID>.bvh, motion for Blender and game engines",
                "glb": "also write pose3d_p<ID>.glb, glTF animation",
                "trc": "also write pose3d_p<ID>.trc, markers for OpenSim",
                "c3d": "also write pose3d_p<ID>.c3d, markers for laboratories; needs ezc3d",
            },
        ),
    ] = ()
    naming: Annotated[str, _Rigid("names of the nodes in BVH and glTF", choices=get_args(NodeNaming))] = "plain"
    angles: Annotated[bool, _Output("also write angles.csv: hips, knees, arms, trunk")] = False
    render: Annotated[bool, _Output("draw pose3d.mp4")] = True
    view: Annotated[bool, _Output("also write pose3d.html, a page to look at")] = False
    threads: Annotated[int | None, Option("CPU threads, which change no result (default: all cores)", group="work")] = (
        None
    )
    overwrite: Annotated[bool, _Output("replace files that no earlier run wrote, or that were changed since")] = False
    wait: Annotated[bool, _Output("wait while another run writes into the same folder")] = False

    def of(self, source: Path, out: Path) -> "RecordingJob":
        """The same job for another recording."""
        return replace(self, source=source, out=out, video=None)

    def with_threads(self, threads: int) -> "RecordingJob":
        """The same job with this number of threads, unless it states one."""
        return self if self.threads is not None else replace(self, threads=threads)
