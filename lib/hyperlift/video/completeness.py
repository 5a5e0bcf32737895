"""Detection of truncated video files: the container's stated length is compared with the size of the file.

Supported containers are mp4 and mov (ISO/IEC 14496-12), avi (RIFF), and Matroska and WebM (EBML, RFC 8794).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_ISO_FIRST = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot"}
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_HEADER_BYTES = 16
"""Size of a box header with a 64-bit size (ISO/IEC 14496-12)."""
_MAX_BOXES = 100_000
"""Limit of top-level boxes. Chosen: a fragmented mp4 of a day, with a fragment per second, has fewer."""


@dataclass(frozen=True)
class Extent:
    """Size of a file in bytes, and the size that its container states."""

    size: int
    stated: int
    index_missing: bool = False
    """Whether an mp4 lacks its index (moov), without which it cannot be read."""

    @property
    def truncated(self) -> bool:
        """Whether the end is missing."""
        return self.size < self.stated


def file_extent(path: Path) -> Extent | None:
    """Size and stated size of a file; None if the container states none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
        if head[4:8] in _ISO_FIRST:
            return _iso_extent(file, size)
        if head[:4] == b"RIFF":
            return Extent(size, _riff_end(file, size))
        if head[:4] == _EBML:
            end = _matroska_end(file)
            return None if end is None else Extent(size, end)
    return None


def _iso_extent(file: BinaryIO, file_size: int) -> Extent:
    """Walk the top-level boxes, each of which starts with its size and type."""
    start, kinds = 0, set()
    for _ in range(_MAX_BOXES):
        if start >= file_size:
            break
        file.seek(start)
        head = file.read(_HEADER_BYTES)
        if len(head) < 8:
            # A truncated box header, or padding.
            return Extent(file_size, file_size + (8 - len(head)), b"moov" not in kinds)
        size, kind = int.from_bytes(head[:4]), head[4:8]
        kinds.add(kind)
        if size == 1:  # a 64-bit size follows the type
            size = int.from_bytes(head[8:16])
        if size == 0:  # the box extends to the end of the file
            start = file_size
        elif size < 8:
            break
        else:
            start += size
    return Extent(file_size, start, b"moov" not in kinds)


def _riff_end(file: BinaryIO, file_size: int) -> int:
    """The end of the last RIFF chunk; long avi files have several."""
    start = 0
    for _ in range(_MAX_BOXES):
        if start >= file_size:
            break
        file.seek(start)
        head = file.read(8)
        if len(head) < 8 or head[:4] != b"RIFF":
            break
        size = int.from_bytes(head[4:], "little")
        start += 8 + size + size % 2
    # The padding byte of an odd chunk can be missing at the end.
    return start if start - file_size > 1 else file_size


def _matroska_end(file: BinaryIO) -> int | None:
    """The end of the segment; None if its size is unknown, as in live recordings."""
    file.seek(len(_EBML))
    header = _ebml_size(file)
    if header is None:
        return None
    file.seek(header, 1)
    if file.read(len(_SEGMENT)) != _SEGMENT:
        return None
    size = _ebml_size(file)
    return None if size is None else file.tell() + size


def _ebml_size(file: BinaryIO) -> int | None:
    """A variable-length integer, whose leading zero bits count the following bytes; None for "unknown" (all ones)."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    further = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> further)]) + file.read(further))
    return None if value == (1 << 7 * (further + 1)) - 1 else value
