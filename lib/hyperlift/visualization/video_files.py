"""Video files through PyAV: facts, frames in, frames out."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import numpy as np

from hyperlift.errors import InputError
from hyperlift.files import atomic_file
from hyperlift.shapes import Shaped

Picture = Shaped[np.ndarray, "_ _ 3"]
"""Height x width x RGB, uint8."""


@dataclass(frozen=True)
class VideoFacts:
    """Size as shown (a phone's rotation applied) and frame rate."""

    width: int
    height: int
    fps: float


class Mp4Writer:
    """Frames of equal, even size into an H.264 stream."""

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # One thread writes the same bytes on every machine.
        stream.options = {"crf": "20", "preset": "veryfast", "threads": "1"}
        self._stream = stream

    def add(self, picture: Picture) -> None:
        """Append one frame."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is still in the encoder and end the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Let go of the file, whatever state it is in."""
        with suppress(av.error.FFmpegError):
            self._container.close()


@contextmanager
def write_mp4(path: Path | str, width: int, height: int, fps: float) -> Iterator[Mp4Writer]:
    """Open a video for writing; it appears at ``path`` when the block succeeds, or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    with atomic_file(path) as partial:
        writer = Mp4Writer(partial, width, height, fps)
        try:
            yield writer
        except BaseException:
            writer.abandon()
            raise
        writer.close()


def video_facts(path: Path | str) -> VideoFacts:
    """Size and frame rate of a video.

    Raises:
        InputError: the file is missing or holds no video.
    """
    with _opened(path) as container:
        stream = container.streams.video[0]
        first = next(container.decode(stream), None)
        if first is None:
            raise InputError(f"{path}: holds no frame that can be decoded; give another video")
        turned = first.rotation % 180 == 90
        width, height = (first.height, first.width) if turned else (first.width, first.height)
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            raise InputError(f"{path}: does not say its frame rate; give --fps and --video-size instead of --video")
        return VideoFacts(width, height, float(rate))


def read_pictures(path: Path | str, width: int, height: int) -> Iterator[Picture]:
    """Frames of a video in order, upright and scaled to ``width`` x ``height``.

    Raises:
        InputError: the file is missing or holds no video.
    """
    with _opened(path) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            quarters = round(frame.rotation / 90) % 4
            size = (height, width) if quarters % 2 else (width, height)
            picture = frame.reformat(width=size[0], height=size[1], format="rgb24").to_ndarray()
            yield np.ascontiguousarray(np.rot90(picture, quarters))


@contextmanager
def _opened(path: Path | str) -> Iterator[av.container.InputContainer]:
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such video; check the path")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path}: holds no video stream; give another file")
            yield container
    except av.error.FFmpegError as error:
        raise InputError(f"{path}: is not a video that can be read ({error.strerror}); give another file") from error
