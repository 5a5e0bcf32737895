"""Atomic writing of mp4 files; equal frames give the same bytes on every machine."""

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
"""Clock ticks per second for uneven times: the clock of MPEG, a multiple of usual frame rates."""
_BT709 = 1
"""Code of BT.709 for matrix, primaries and transfer function (ITU-T H.273)."""
_WAITING = 3
"""Pictures that can wait for the encoder. Chosen: evens out its speed at little memory."""


class VideoWriter:
    """H.264 encoder in its own thread. Use ``write_mp4``, which closes it."""

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        if width % 2 or height % 2:
            raise InputError(f"{path}: a video cannot have {width}x{height} pixels; width and height must be even")
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # The output depends on the number of threads, so it is fixed.
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
        """Append one frame; the picture is copied.

        Args:
            picture: uint8 RGB [H,W,3], or [H,W,4] with an ignored fourth byte.
            time_s: presentation time, ascending, for all frames or none; None uses the constant rate of the writer.
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
        """Flush the encoder and close the file."""
        while self._waiting:
            self._waiting.popleft().result()
        self._encoder.shutdown()
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Close the file without flushing, after an error."""
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
    """Open a video for writing; it appears at ``path`` only if the block succeeds.

    Args:
        path: the mp4; its folder is created.
        width: in pixels, even.
        height: in pixels, even.
        fps: frame rate; for frames with times, the usual rate.

    Raises:
        InputError: the folder cannot be written, the disk is full, or the size is odd.
    """
    with written_whole(path, lambda partial: VideoWriter(partial, width, height, fps)) as writer:
        yield writer
