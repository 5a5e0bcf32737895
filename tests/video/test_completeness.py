import struct
from pathlib import Path

import pytest

from hyperlift.video.completeness import Extent, file_extent


def box(kind: bytes, content: bytes, announced: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(content) if announced is None else announced) + kind + content


def extent_of(tmp_path: Path, content: bytes) -> Extent | None:
    (tmp_path / "f").write_bytes(content)
    return file_extent(tmp_path / "f")


def test_mp4_boxes(tmp_path: Path):
    whole = box(b"ftyp", b"isom") + box(b"moov", bytes(20)) + box(b"mdat", bytes(100))
    assert extent_of(tmp_path, whole) == Extent(148, 148)
    cut = extent_of(tmp_path, whole[:-30])
    assert cut == Extent(118, 148)
    assert cut.truncated
    assert not cut.index_missing


def test_mp4_box_larger_than_32_bits_can_say(tmp_path: Path):
    wide = struct.pack(">I4sQ", 1, b"mdat", 5_000_000_000)
    assert extent_of(tmp_path, box(b"ftyp", b"isom") + wide + bytes(100)) == Extent(128, 5_000_000_012, True)


def test_mp4_box_to_the_end_of_the_file(tmp_path: Path):
    content = box(b"ftyp", b"isom") + box(b"moov", b"") + box(b"mdat", bytes(50), announced=0)
    extent = extent_of(tmp_path, content)
    assert extent is not None
    assert not extent.truncated


def test_mp4_without_its_index(tmp_path: Path):
    extent = extent_of(tmp_path, box(b"ftyp", b"isom") + box(b"mdat", bytes(50)))
    assert extent is not None
    assert extent.index_missing


@pytest.mark.parametrize(
    "content", [struct.pack(">I4s", 8, b"free") * 300_000, struct.pack("<4sI", b"RIFF", 0) * 300_000]
)
def test_a_file_of_nothing_but_headers_is_not_walked_to_its_end(tmp_path: Path, content: bytes):
    extent = extent_of(tmp_path, content)
    assert extent is not None
    assert extent.stated <= extent.size


def test_avi(tmp_path: Path):
    riff = b"RIFF" + struct.pack("<I", 44) + b"AVI " + bytes(40)
    assert extent_of(tmp_path, riff + riff) == Extent(104, 104)
    assert extent_of(tmp_path, riff + riff[:-20]) == Extent(84, 104)


@pytest.mark.parametrize(("size", "announced"), [(b"\x94", 7 + 4 + 1 + 20), (b"\x10\x00\x00\x14", 7 + 4 + 4 + 20)])
def test_matroska(tmp_path: Path, size: bytes, announced: int):
    """RFC 8794: the leading zero bits of a size count its further bytes."""
    head = b"\x1a\x45\xdf\xa3\x82\x00\x00" + b"\x18\x53\x80\x67" + size
    assert extent_of(tmp_path, head + bytes(20)) == Extent(announced, announced)
    assert extent_of(tmp_path, head + bytes(5)) == Extent(announced - 15, announced)


def test_live_matroska_and_other_files_do_not_say(tmp_path: Path):
    assert extent_of(tmp_path, b"\x1a\x45\xdf\xa3\x82\x00\x00\x18\x53\x80\x67\x01" + b"\xff" * 7 + bytes(9)) is None
    assert extent_of(tmp_path, b"G" + bytes(187)) is None
