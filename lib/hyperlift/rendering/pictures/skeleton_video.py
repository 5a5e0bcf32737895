"""Lifted people as a video, or as a sheet of chosen frames."""

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
"""A stretch with nobody in it that lasts longer is left out of the video."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """The video that people were lifted from.

    Example:
        >>> from pathlib import Path
        >>> from hyperlift.rendering.pictures.skeleton_video import Recording
        >>> recording = Recording(width=1088, height=1920, fps=30.0, file=Path("examples/multiperson.mp4"))
    """

    width: int
    """In pixels."""
    height: int
    """In pixels."""
    fps: float
    file: Path | None = None
    """Drawn under the keypoints where given."""
    facts: VideoFacts | None = None
    """Of the file, if they are known already."""


def frames_shown(people: Sequence[Person], fps: float) -> list[int]:
    """From the first frame with anybody in it to the last, without stretches longer than
    ``LONGEST_EMPTY_S``."""
    shown: list[int] = []
    for first, last in sorted((int(person.frame[0]), int(person.frame[-1])) for person in people):
        goes_on = shown and first - shown[-1] <= LONGEST_EMPTY_S * fps
        shown += range(shown[-1] + 1 if goes_on else first, last + 1)
    return shown


def write_skeleton_video(
    path: Path | str,
    people: Sequence[Person],
    recording: Recording,
    on_frame: Callable[[int, int], object] = lambda done, total: None,
    picture_height: int | None = None,
) -> None:
    """Write an mp4 with keypoints on the left and skeletons on the right, in the recording's own time.

    Frames of a file with a variable rate are shown for as long as in that file. Decoding, drawing and encoding run
    side by side; a few pictures are in memory at a time.

    Args:
        path: the mp4.
        people: at least one person.
        recording: its size places the keypoints.
        on_frame: called after each frame with the number that is done and that of all.
        picture_height: of the mp4, in pixels; None chooses about as many pixels as 1280 x 720 has.

    Raises:
        InputError: the folder cannot be written, or the recording's file cannot be read.

    Example:
        >>> import hyperlift
        >>> motion = hyperlift.load_motion("out/pose3d.npz")
        >>> from hyperlift.rendering.pictures.skeleton_video import Recording, write_skeleton_video
        >>> write_skeleton_video("people.mp4", motion.of([2]).people, Recording(width=1768, height=994, fps=30.0))
    """
    facts = _facts(recording)
    canvas = _canvas(people, recording, picture_height)
    frames = frames_shown(people, recording.fps)
    shown_s = _shown_at(frames, recording.fps, facts) if facts is not None and facts.variable_rate else None
    moments = _moments(frames, recording, facts, canvas.video_shown, "rgba")
    with write_mp4(path, canvas.width, canvas.height, recording.fps) as video, closing(ahead(moments)) as pictures:
        for number, (frame, below, time_s) in enumerate(pictures):
            video.add(canvas.paint(frame, below, time_s), None if shown_s is None else float(shown_s[number]))
            on_frame(number + 1, len(frames))


def pose_picture(
    path: Path | str,
    people: Sequence[Person],
    recording: Recording,
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
        >>> from hyperlift.rendering.pictures.skeleton_video import Recording, pose_picture
        >>> pose_picture("people.png", motion.people, Recording(width=1768, height=994, fps=30.0), frames=[10, 60])
    """
    canvas = _canvas(people, recording, picture_height)
    moments = _moments(frames, recording, _facts(recording), canvas.video_shown, "rgb24")
    pictures = [canvas.draw(frame, below, time_s) for frame, below, time_s in moments]
    blank = np.full_like(pictures[0], 255)
    pictures += [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], axis=1) for i in range(0, len(pictures), columns)]
    with atomic_file(path) as partial:
        image.imsave(partial, np.concatenate(rows))


def _canvas(people: Sequence[Person], recording: Recording, picture_height: int | None) -> SkeletonCanvas:
    return SkeletonCanvas(
        stage_people(people, H36M_17), recording.width, recording.height, recording.fps, picture_height
    )


def _facts(recording: Recording) -> VideoFacts | None:
    if recording.file is None:
        return None
    return recording.facts or video_facts(recording.file)


def _shown_at(frames: Sequence[int], fps: float, facts: VideoFacts) -> Float[np.ndarray, " shown"]:
    """When each frame is shown: the file's own pace, except where a stretch is left out or the file has ended."""
    numbers = np.array(frames)
    known = np.append(facts.times_s, facts.times_s[-1] + (1 + np.arange(max(0, numbers[-1] - facts.frames + 1))) / fps)
    gaps_s = np.diff(known[numbers])
    gaps_s[np.diff(numbers) > 1] = 1 / fps
    return np.concatenate([[0.0], np.cumsum(gaps_s)])


def _moments(
    frames: Sequence[int],
    recording: Recording,
    facts: VideoFacts | None,
    size: tuple[int, int],
    pixels: Literal["rgb24", "rgba"],
) -> Iterator[tuple[int, Picture | None, float | None]]:
    """Each frame number with its picture and time; None for what a video that ends early does not have."""
    if recording.file is None or facts is None:
        yield from ((frame, None, None) for frame in frames)
        return
    # Pictures that a damaged file does not have are left dark.
    reader = read_frames(recording.file, size, facts=facts, allow_truncated=True, pixels=pixels)
    with closing(reader) as decoded:
        at: Frame | None = next(decoded, None)
        for frame in frames:
            while at is not None and at.index < frame:
                at = next(decoded, None)
            time_s = float(facts.times_s[frame]) if frame < facts.frames else None
            yield frame, at.rgb if at is not None and at.index == frame else None, time_s
