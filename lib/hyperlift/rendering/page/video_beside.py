"""The recording's video for the page: inside it where it is small, else as a file beside it."""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hyperlift.body.person import Person
from hyperlift.errors import InputError, valid_unicode
from hyperlift.video.facts import VideoFacts

LARGEST_INSIDE_MB = 30.0
_TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm", ".mkv": "video/webm"}
_SAME_SHAPE = 0.02
"""Share by which width over height may differ: copies are rounded to even sizes."""
_LATE_S = 0.5
"""Files end a little before or after their last frame."""
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
    from hyperlift.video.reading import video_facts  # PyAV takes long to import: a page without video does not wait

    facts = video_facts(video, allow_truncated=True)
    inside = video.stat().st_size <= largest_inside_mb * 1e6
    return VideoBeside(
        name=valid_unicode(video.name),
        address=None if inside else _address(video, page),
        data=base64.b64encode(video.read_bytes()).decode() if inside else "",
        kind=_TYPES.get(video.suffix.lower(), "video/mp4"),
        size=facts.size,
        duration_s=facts.duration_s,
        codec=facts.codec,
    )


def check_recording(video: Path, facts: VideoFacts, people: Sequence[Person], meta: Mapping) -> str | None:
    """Refuse a video that cannot be the one that people were lifted from.

    A copy in another size is welcome; what has another shape, or ends while people are still there, is another
    recording.

    Args:
        video: as somebody named it.
        facts: of the video.
        people: of a ``pose3d.npz``.
        meta: of the same file.

    Returns:
        What speaks against it without ruling it out, or None.

    Raises:
        InputError: it is another recording.
    """
    remedy = "give the video that the people were lifted from"
    width, height = meta.get("video_size") or facts.size
    if abs(facts.width * height / (facts.height * width) - 1) > _SAME_SHAPE:
        raise InputError(
            f"{video}: is {facts.width}x{facts.height}, but the people were lifted from {width}x{height}; {remedy}"
        )
    last_s = max(float(person.time_s[-1]) for person in people)
    if last_s > facts.duration_s + _LATE_S:
        raise InputError(
            f"{video}: lasts {facts.duration_s:.1f} s, but there are people up to {last_s:.1f} s; {remedy}"
        )
    source = str(meta.get("source", ""))
    if Path(source).suffix.lower() in _TYPES and source != valid_unicode(video.name):
        return f"the people were lifted from {source}, and {valid_unicode(video.name)} is shown beside them"
    return None


def _address(video: Path, page: Path) -> str:
    try:
        return quote(os.fsencode(Path(os.path.relpath(video.resolve(), page.resolve().parent)).as_posix()))
    except ValueError:  # another drive of Windows
        return video.resolve().as_uri()
