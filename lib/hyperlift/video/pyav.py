"""What differs between the releases of PyAV that this package allows, 13 to 19, in one place."""

from pathlib import Path
from typing import Any

import av
import av.container
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

RELEASE = int(av.__version__.partition(".")[0])

_COVER_CODECS = {"mjpeg", "png", "bmp", "gif", "webp"}


def open_video(path: Path, options: dict[str, str]) -> av.container.InputContainer:
    """Open a file for reading with options of FFmpeg, whatever the encoding of its notes."""
    # Until 18 notes that are not UTF-8 end in an exception where nothing else is asked for; 19 always replaces them.
    notes: dict[str, Any] = {"metadata_errors": "replace"} if RELEASE < 19 else {}
    return av.open(str(path), options=options, **notes)


def is_cover(stream: VideoStream) -> bool:
    """Whether a stream is the cover picture of sound, no film."""
    try:
        from av.stream import Disposition
    except ImportError:  # until 14.0: a cover is a picture without a frame rate
        known = stream.codec_context is not None  # of a codec that is not
        return known and stream.codec_context.name in _COVER_CODECS and not stream.average_rate
    return bool(stream.disposition & Disposition.attached_pic)


def reformat(reformatter: VideoReformatter, frame: av.VideoFrame, **wanted: Any) -> av.VideoFrame:
    """``VideoReformatter.reformat`` in the caller's thread alone, as it always was until 16."""
    if RELEASE >= 17:
        wanted["threads"] = 1
    return reformatter.reformat(frame, **wanted)
