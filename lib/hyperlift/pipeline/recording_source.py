"""Sources of lifting: videos, and keypoint files."""

from pathlib import Path

from hyperlift.errors import InputError
from hyperlift.keypoints.formats.registry import UnknownLayout, read_keypoints
from hyperlift.keypoints.recorded import Recorded
from hyperlift.keypoints.timestamps import check_fps
from hyperlift.pipeline.options import LiftOptions
from hyperlift.video.facts import VideoFacts

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".3gp", ".wmv", ".ts", ".gif"}
)
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
"""A picture is lifted as a video of one frame; in a folder of videos, pictures are ignored."""


def is_video(path: Path) -> bool:
    """Whether a path has the suffix of a video or picture."""
    return path.suffix.lower() in VIDEO_SUFFIXES | PICTURE_SUFFIXES


def is_video_folder(path: Path) -> bool:
    """Whether a path is a folder with videos and without keypoint files."""
    return (
        path.is_dir()
        and any(inside.suffix.lower() in VIDEO_SUFFIXES for inside in path.rglob("*"))
        and not any(path.glob("*.json"))
    )


def open_recording(source: Path, video: Path | None, options: LiftOptions) -> Recorded:
    """Read the facts of a video, or the keypoints of a file or folder.

    Args:
        source: a video, or a keypoint file or folder.
        video: the video that the keypoints come from.
        options: size, rate and format that the files do not state.

    Raises:
        InputError: a file is missing or cannot be read, or files and options contradict each other.
    """
    if is_video(source):
        if video is not None and video != source:
            raise InputError(f"two videos, {source} and {video}; give one, or keypoints and their video")
        return Recorded.of_video(source, _facts(source, options))
    facts = None if video is None else _facts(video, options)
    size = facts.size if facts is not None else options.picture_size
    try:
        detections = read_keypoints(
            source,
            skeleton=options.skeleton,
            picture_size=size,
            format=options.keypoint_format,
            recording=options.recording,
        )
    except UnknownLayout as error:
        raise InputError(f"{error}; or a video ({', '.join(sorted(VIDEO_SUFFIXES))})") from error
    fps = options.fps if options.fps is not None else facts.fps if facts is not None else None
    if size is None and fps is None:
        raise InputError(
            "the video's size and frame rate are not known; give both (`picture_size`, `fps`), or the video (`video`)"
        )
    if size is None:
        raise InputError("the video's size is not known; give it (`picture_size`), or the video (`video`)")
    if fps is None:
        raise InputError("the video's frame rate is not known; give it (`fps`), or the video (`video`)")
    check_fps(fps)
    frames = detections.last_frame + 1
    if not len(detections.people.keypoints_px):
        raise InputError(f"{source}: nobody is in it; check that the detector found people")
    if facts is not None and options.fps is None:
        if frames > facts.frames:
            raise InputError(
                f"{source}: has keypoints of frame {frames - 1}, but {video} has {facts.frames} frames; "
                "give the video that the keypoints come from"
            )
        times_s = facts.times_s
    else:
        times_s = detections.times_s(fps)
    return Recorded(
        path=source,
        video=video,
        facts=facts,
        detections=detections,
        width=size[0],
        height=size[1],
        fps=fps,
        times_s=times_s,
    )


def _facts(video: Path, options: LiftOptions) -> VideoFacts:
    """The facts of a video, checked against the options."""
    from hyperlift.video.reading import video_facts  # PyAV is slow to import

    facts = video_facts(video, options.allow_truncated)
    size = options.picture_size
    if size is not None and size != facts.size:
        raise InputError(
            f"`picture_size` is {size[0]}x{size[1]}, but {video} has {facts.width}x{facts.height}; leave it out"
        )
    return facts
