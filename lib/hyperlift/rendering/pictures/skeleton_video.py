"""Video of lifted people beside their keypoints, and pictures of chosen frames."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib import image

from hyperlift.body.person import Person
from hyperlift.files.atomic import atomic_file
from hyperlift.rendering.pictures.skeleton_picture import SkeletonCanvas
from hyperlift.rendering.staging import stage_people
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.video.facts import Frame, Picture, VideoFacts
from hyperlift.video.prefetch import ahead
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.video.writing import write_mp4

LONGEST_EMPTY_S = 10.0
"""Longer gaps without people are cut from the video. Chosen: a viewer waits that long without doubt."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceVideo:
    """The video that people were lifted from.

    Example:
        >>> from pathlib import Path
        >>> from hyperlift.rendering.pictures.skeleton_video import SourceVideo
        >>> recording = SourceVideo(width=1088, height=1920, fps=30.0, file=Path("examples/multiperson.mp4"))
    """

    width: int
    """In pixels."""
    height: int
    """In pixels."""
    fps: float
    file: Path | None = None
    """The video file, drawn under the keypoints; None draws a dark background."""
    facts: VideoFacts | None = None
    """Facts of the file; None reads them."""


def frames_shown(people: Sequence[Person], fps: float) -> list[int]:
    """Frames from the first to the last with people, without gaps of more than ``LONGEST_EMPTY_S``."""
    shown: list[int] = []
    for first, last in sorted((int(person.frame[0]), int(person.frame[-1])) for person in people):
        continues = shown and first - shown[-1] <= LONGEST_EMPTY_S * fps
        shown += range(shown[-1] + 1 if continues else first, last + 1)
    return shown


def write_skeleton_video(
    path: Path | str,
    people: Sequence[Person],
    recording: SourceVideo,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
    picture_height: int | None = None,
) -> None:
    """Write an mp4 in real time with keypoints on the left and skeletons on the right.

    A variable frame rate of the file is kept. Decoding, drawing and encoding run in parallel; a few pictures are in
    memory at a time.

    Args:
        path: the mp4.
        people: at least one person.
        recording: its size places the keypoints.
        on_progress: called after each frame with the number of drawn frames and the total number.
        picture_height: of the mp4, in pixels; None chooses about as many pixels as 1280 x 720 has.

    Raises:
        InputError: the folder cannot be written, or the recording's file cannot be read.

    Example:
        >>> import hyperlift
        >>> motion = hyperlift.load_motion("out/pose3d.npz")
        >>> from hyperlift.rendering.pictures.skeleton_video import SourceVideo, write_skeleton_video
        >>> write_skeleton_video("people.mp4", motion.of([2]).people, SourceVideo(width=1768, height=994, fps=30.0))
    """
    facts = _facts(recording)
    canvas = _canvas(people, recording, picture_height)
    frames = frames_shown(people, recording.fps)
    shown_s = _shown_at(frames, recording.fps, facts) if facts is not None and facts.variable_rate else None
    moments = _moments(frames, recording, facts, canvas.video_shown, "rgba")
    with write_mp4(path, canvas.width, canvas.height, recording.fps) as video, closing(ahead(moments)) as pictures:
        for number, (frame, below, time_s) in enumerate(pictures):
            video.add(canvas.paint(frame, below, time_s), None if shown_s is None else float(shown_s[number]))
            on_progress(number + 1, len(frames))


def pose_picture(
    path: Path | str,
    people: Sequence[Person],
    recording: SourceVideo,
    frames: Sequence[int],
    columns: int = 2,
    picture_height: int = 480,
) -> None:
    """Write a PNG with chosen frames side by side.

    Args:
        path: the PNG.
        people: at least one person.
        recording: its size places the keypoints.
        frames: frame numbers, ascending.
        columns: pictures in a row.
        picture_height: of each frame, in pixels.

    Raises:
        InputError: the folder cannot be written, or the recording's file cannot be read.

    Example:
        >>> import hyperlift
        >>> motion = hyperlift.load_motion("out/pose3d.npz")
        >>> from hyperlift.rendering.pictures.skeleton_video import SourceVideo, pose_picture
        >>> pose_picture("people.png", motion.people, SourceVideo(width=1768, height=994, fps=30.0), frames=[10, 60])
    """
    canvas = _canvas(people, recording, picture_height)
    moments = _moments(frames, recording, _facts(recording), canvas.video_shown, "rgb24")
    pictures = [canvas.draw(frame, below, time_s) for frame, below, time_s in moments]
    blank = np.full_like(pictures[0], 255)
    pictures += [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], axis=1) for i in range(0, len(pictures), columns)]
    with atomic_file(path) as partial:
        image.imsave(partial, np.concatenate(rows))


def _canvas(people: Sequence[Person], recording: SourceVideo, picture_height: int | None) -> SkeletonCanvas:
    return SkeletonCanvas(
        stage_people(people, H36M_17), recording.width, recording.height, recording.fps, picture_height
    )


def _facts(recording: SourceVideo) -> VideoFacts | None:
    if recording.file is None:
        return None
    return recording.facts or video_facts(recording.file)


def _shown_at(frames: Sequence[int], fps: float, facts: VideoFacts) -> Float[np.ndarray, " shown"]:
    """Presentation times of the frames: those of the file, with gaps cut, and a constant rate after its end."""
    numbers = np.array(frames)
    known = np.append(facts.times_s, facts.times_s[-1] + (1 + np.arange(max(0, numbers[-1] - facts.frames + 1))) / fps)
    gaps_s = np.diff(known[numbers])
    gaps_s[np.diff(numbers) > 1] = 1 / fps
    return np.concatenate([[0.0], np.cumsum(gaps_s)])


def _moments(
    frames: Sequence[int],
    recording: SourceVideo,
    facts: VideoFacts | None,
    size: tuple[int, int],
    pixels: Literal["rgb24", "rgba"],
) -> Iterator[tuple[int, Picture | None, float | None]]:
    """Each frame number with its picture and time; None after the end of a truncated video."""
    if recording.file is None or facts is None:
        yield from ((frame, None, None) for frame in frames)
        return
    # Frames that a damaged file lacks have a dark background.
    reader = read_frames(recording.file, size, facts=facts, allow_truncated=True, pixels=pixels)
    with closing(reader) as decoded:
        at: Frame | None = next(decoded, None)
        for frame in frames:
            while at is not None and at.index < frame:
                at = next(decoded, None)
            time_s = float(facts.times_s[frame]) if frame < facts.frames else None
            yield frame, at.rgb if at is not None and at.index == frame else None, time_s
