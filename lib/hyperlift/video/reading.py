"""Reading of video files: facts, and upright frames in order with time stamps.

Headers often state a wrong number of frames, rate or duration, so the packets are counted. For that, only the first
picture is decoded.
"""

import logging
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

import av
import av.container
import av.error
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from hyperlift.errors import InputError
from hyperlift.readers import reader
from hyperlift.shapes import Float
from hyperlift.video.completeness import Extent, file_extent
from hyperlift.video.facts import Frame, Picture, VideoFacts
from hyperlift.video.orientation import UPRIGHT, Orientation
from hyperlift.video.pyav import is_cover, open_video, reformat

MIN_SHARE_DECODED = 0.9
"""A file is rejected as damaged if fewer of its frames can be decoded. Chosen: tracks bridge gaps of some frames."""
MAX_PIXELS = 8192 * 4320
"""Largest picture: 8K (8192x4320). A small file can state any size, for which the decoder allocates memory."""
_SCALE = "scale it to 8192x4320 pixels or less"
_OPTIONS = {"protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}
"""Only files are opened, because a playlist can name URLs; the limit also holds for decoders that probe the file."""
_SLOWEST_FPS, _FASTEST_FPS = 0.01, 100_000.0
"""Accepted mean frame rates. Chosen: a time lapse to a high-speed camera; others are broken."""
_DECODER_THREADS = 2
"""Threads of the decoder. Chosen: each thread holds a picture, so this bounds the memory for 4K."""
_STRANGEST_PIXEL = 4.0
"""Largest pixel aspect ratio; beyond, the value is treated as an error and pixels as square. Chosen: anamorphic
formats have at most 2."""
_HD_LINES = 720
"""Pictures of this height or more use BT.709 if the file states no colour matrix, as players do."""
_KNOWN_MATRICES = {int(matrix) for matrix in Colorspace}

_log = logging.getLogger(__name__)


@reader("video", remedy="copy it again or give another video")
def video_facts(path: Path | str, allow_truncated: bool = False) -> VideoFacts:
    """Read the packets of a file once, and decode its first picture.

    A still picture is a video of one frame. Audio with a cover picture is no video.

    Args:
        path: any container and codec that FFmpeg supports.
        allow_truncated: accept a file whose end is missing.

    Raises:
        InputError: the file is missing, has no video or no frames, or is truncated.

    Example:
        >>> from hyperlift.video.reading import video_facts
        >>> facts = video_facts("examples/multiperson.mp4")
        >>> facts.size, facts.frames, facts.rotation_deg
        ((1088, 1920), 100, 0)
    """
    path = Path(path)
    with _opened(path) as (container, stream):
        declared_s = _declared_seconds(container, stream)
        stamps, untimed, last_ticks, shown = [], False, 0, None
        for packet in _packets(path, container, stream):
            if shown is None:
                shown = next(iter(_decoded(packet)), None)
            if packet.size and not packet.is_discard and not packet.is_corrupt:
                untimed |= packet.pts is None
                stamps.append(packet.pts if packet.pts is not None else packet.dts)
                last_ticks = packet.duration or 0
        if shown is None:
            raise InputError(f"{path}: holds no frame that can be decoded; give another video, or {_SCALE}")
        rate = _positive(stream.average_rate) or _positive(stream.guessed_rate)
        tick_s = float(stream.time_base or 0)
        times_s, start_s = _times(path, stamps, tick_s, rate)
        fps = _rate(path, times_s, rate)
        end_s = float(times_s[-1]) + (last_ticks * tick_s or 1 / fps)
        extent = file_extent(path)
        if not allow_truncated and extent is not None and extent.truncated:
            _refuse_if_short(path, extent, len(times_s), end_s, stream.frames, declared_s, fps)
        orientation = _orientation_of(shown)
        width, height = orientation.size(*_square_pixels(shown, stream))
        return VideoFacts(
            width=width,
            height=height,
            fps=fps,
            times_s=times_s,
            duration_s=end_s,
            orientation=orientation,
            codec=stream.codec_context.name,
            metadata={**stream.metadata, **container.metadata},
            start_s=None if untimed else start_s,
        )


@reader("video frames", remedy="copy it again or give another video")
def read_frames(
    path: Path | str,
    size: tuple[int, int] | None = None,
    *,
    facts: VideoFacts | None = None,
    allow_truncated: bool = False,
    pixels: Literal["rgb24", "rgba"] = "rgb24",
    first: int = 0,
) -> Generator[Frame, None, None]:
    """Decode a video frame by frame; a few pictures are in memory at a time.

    Args:
        path: the video.
        size: width and height to which upright pictures are scaled; None keeps their size.
        facts: of this file; None reads them.
        allow_truncated: accept a truncated or damaged file.
        pixels: "rgba" adds an opaque fourth byte, which is faster to scale and to draw on.
        first: number of the first frame to yield. Earlier frames are decoded, because later ones depend on them, but
            not converted.

    Raises:
        InputError: as for ``video_facts``; or, at the end, too few frames could be decoded.

    Example:
        >>> from hyperlift.video.reading import read_frames
        >>> frame = next(read_frames("examples/multiperson.mp4", size=(272, 480)))
        >>> frame.index, frame.time_s, frame.rgb.shape
        (0, 0.0, (480, 272, 3))
    """
    path = Path(path)
    facts = facts or video_facts(path, allow_truncated)
    times_s = facts.times_s
    reformatter = VideoReformatter()
    index, shown = -1, 0
    with _opened(path) as (container, stream):
        stream.thread_type, stream.codec_context.thread_count = "AUTO", _DECODER_THREADS
        tick_s = float(stream.time_base or 0)
        for packet in _packets(path, container, stream):
            for decoded in _decoded(packet):
                index += 1
                if facts.start_s is not None and decoded.pts is not None:
                    time_s = decoded.pts * tick_s - facts.start_s
                    # Frames can be missing; frames with equal time stamps have different indices.
                    index = max(index, int(np.searchsorted(times_s, time_s - tick_s / 2)))
                if index >= len(times_s):
                    _log.warning("%s: more pictures come out than the file announces; the rest is left out", path)
                    return
                shown += 1
                if index < first:
                    continue
                rgb = _upright_rgb(reformatter, decoded, size or facts.size, facts.orientation, pixels)
                yield Frame(index, float(times_s[index]), rgb)
    if shown < MIN_SHARE_DECODED * len(times_s) and not allow_truncated:
        raise InputError(
            f"{path}: is damaged: only {shown} of {len(times_s)} frames can be decoded; "
            "copy it again, or take what is there (`allow_truncated=True`)"
        )
    if shown < len(times_s):
        _log.warning("%s: %d of %d frames cannot be decoded", path, len(times_s) - shown, len(times_s))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, VideoStream]]:
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give a video file")
    if not path.is_file():
        raise InputError(f"{path}: no such video; check the path")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is an empty file; copy it again")
    try:
        container = open_video(path, _OPTIONS)
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError(_why_closed(path, error)) from error
    with closing(container):
        streams = [s for s in container.streams.video if not is_cover(s)]
        if not streams:
            raise InputError(f"{path}: holds no video stream; give another file")
        known = [s for s in streams if s.codec_context is not None]
        if not known:
            raise InputError(f"{path}: its video is of a codec that is not known here; convert it to H.264")
        largest = max(known, key=_pixels)
        if _pixels(largest) > MAX_PIXELS:
            size = f"{largest.codec_context.width}x{largest.codec_context.height}"
            raise InputError(f"{path}: has pictures of {size} pixels; {_SCALE}")
        largest.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        try:
            yield container, largest
        except av.error.FFmpegError as error:
            raise InputError(f"{path}: cannot be read to its end ({error.strerror}); copy it again") from error


def _pixels(stream: VideoStream) -> int:
    return stream.codec_context.width * stream.codec_context.height


def _why_closed(path: Path, error: Exception) -> str:
    try:
        extent = file_extent(path)
    except OSError:
        extent = None
    if extent is not None and extent.truncated:
        return (
            f"{path}: is cut off and cannot be opened: {extent.size} of {extent.stated} bytes are there; "
            "copy or record it again"
        )
    if extent is not None and extent.index_missing:
        return f"{path}: is not finished: the index that an mp4 needs is missing; copy or record it again"
    reason = getattr(error, "strerror", None) or error
    return f"{path}: is not a video that can be read ({reason}); give another file"


def _packets(path: Path, container: av.container.InputContainer, stream: VideoStream) -> Iterator[Any]:
    """The packets of the stream, up to the first error."""
    demuxed = container.demux(stream)
    while True:
        try:
            packet = next(demuxed, None)
        except av.error.FFmpegError as error:
            _log.warning("%s: reading stops early (%s)", path, error.strerror)
            return
        if packet is None:
            return
        yield packet


def _decoded(packet: Any) -> list[av.VideoFrame]:
    """The frames of a packet; none if it cannot be decoded."""
    try:
        return packet.decode()
    except av.error.FFmpegError as error:
        _log.debug("a packet cannot be decoded (%s)", error.strerror)
        return []


def _times(
    path: Path, stamps: list[int | None], tick_s: float, rate: float | None
) -> tuple[Float[np.ndarray, " frames"], float]:
    """Seconds since the first frame in presentation order, and the time stamp of the first frame."""
    if not stamps:
        raise InputError(f"{path}: holds no frame that can be decoded; give another video")
    if any(stamp is None for stamp in stamps) or not tick_s:
        if rate is None:
            raise InputError(f"{path}: has neither time stamps nor a frame rate; give another video")
        return np.arange(len(stamps)) / rate, 0.0
    ticks = np.sort(np.array(stamps, np.int64))
    distinct, first = np.unique(ticks, return_index=True)
    # As floats if the difference of broken time stamps overflows 64 bits.
    whole = int(distinct[-1]) - int(distinct[0]) < 2**63
    since_s = (distinct - distinct[0] if whole else distinct.astype(np.float64) - float(distinct[0])) * tick_s
    # Frames with equal time stamps share the time to the next one; those at the end have the usual interval.
    pace_s = 1 / rate if rate else float(np.median(np.diff(since_s))) if len(since_s) > 1 else 1.0
    knots_s = np.append(since_s, since_s[-1] + pace_s * (len(ticks) - first[-1]))
    return np.interp(np.arange(len(ticks)), np.append(first, len(ticks)), knots_s), float(distinct[0]) * tick_s


def _rate(path: Path, times_s: Float[np.ndarray, " frames"], declared: float | None) -> float:
    if len(times_s) < 2:
        if declared is None:
            raise InputError(
                f"{path}: does not say its frame rate; give keypoints with `picture_size` and "
                "`fps`, and leave the video out"
            )
        return declared
    counted = (len(times_s) - 1) / float(times_s[-1])
    if not _SLOWEST_FPS <= counted <= _FASTEST_FPS:
        raise InputError(
            f"{path}: its {len(times_s)} frames span {times_s[-1]:g} s, which is no film; copy or convert it again"
        )
    return declared if declared and abs(declared / counted - 1) < 0.005 else counted


def _positive(rate: Any) -> float | None:
    return float(rate) if rate else None


def _declared_seconds(container: av.container.InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None


def _refuse_if_short(
    path: Path, extent: Extent, frames: int, end_s: float, declared_frames: int, declared_s: float | None, fps: float
) -> None:
    """Reject a truncated file, unless all frames are there: the missing end can be an index or audio."""
    if declared_frames:
        whole = frames >= declared_frames
    else:
        whole = declared_s is not None and end_s > declared_s - 1.5 / fps
    if not whole:
        of = f" of {declared_s:.1f}" if declared_s and declared_s > end_s + 1 / fps else ""
        raise InputError(
            f"{path}: is cut off: {end_s:.1f}{of} s can be read ({extent.size} of {extent.stated} bytes); "
            "copy it again, or take what is there (`allow_truncated=True`)"
        )


def _square_pixels(frame: av.VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Width and height with square pixels, from stretching the shorter side of each pixel."""
    aspect = float(stream.sample_aspect_ratio or 1)
    if not 1 / _STRANGEST_PIXEL <= aspect <= _STRANGEST_PIXEL:
        aspect = 1.0
    return round(frame.width * max(aspect, 1.0)), round(frame.height / min(aspect, 1.0))


def _upright_rgb(
    reformatter: VideoReformatter,
    frame: av.VideoFrame,
    size: tuple[int, int],
    orientation: Orientation,
    pixels: Literal["rgb24", "rgba"],
) -> Picture:
    width, height = orientation.size(*size)
    matrix = frame.colorspace
    if matrix not in _KNOWN_MATRICES:  # the convention of players for unspecified matrices
        matrix = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
    shrunk = width < 0.6 * frame.width
    rgb = reformat(
        reformatter,
        frame,
        width=width,
        height=height,
        format=pixels,
        src_colorspace=matrix,
        src_color_range=frame.color_range or ColorRange.UNSPECIFIED,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA if shrunk else Interpolation.BILINEAR,
    )
    return orientation.upright(rgb.to_ndarray())


def _orientation_of(frame: av.VideoFrame) -> Orientation:
    """Read the display matrix, which maps (x, y) to (a x + c y, b x + d y).

    Rotations are rounded to multiples of 90°. Call it for one frame of a file only: a frame and its side data refer to
    each other, so such frames stay in memory until the garbage collector runs.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return UPRIGHT
    a, b, _, c, d = (int(number) for number in np.frombuffer(bytes(data), np.int32)[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transposed=True, reversed_x=c < 0, reversed_y=b < 0)
    return Orientation(reversed_x=a < 0, reversed_y=d < 0)
