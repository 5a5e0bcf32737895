"""Lifted people as a video, or as a sheet of chosen frames."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import image

from hyperlift.files import atomic_file
from hyperlift.visualization.skeleton_picture import SkeletonCanvas
from hyperlift.visualization.stage import stage_people
from hyperlift.visualization.video_files import Picture, read_pictures, write_mp4
from hyperlift.wild.keypoints import LiftedPerson

LONGEST_EMPTY_S = 10.0
"""A stretch with nobody in it that lasts longer is left out of the video."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The video that people were lifted from."""

    width: int
    """In pixels."""
    height: int
    """In pixels."""
    fps: float
    file: Path | None = None
    """Drawn under the keypoints where given."""


def frames_shown(people: Sequence[LiftedPerson], fps: float) -> list[int]:
    """From the first frame with anybody in it to the last, without stretches longer than
    ``LONGEST_EMPTY_S``."""
    shown: list[int] = []
    for first, last in sorted((int(person.frame[0]), int(person.frame[-1])) for person in people):
        goes_on = shown and first - shown[-1] <= LONGEST_EMPTY_S * fps
        shown += range(shown[-1] + 1 if goes_on else first, last + 1)
    return shown


def write_skeleton_video(
    path: Path | str,
    people: Sequence[LiftedPerson],
    recording: Recording,
    on_frame: Callable[[], object] = lambda: None,
) -> None:
    """Write an mp4 with keypoints on the left and skeletons on the right, at the recording's frame rate.

    Args:
        path: the mp4.
        people: at least one person.
        recording: its size places the keypoints.
        on_frame: called after each frame, for a progress bar.

    Raises:
        InputError: the folder cannot be written, or the recording's file cannot be read.
    """
    canvas = SkeletonCanvas(stage_people(people), recording.width, recording.height, recording.fps)
    with write_mp4(path, canvas.width, canvas.height, recording.fps) as video:
        for frame, below in _with_video(frames_shown(people, recording.fps), recording, canvas):
            video.add(canvas.draw(frame, below))
            on_frame()


def pose_picture(
    path: Path | str,
    people: Sequence[LiftedPerson],
    recording: Recording,
    frames: Sequence[int],
    columns: int = 2,
) -> None:
    """Write a PNG with chosen frames side by side.

    Args:
        path: the PNG.
        people: at least one person.
        recording: its size places the keypoints.
        frames: frame numbers, ascending.
        columns: pictures in a row.

    Raises:
        InputError: the folder cannot be written, or the recording's file cannot be read.
    """
    canvas = SkeletonCanvas(stage_people(people), recording.width, recording.height, recording.fps)
    pictures = [canvas.draw(frame, below) for frame, below in _with_video(frames, recording, canvas)]
    blank = np.full_like(pictures[0], 255)
    pictures += [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], axis=1) for i in range(0, len(pictures), columns)]
    with atomic_file(path) as partial:
        image.imsave(partial, np.concatenate(rows))


def _with_video(
    frames: Sequence[int], recording: Recording, canvas: SkeletonCanvas
) -> Iterator[tuple[int, Picture | None]]:
    """Each frame number with its picture; a video that ends early leaves None."""
    if recording.file is None:
        yield from ((frame, None) for frame in frames)
        return
    pictures = enumerate(read_pictures(recording.file, *canvas.video_shown))
    number, picture = next(pictures, (-1, None))
    for frame in frames:
        while picture is not None and number < frame:
            number, picture = next(pictures, (-1, None))
        yield frame, picture
