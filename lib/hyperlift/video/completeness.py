"""How many bytes a file should have by its own account: a copy or a download that broke off has fewer.

Only containers that state their own length can be asked: mp4 and mov (ISO/IEC 14496-12), avi (RIFF), and Matroska and
WebM (EBML, RFC 8794).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_ISO_FIRST = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot"}
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_HEADER_BYTES = 16
_MAX_BOXES = 100_000
"""Outermost parts that are looked at; a fragmented film of a day has fewer."""


@dataclass(frozen=True)
class Extent:
    """Bytes in a file, and bytes that it announces."""

    there: int
    announced: int
    index_missing: bool = False
    """An mp4 without the index that says where its frames are; nothing in it can be read."""

    @property
    def cut(self) -> bool:
        """Whether the end is missing."""
        return self.there < self.announced


def file_extent(path: Path) -> Extent | None:
    """Compare a file's length with what its container announces; None where the container does not say."""
    there = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
        if head[4:8] in _ISO_FIRST:
            return _iso_extent(file, there)
        if head[:4] == b"RIFF":
            return Extent(there, _riff_end(file, there))
        if head[:4] == _EBML:
            end = _matroska_end(file)
            return None if end is None else Extent(there, end)
    return None


def _iso_extent(file: BinaryIO, there: int) -> Extent:
    """Walk the outermost boxes: each begins with its size and type."""
    start, kinds = 0, set()
    for _ in range(_MAX_BOXES):
        if start >= there:
            break
        file.seek(start)
        head = file.read(_HEADER_BYTES)
        if len(head) < 8:
            # A stub of a box header, or padding: nothing of the film is in it.
            return Extent(there, there + (8 - len(head)), b"moov" not in kinds)
        size, kind = int.from_bytes(head[:4]), head[4:8]
        kinds.add(kind)
        if size == 1:  # the size did not fit into 32 bits and stands behind the type
            size = int.from_bytes(head[8:16])
        if size == 0:  # "to the end of the file"
            start = there
        elif size < 8:
            break
        else:
            start += size
    return Extent(there, start, b"moov" not in kinds)


def _riff_end(file: BinaryIO, there: int) -> int:
    """Long avi files are several RIFF chunks in a row."""
    start = 0
    for _ in range(_MAX_BOXES):
        if start >= there:
            break
        file.seek(start)
        head = file.read(8)
        if len(head) < 8 or head[:4] != b"RIFF":
            break
        size = int.from_bytes(head[4:], "little")
        start += 8 + size + size % 2
    # The byte that pads an odd chunk may be left out at the end.
    return start if start - there > 1 else there


def _matroska_end(file: BinaryIO) -> int | None:
    """The end of the segment; a live recording leaves its size open."""
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
    """A number whose leading zero bits count its further bytes; all ones mean "unknown"."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    further = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> further)]) + file.read(further))
    return None if value == (1 << 7 * (further + 1)) - 1 else value
