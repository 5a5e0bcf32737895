"""The recording's video for the page: inside it where it is small, else as a file beside it."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hyperlift.errors import InputError
from hyperlift.video.reading import video_facts

LARGEST_INSIDE_MB = 30.0
_TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm", ".mkv": "video/webm"}
_PLAYED = {"h264", "vp8", "vp9", "av1"}
"""What nearly every browser plays."""


@dataclass(frozen=True)
class VideoBeside:
    """How the page finds its video."""

    name: str
    address: str | None
    """Relative to the page, for a URL; None for a video that is inside."""
    data: str
    """Base64 of the file; empty for a video that stays outside."""
    kind: str
    """Media type."""
    size: tuple[int, int]
    """Width and height in pixels, as shown."""
    duration_s: float
    codec: str

    @property
    def note(self) -> str | None:
        """What somebody who passes the page on must know."""
        notes = []
        if self.address is not None:
            notes.append(f"the video is too large to be inside the page: keep {self.name} where it is beside it")
        if self.codec not in _PLAYED:
            notes.append(f"not every browser plays {self.codec} video; H.264 in an mp4 always works")
        return "; ".join(notes) or None


def video_beside(video: Path, page: Path, largest_inside_mb: float) -> VideoBeside:
    """Look at the video and take it in, or find its way from the page.

    Raises:
        InputError: the file is missing or no video.
    """
    if not video.is_file():
        raise InputError(f"{video}: no such video file")
    facts = video_facts(video, allow_truncated=True)
    inside = video.stat().st_size <= largest_inside_mb * 1e6
    return VideoBeside(
        name=video.name,
        address=None if inside else _address(video, page),
        data=base64.b64encode(video.read_bytes()).decode() if inside else "",
        kind=_TYPES.get(video.suffix.lower(), "video/mp4"),
        size=facts.size,
        duration_s=facts.duration_s,
        codec=facts.codec,
    )


def _address(video: Path, page: Path) -> str:
    try:
        return quote(Path(os.path.relpath(video.resolve(), page.resolve().parent)).as_posix())
    except ValueError:  # another drive of Windows
        return video.resolve().as_uri()
