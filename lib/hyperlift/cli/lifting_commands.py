"""The options of the commands around recordings and cameras. Reading them imports neither NumPy nor torch."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, get_args

from hyperlift.choices import DetectorName, KeypointFormat, NodeNaming, SkeletonName
from hyperlift.config.option import Nested, Option, person_number, size_in_pixels
from hyperlift.errors import InputError
from hyperlift.live.options import LiveOptions
from hyperlift.pipeline.options import LiftOptions, RecordingJob

_People = partial(Option, group="people")
_POSES = "what hyperlift lift writes"


@dataclass(frozen=True, kw_only=True)
class Lift:
    """Lift people in a video, or 2D keypoints of one, to 3D motion in metres."""

    source: Annotated[
        Path | None, Option("a video, a keypoint file or folder of any tool, or a folder of videos", positional=True)
    ] = None
    keypoints: Annotated[Path | None, Option("the same as SOURCE", metavar="FILE|FOLDER")] = None
    out: Annotated[
        Path | None,
        Option(
            "folder of the results: pose3d.npz, pose3d.mp4, report.json (default: beside SOURCE, named like it)",
            metavar="DIR",
        ),
    ] = None
    job: Annotated[RecordingJob, Nested(fixed={"source": Path(), "out": Path()})]
    jobs: Annotated[int, Option("videos of a folder lifted side by side", group="work")] = 1


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Tell what a file is recognised as: people, frames, joints, confidences, doubts; nothing is lifted."""

    file: Annotated[Path, Option("a video, a keypoint file or folder of any tool, or a pose3d.npz", positional=True)]
    video: Annotated[Path | None, Option("the video of the keypoints, for its size")] = None
    picture_size: Annotated[
        tuple[int, int] | None,
        Option("pixels of the video, such as 1920x1080", flag="--video-size", metavar="WxH", parse=size_in_pixels),
    ] = None
    format: Annotated[
        str | None, Option("the tool that wrote the keypoints", choices=get_args(KeypointFormat), metavar="FORMAT")
    ] = None
    skeleton: Annotated[
        str | None,
        Option("joints of a file that does not name them", choices=get_args(SkeletonName), metavar="SKELETON"),
    ] = None
    recording: Annotated[
        str | None, Option("a part of the name of the recording, of keypoints of several", metavar="NAME")
    ] = None


@dataclass(frozen=True, kw_only=True)
class View:
    """Write one HTML page that shows lifted people in 3D, with their curves; it needs no network."""

    poses: Annotated[Path, Option(_POSES, positional=True, metavar="pose3d.npz")]
    video: Annotated[Path | None, Option("shown beside the people; inside the page up to 30 MB")] = None
    out: Annotated[
        Path | None, Option("the page (default: beside the poses, named like them)", metavar="FILE.html")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Animate:
    """Write lifted people as a clip, an animation file, markers, or a table."""

    poses: Annotated[Path, Option(_POSES, positional=True, metavar="pose3d.npz")]
    out: Annotated[
        Path,
        Option(
            "its suffix says what: mp4 or gif to look at; bvh, glb, trc or c3d, one a person; csv, json or npz",
            positional=True,
        ),
    ]
    people: Annotated[
        tuple[int, ...] | None,
        Option("only this person (0 or p0); may be repeated", flag="--person", metavar="ID", parse=person_number),
    ] = None
    rigid: Annotated[bool, Option("constant bone lengths; bvh, glb, trc and c3d always have them")] = False
    limits: Annotated[Path | None, Option("limits of joint angles for the fit, YAML (default: none)")] = None
    naming: Annotated[str, Option("names of the nodes in BVH and glTF", choices=get_args(NodeNaming))] = "plain"
    angles: Annotated[bool, Option("write angles into the csv instead of joints")] = False


@dataclass(frozen=True, kw_only=True)
class Live:
    """Show the people before a camera, or in a video as if it were live, in 3D on a local page."""

    source: Annotated[str, Option("number or device of a camera, or a video", metavar="CAMERA|FILE")] = "0"
    camera_size: Annotated[
        tuple[int, int] | None,
        Option("pixels to ask the camera for (default: its own)", metavar="WxH", parse=size_in_pixels),
    ] = None
    camera_fps: Annotated[float | None, Option("frames a second to ask the camera for", metavar="N")] = None
    live: Annotated[LiveOptions, Nested()]
    port: Annotated[int, Option("of the page on 127.0.0.1; 0: any free one")] = 8347
    open: Annotated[bool, Option("open the page in a browser")] = True
    model: Annotated[str, _People("a bundled lifter, or an ONNX file", aliases=("--onnx",), metavar="NAME|FILE")] = (
        "small"
    )
    lift: Annotated[
        LiftOptions,
        Nested(
            only=(
                *("detector", "det_onnx", "pose_onnx", "skeleton", "min_confidence", "height_m", "fov_deg"),
                *("intrinsics", "camera_pitch_deg", "camera_roll_deg"),
            ),
            defaults={"detector": get_args(DetectorName)[1]},
        ),
    ]
    threads: Annotated[int | None, Option("CPU threads (default: all cores)")] = None

    def __post_init__(self) -> None:
        if self.lift.detector == "none":
            raise InputError("`detector` is none, and people must be found in pictures; choose another")
