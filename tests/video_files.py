"""Small videos that tests write with PyAV itself, not with the library under test."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

WIDTH, HEIGHT = 96, 64


def corner_picture(width: int = WIDTH, height: int = HEIGHT, level: int = 0) -> np.ndarray:
    """Red in the upper left quarter, otherwise grey of a level."""
    picture = np.full((height, width, 3), level, np.uint8)
    picture[: height // 2, : width // 2] = [255, 0, 0]
    return picture


def write_video(
    path: Path,
    pictures: Sequence[np.ndarray],
    fps: float | Fraction = 25,
    times_s: Sequence[float] | None = None,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    matrix: Sequence[int] | None = None,
    metadata: dict[str, str] | None = None,
    sample_aspect: Fraction | None = None,
) -> Path:
    """Encode RGB pictures; ``times_s`` makes the rate variable, ``matrix`` is the display matrix."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.options = {"crf": "10", "preset": "ultrafast"} if options is None else options
        if sample_aspect is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect
        if times_s is not None:
            stream.codec_context.time_base = Fraction(1, 90_000)
        if matrix is not None:
            if not hasattr(stream, "set_display_matrix"):
                pytest.skip(f"PyAV {av.__version__} cannot write a display matrix; 18 can")
            stream.set_display_matrix(list(matrix))
        container.metadata.update(metadata or {})
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if times_s is not None:
                frame.pts, frame.time_base = round(times_s[number] * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def patch_track_matrix(path: Path, numbers: Sequence[int]) -> None:
    """Overwrite the nine numbers of the track header's matrix (ISO/IEC 14496-12, 8.3.2), as cameras set them."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 4
    assert content[start] == 0, "version 0: the matrix begins after 40 bytes"
    content[start + 40 : start + 76] = b"".join(number.to_bytes(4, "big", signed=True) for number in numbers)
    path.write_bytes(content)
