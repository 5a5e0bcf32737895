"""Sources of live pictures: a camera through FFmpeg's input devices, or a video file.

Cameras are opened with FFmpeg's device formats: V4L2 on Linux, AVFoundation on macOS, DirectShow on Windows.
"""

import stat
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import av
import av.container
import av.error
import numpy as np
from av.video.stream import VideoStream

from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.video.facts import Frame
from hyperlift.video.reading import read_frames, video_facts

DEVICE_FORMATS = {"linux": "video4linux2", "darwin": "avfoundation", "win32": "dshow"}
"""FFmpeg's input format for cameras, by ``sys.platform``."""
_USUAL_FPS = 30.0
"""Frame rate of a camera that declares none or an invalid one: the rate of most webcams."""
_STILL_COMING_S = 5.0
"""Timeout of a camera. Chosen: longer than cameras need to start."""


@runtime_checkable
class LiveSource(Protocol):
    """Pictures in order. ``frames`` may be called once."""

    name: str
    """For titles and messages."""
    width: int
    """In pixels, upright."""
    height: int
    """In pixels, upright."""
    fps: float
    """Declared frame rate."""
    metadata: Mapping[str, str]
    """Metadata of the container, for some phones with the lens."""
    waits: bool
    """Whether pictures wait until they are read (a file), or are lost (a camera)."""

    def frames(self) -> Generator[Frame, None, None]:
        """All pictures, until the file ends or ``close`` is called.

        Raises:
            InputError: the file cannot be decoded, or the camera was disconnected.
        """
        ...

    def close(self) -> None:
        """Release the device."""
        ...


@dataclass(frozen=True)
class CameraAddress:
    """Arguments of FFmpeg for a camera."""

    format: str
    """An FFmpeg input format, such as ``video4linux2``."""
    address: str
    """In the syntax of that format, such as ``/dev/video0``."""
    options: Mapping[str, str] = field(default_factory=dict)


def open_source(source: str, *, size: tuple[int, int] | None = None, fps: float | None = None) -> LiveSource:
    """Open a camera or a video file.

    Args:
        source: the number of a camera ("0"), a V4L2 device ("/dev/video2"), a DirectShow name ("video=Integrated
            Camera" on Windows), or a video file.
        size: width and height to request from a camera, in pixels; None uses its default.
        fps: frame rate to request from a camera; None uses its default.

    Raises:
        InputError: the camera or file does not exist, cannot be read, or gives no picture.

    Example:
        >>> from hyperlift.live.source import open_source
        >>> source = open_source("examples/multiperson.mp4")
        >>> source.width, source.height, source.waits  # a file waits until its pictures are asked for
        (1088, 1920, True)
    """
    address = camera_address(source, size, fps)
    if address is not None:
        return Camera(address, source)
    if size is not None or fps is not None:
        raise InputError(f"{source}: is a file; `camera_size` and `camera_fps` are for cameras, leave them out")
    return VideoFile(Path(source))


def camera_address(
    source: str, size: tuple[int, int] | None = None, fps: float | None = None, platform: str = sys.platform
) -> CameraAddress | None:
    """Arguments of FFmpeg for the camera that a source names; None for a file.

    Raises:
        InputError: cameras of this system are not supported, or have no numbers.
    """
    text = source.strip()
    number = text.isdecimal()
    is_device = platform == "linux" and text.startswith("/dev/")
    is_named = platform == "win32" and text.startswith("video=")
    if not (number or is_device or is_named):
        return None
    if platform not in DEVICE_FORMATS:
        raise InputError(f"`source` is {text}; cameras are not known on {platform}; give a video file")
    options = {} if size is None else {"video_size": f"{size[0]}x{size[1]}"}
    if fps is not None:
        options["framerate"] = f"{fps:g}"
    if platform == "darwin" and fps is None:
        options["framerate"] = f"{_USUAL_FPS:g}"  # most cameras of Macs reject FFmpeg's default, 29.97
    if number and platform == "win32":
        raise InputError(
            f"`source` is {text}; Windows names its cameras: give `source` 'video=NAME' ({_cameras('dshow')})"
        )
    address = f"/dev/video{int(text)}" if number and platform == "linux" else text
    return CameraAddress(DEVICE_FORMATS[platform], address, options)


class Camera:
    """A camera; a ``LiveSource`` whose pictures do not wait."""

    waits = False
    metadata: Mapping[str, str] = {}

    def __init__(self, address: CameraAddress, name: str) -> None:
        """Open the device and read its first picture.

        Args:
            address: of the device.
            name: of the camera, for messages.

        Raises:
            InputError: the device does not exist, may not be read, is in use, or gives no picture.
        """
        self.name = f"camera {name}"
        self._address, self._stopped = address, False
        try:
            self._container = av.open(
                address.address,
                format=address.format,
                options=dict(address.options),
                timeout=(_STILL_COMING_S, _STILL_COMING_S),
            )
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise InputError(self._why_closed(error)) from error
        try:
            self._pictures = self._decoded()
            self._first = next(self._pictures, None)
            if self._first is None:
                raise InputError(f"{self.name}: gives no picture; look whether another program uses it")
        except BaseException:
            self._container.close()
            raise
        self.width, self.height = self._first.width, self._first.height
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.fps = float(rate) if rate and 1 <= rate <= 1000 else _USUAL_FPS

    @property
    def _stream(self) -> VideoStream:
        return self._container.streams.video[0]

    def frames(self) -> Generator[Frame, None, None]:
        """All pictures that arrive; times are those of the camera's clock."""
        first, index, time_s = self._first, 0, 0.0
        picture, start_s = first, None
        while picture is not None:
            stamp_s = None if picture.pts is None or picture.time_base is None else picture.pts * picture.time_base
            if stamp_s is not None:
                start_s = stamp_s if start_s is None else start_s
                time_s = max(float(stamp_s - start_s), time_s + 1e-3 if index else 0.0)
            elif index:
                time_s += 1 / self.fps
            if (picture.width, picture.height) != (self.width, self.height):
                raise InputError(f"{self.name}: its pictures changed their size; start again")
            yield Frame(index, time_s, picture.to_ndarray(format="rgb24"))
            index += 1
            picture = next(self._pictures, None)
        if not self._stopped:
            raise InputError(f"{self.name}: gives no more pictures; look whether it is still connected")

    def close(self) -> None:
        """Release the device; the thread that reads it must have ended."""
        self._stopped = True
        self._container.close()

    def _decoded(self) -> Iterator[av.VideoFrame]:
        if not self._container.streams.video:
            raise InputError(f"{self.name}: gives no video")
        try:
            yield from self._container.decode(self._stream)
        except (av.error.FFmpegError, OSError) as error:
            raise InputError(f"{self.name}: stopped giving pictures ({_reason(error)})") from error

    def _why_closed(self, error: Exception) -> str:
        device, called = self._address, self.name
        path = Path(device.address)
        if device.format == "video4linux2" and not path.exists():
            return f"{called}: there is no {path} ({_cameras(device.format)}); connect one, or give a video file"
        if isinstance(error, PermissionError):
            return f"{called}: {path} may not be read by you; join the group that owns it (video, as a rule)"
        if isinstance(error, ValueError) and "format" in str(error):
            return f"{called}: this PyAV has no {device.format}; install PyAV's own wheel, or give a video file"
        requested = " ".join(device.options.values())
        hint = f"; it may not support {requested}" if requested else ""
        return f"{called}: cannot be opened ({_reason(error)}){hint}; look whether another program uses it"


class VideoFile:
    """A video file as a ``LiveSource`` whose pictures wait."""

    waits = True

    def __init__(self, path: Path) -> None:
        """Read the time stamps of the file.

        Raises:
            InputError: the file is missing or not a video.
        """
        self._path = path
        if path.exists() and not path.is_dir() and not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path}: is neither a video file nor a camera of this system; give `source` 0 or a file")
        self._facts = video_facts(path)
        self.name = path.name
        self.width, self.height = self._facts.size
        self.fps = self._facts.fps
        self.metadata = self._facts.metadata

    @property
    def times_s(self) -> Float[np.ndarray, " frames"]:
        """Time of every frame since frame 0, seconds."""
        return self._facts.times_s

    def frames(self) -> Generator[Frame, None, None]:
        """All frames, as fast as they are read."""
        return read_frames(self._path, facts=self._facts)

    def close(self) -> None:
        """Do nothing: no resources are held."""


def _cameras(format_: str) -> str:
    """The available cameras, for a message."""
    found: list[Any] = []
    with suppress(av.error.FFmpegError, ValueError, OSError, AttributeError):
        found = [device.name for device in av.enumerate_input_devices(format_)]
    if not found and format_ == "video4linux2":
        found = sorted(str(path) for path in Path("/dev").glob("video*"))
    return f"there are {', '.join(found)}" if found else "no camera is found"


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)
