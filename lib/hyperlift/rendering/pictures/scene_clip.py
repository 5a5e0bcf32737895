"""Clips of the 3D view without the video: mp4 or gif."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hyperlift.body.person import Person
from hyperlift.errors import InputError
from hyperlift.rendering.pictures.skeleton_picture import SkeletonCanvas
from hyperlift.rendering.pictures.skeleton_video import frames_shown
from hyperlift.rendering.staging import stage_people
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.video.gif import FASTEST_FPS, palette_of, write_gif
from hyperlift.video.writing import write_mp4

_HEIGHTS = {".mp4": 720, ".gif": 360}
"""Default heights in pixels. Chosen: HD for video; a quarter of the pixels for gif, which compresses badly."""
_PALETTE_PICTURES = 8
"""Frames from which the palette of a gif is computed. Chosen: the colours change little."""
_LAST_S = 0.5
"""Duration of the last frame of a gif before it loops."""
_EVEN = 0.2
"""Times deviate from a constant rate by at most this fraction of a frame. Chosen: rounding of time stamps in ms."""


def write_clip(
    path: Path | str,
    people: Sequence[Person],
    fps: float,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
    picture_height: int | None = None,
) -> None:
    """Write all people in 3D as ``.mp4`` or ``.gif`` in real time, atomically.

    Positions come from ``stage_people``. NaN joints are not drawn, joints that are not valid are drawn faintly. A gif
    loops, has 256 colours and at most 25 pictures per second, and shows the last one for 0.5 s.

    Args:
        path: the clip.
        people: at least one, in ``H36M_17`` joints.
        fps: of the recording.
        on_progress: called after every picture with the number of drawn pictures and the total number.
        picture_height: in pixels; None is 720, for gif 360.

    Raises:
        InputError: there are no people, the suffix is unknown, or the folder cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in _HEIGHTS:
        raise InputError(f"{path}: clips are written as {' or '.join(_HEIGHTS)}; choose such a name")
    if not people:
        raise InputError(f"{path}: there are no people to draw")
    canvas = SkeletonCanvas(stage_people(people, H36M_17), 16, 9, fps, picture_height or _HEIGHTS[kind], alone=True)
    frames = np.array(frames_shown(people, fps))
    shown_s, clock_s = _times(people, frames, fps)
    if kind == ".gif":
        kept = _thinned(shown_s)
        sample = frames[kept][np.unique(np.linspace(0, len(kept) - 1, _PALETTE_PICTURES).astype(int))]
        palette = palette_of([canvas.draw(int(frame)) for frame in sample])
        with write_gif(path, canvas.width, canvas.height, palette, _LAST_S) as gif:
            for done, number in enumerate(kept, 1):
                gif.add(canvas.draw(int(frames[number]), None, clock_s[number]), float(shown_s[number]))
                on_progress(done, len(kept))
        return
    even = np.abs(shown_s - np.arange(len(frames)) / fps).max() < _EVEN / fps
    with write_mp4(path, canvas.width, canvas.height, fps) as video:
        for number, frame in enumerate(frames):
            video.add(canvas.paint(int(frame), None, clock_s[number]), None if even else float(shown_s[number]))
            on_progress(number + 1, len(frames))


def _times(people: Sequence[Person], frames: np.ndarray, fps: float) -> tuple[Float[np.ndarray, " shown"], list[float]]:
    """Presentation time of each frame from 0, and its time in the recording; interpolated for frames without people."""
    known = {
        int(frame): float(time_s)
        for person in people
        for frame, time_s in zip(person.frame, person.time_s, strict=True)
    }
    numbers = np.array(sorted(known))
    times_s = np.interp(frames, numbers, [known[number] for number in numbers])
    steps_s = np.diff(times_s)
    steps_s[np.diff(frames) > 1] = 1 / fps  # frames without people are skipped here
    return np.concatenate([[0.0], np.cumsum(steps_s)]), times_s.tolist()


def _thinned(shown_s: Float[np.ndarray, " shown"]) -> list[int]:
    """Indices of the frames of a gif, at most ``FASTEST_FPS`` per second."""
    kept, last_s = [], -np.inf
    for number, time_s in enumerate(shown_s):
        if time_s - last_s >= 0.999 / FASTEST_FPS:
            kept.append(number)
            last_s = time_s
    return kept
