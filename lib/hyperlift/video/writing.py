"""mp4 files, frame by frame: whole or not at all, the same bytes on every machine."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from hyperlift.errors import InputError
from hyperlift.video.atomic_encoding import written_whole
from hyperlift.video.facts import Picture
from hyperlift.video.pyav import reformat

_TICKS = 90_000
"""A second in the clock of videos whose frames come at uneven times; every usual rate divides it."""
_BT709 = 1
_WAITING = 3
"""Pictures that may wait for the encoder."""


class VideoWriter:
    """Frames of one, even size into an H.264 stream; encoding runs beside the caller, in its own thread.

    Use ``write_mp4``, which closes it.
    """

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        if width % 2 or height % 2:
            raise InputError(f"{path}: a video of {width}x{height} was asked for; width and height must be even")
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # A fixed number of threads writes the same bytes on every machine.
        stream.options = {"crf": "21", "preset": "superfast", "tune": "fastdecode", "threads": "2"}
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = int(ColorRange.MPEG)
        self._stream = stream
        self._even_time = True
        self._last_ticks = -1
        self._reformatter = VideoReformatter()
        self._encoder = ThreadPoolExecutor(1, "encoder")
        self._waiting: deque[Future[None]] = deque()

    def add(self, picture: Picture, time_s: float | None = None) -> None:
        """Append one frame; the picture may be changed as soon as this returns.

        Args:
            picture: uint8 RGB [H,W,3], or [H,W,4] of which the fourth byte is not looked at.
            time_s: when it is shown, later than the one before; all frames have a time or none has one. Without,
                frames follow one another at the writer's rate.
        """
        pixels = "rgba" if picture.shape[-1] == 4 else "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=pixels)
        if time_s is not None:
            if self._last_ticks < 0:
                self._stream.codec_context.time_base = Fraction(1, _TICKS)
            self._last_ticks = max(round(time_s * _TICKS), self._last_ticks + 1)
            frame.pts, frame.time_base = self._last_ticks, Fraction(1, _TICKS)
        if len(self._waiting) >= _WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._encoder.submit(self._encode, frame))

    def close(self) -> None:
        """Write what is still in the encoder and end the file."""
        while self._waiting:
            self._waiting.popleft().result()
        self._encoder.shutdown()
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Let go of the file, whatever state it is in."""
        self._encoder.shutdown(cancel_futures=True)
        with suppress(av.error.FFmpegError):
            self._container.close()

    def _encode(self, frame: av.VideoFrame) -> None:
        frame = reformat(
            self._reformatter,
            frame,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )
        self._container.mux(self._stream.encode(frame))


@contextmanager
def write_mp4(path: Path | str, width: int, height: int, fps: float) -> Iterator[VideoWriter]:
    """Open a video for writing; it appears at ``path`` when the block succeeds, or not at all.

    Args:
        path: the mp4; its folder is created.
        width: in pixels, even.
        height: in pixels, even.
        fps: frames a second; of frames that come with times, the usual number.

    Raises:
        InputError: the folder cannot be written, the disk is full, or the size is odd.
    """
    with written_whole(path, lambda partial: VideoWriter(partial, width, height, fps)) as writer:
        yield writer
