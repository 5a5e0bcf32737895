"""The video of the recording for the page: embedded if it is small, otherwise as a separate file."""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hyperlift.body.person import Person
from hyperlift.errors import InputError, valid_unicode
from hyperlift.video.facts import VideoFacts

MAX_EMBEDDED_MB = 30.0
"""Largest file that is embedded. Chosen: pages stay small enough for mail and browsers."""
_TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm", ".mkv": "video/webm"}
_MAX_ASPECT_DEVIATION = 0.02
"""Accepted relative deviation of the aspect ratio. Chosen: copies have sizes rounded to even numbers."""
_DURATION_TOLERANCE_S = 0.5
"""Accepted deviation of the duration. Chosen: containers state it with an error of some frames."""
_PLAYED = {"h264", "vp8", "vp9", "av1"}
"""Codecs that nearly all browsers support."""


@dataclass(frozen=True)
class PageVideo:
    """The video of a page, embedded or as an address."""

    name: str
    address: str | None
    """URL relative to the page; None for an embedded video."""
    data: str
    """Base64 of an embedded file; otherwise empty."""
    kind: str
    """Media type."""
    size: tuple[int, int]
    """Width and height in pixels, upright."""
    duration_s: float
    codec: str

    @property
    def note(self) -> str | None:
        """Limitations for people who share the page; None without any."""
        notes = []
        if self.address is not None:
            notes.append(f"the video is too large to embed: keep {self.name} at its place relative to the page")
        if self.codec not in _PLAYED:
            notes.append(f"not every browser plays {self.codec} video; H.264 in an mp4 always works")
        return "; ".join(notes) or None


def page_video(video: Path, page: Path, max_embedded_mb: float) -> PageVideo:
    """Embed a video, or find its address relative to the page.

    Raises:
        InputError: the file is missing or not a video.
    """
    from hyperlift.video.reading import video_facts  # PyAV is slow to import

    facts = video_facts(video, allow_truncated=True)
    embed = video.stat().st_size <= max_embedded_mb * 1e6
    return PageVideo(
        name=valid_unicode(video.name),
        address=None if embed else _address(video, page),
        data=base64.b64encode(video.read_bytes()).decode() if embed else "",
        kind=_TYPES.get(video.suffix.lower(), "video/mp4"),
        size=facts.size,
        duration_s=facts.duration_s,
        codec=facts.codec,
    )


def check_recording(video: Path, facts: VideoFacts, people: Sequence[Person], meta: Mapping) -> str | None:
    """Check that a video can be the one that people were lifted from.

    A copy in another size is accepted. A video with another aspect ratio, or one that ends before the last pose, is
    another recording.

    Args:
        video: path of the video.
        facts: of the video.
        people: of a ``pose3d.npz``.
        meta: of the same file.

    Returns:
        A warning, or None.

    Raises:
        InputError: it is another recording.
    """
    remedy = "give the video that the people were lifted from"
    width, height = meta.get("video_size") or facts.size
    if abs(facts.width * height / (facts.height * width) - 1) > _MAX_ASPECT_DEVIATION:
        raise InputError(
            f"{video}: is {facts.width}x{facts.height}, but the people were lifted from {width}x{height}; {remedy}"
        )
    last_s = max(float(person.time_s[-1]) for person in people)
    if last_s > facts.duration_s + _DURATION_TOLERANCE_S:
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
    except ValueError:  # another drive on Windows
        return video.resolve().as_uri()
