"""Differences between the supported releases of PyAV, 13 to 19."""

from pathlib import Path
from typing import Any

import av
import av.container
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

RELEASE = int(av.__version__.partition(".")[0])
"""Major version of the installed PyAV."""

_COVER_CODECS = {"mjpeg", "png", "bmp", "gif", "webp"}


def open_video(path: Path, options: dict[str, str]) -> av.container.InputContainer:
    """Open a file for reading with options of FFmpeg; metadata can have any encoding."""
    # Up to 18, metadata that are not UTF-8 raise an exception by default; 19 always replaces such bytes.
    metadata: dict[str, Any] = {"metadata_errors": "replace"} if RELEASE < 19 else {}
    return av.open(str(path), options=options, **metadata)


def is_cover(stream: VideoStream) -> bool:
    """Whether a stream is the cover picture of an audio file."""
    try:
        from av.stream import Disposition
    except ImportError:  # before 14.0: a cover is a picture without a frame rate
        known = stream.codec_context is not None  # None for an unknown codec
        return known and stream.codec_context.name in _COVER_CODECS and not stream.average_rate
    return bool(stream.disposition & Disposition.attached_pic)


def reformat(reformatter: VideoReformatter, frame: av.VideoFrame, **settings: Any) -> av.VideoFrame:
    """``VideoReformatter.reformat`` in the caller's thread, as up to release 16."""
    if RELEASE >= 17:
        settings["threads"] = 1
    return reformatter.reformat(frame, **settings)
