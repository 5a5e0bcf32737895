"""Damage to archives and containers: npy and npz, safetensors, boxes of an mp4."""

import io
import random
import struct
import zipfile
import zlib
from functools import cache

from fuzz.mutators import MOST_BYTES, damaged_bytes, damaged_json

_MAGIC = b"\x93NUMPY"
_DTYPES = (
    *("|O", "<U1000000000", "<U3", "|S0", "|V8", "<f8", "<f2", "<i1", ">i8", "<c16", "|b1", "<M8[ns]", "<m8", "x", ""),
    "[('a', '<f8'), ('b', '|O')]",
)
_SHAPES = (
    *("()", "(0,)", "(1,)", "(-1,)", "(1000000000000,)", "(3, 1000000000)", "(1.5,)", "('x',)", "(None,)", "3"),
    *("[2, 2]",),
    *("(" + "1, " * 40 + ")", "(" + "9" * 400 + ",)", "(" + "9" * 5000 + ",)", "(0, 1000000000000)", "(2, 2"),
    *("(2, 17, 3)",),
)
_NAMES = (b"\xff\xfe.npy", b"../up.npy", b"/etc/x.npy", b"x", b"", b"\x80" * 300, b"a\nb.npy", b"meta.npy", b"x.npy\0y")


def damaged_npy(content: bytes, rng: random.Random) -> bytes:
    """The header of one array says other things, or its bytes are damaged."""
    if rng.random() < 0.35 or not content.startswith(_MAGIC) or len(content) < 10:
        return damaged_bytes(content, rng)
    length = int.from_bytes(content[8:10], "little")
    header, data = content[10 : 10 + length].decode("latin-1"), content[10 + length :]
    kind = rng.randrange(7)
    if kind == 0:
        header = _with(header, "'descr': ", rng.choice(_DTYPES), quote=True)
    elif kind <= 2:
        header = _with(header, "'shape': ", rng.choice(_SHAPES), quote=False)
    elif kind == 3:
        header = header.replace("False", rng.choice(("True", "None", "'x'", "1")), 1)
    elif kind == 4:
        header = rng.choice(
            ("", "{", "{}", "[" * 500, "(" * 5000, "{'descr': 1}", "1" * 300, "__import__('os')", "\xff")
        )
    elif kind == 5:
        data = data[: rng.randrange(len(data) + 1)] if rng.random() < 0.5 else damaged_bytes(data, rng)
    else:
        return _MAGIC + rng.randbytes(2) + content[8:]
    encoded = header.encode("latin-1")[:60_000]
    return content[:8] + len(encoded).to_bytes(2, "little") + encoded + data


def _with(header: str, key: str, value: str, quote: bool) -> str:
    before, found, after = header.partition(key)
    end = after.find("), ") + 1 if after.startswith("(") else after.find(",")
    return (
        header
        if not found
        else f"{before}{key}{repr(value) if quote and not value.startswith('[') else value}{after[end:]}"
    )


def damaged_npz(content: bytes, rng: random.Random) -> bytes:
    """Members damaged, renamed, missing, twice, or claiming other sizes than they have."""
    if rng.random() < 0.3:
        return damaged_bytes(content, rng)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name.encode(), archive.read(name)) for name in archive.namelist()]
    at = rng.randrange(len(members))
    name, data = members[at]
    kind = rng.randrange(9)
    if kind <= 3:
        members[at] = name, damaged_npy(data, rng)
    elif kind == 4:
        members[at] = rng.choice(_NAMES), data
    elif kind == 5:
        del members[at]
    elif kind == 6:
        members.append((rng.choice((name, b"stranger.npy")), data))
    elif kind == 7:
        members[at] = name, rng.choice((b"", _MAGIC, b"\x80\x04.", data[8:], rng.randbytes(100)))
    else:
        return _with_bomb(name, members)
    lie = rng.choice(("size", "crc", "method", "flags", *(["none"] * 8)))
    return _zip(members, lie, rng)


def _with_bomb(name: bytes, members: list[tuple[bytes, bytes]]) -> bytes:
    """A member of 1.5 GB of zeros, with the header of an array of so many numbers."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, data in members:
            if other != name:
                archive.writestr(other.decode("latin-1"), data)
    base = bytearray(out.getvalue())
    # Appended by hand: writing 1.5 GB through a compressor takes seconds.
    return _append_raw(base, name, *_bomb())


@cache
def _bomb() -> tuple[bytes, int, int]:
    """Deflated bytes, their length when inflated, and the checksum (not right: it is looked at last)."""
    count = 1_500_000_000
    header = f"{{'descr': '|i1', 'fortran_order': False, 'shape': ({count},), }}".ljust(117).encode() + b"\n"
    head = _MAGIC + b"\1\0" + len(header).to_bytes(2, "little") + header
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    block = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = block.compress(bytes(15_000_000)) + block.flush(zlib.Z_FULL_FLUSH)
    return packed + zeros * 100 + b"\x03\x00", len(head) + count, 0


def _append_raw(base: bytearray, name: bytes, packed: bytes, size: int, crc: int) -> bytes:
    end = base.rfind(b"PK\x05\x06")
    entries, length, start = struct.unpack("<HLL", base[end + 10 : end + 20])
    central = bytes(base[start : start + length])
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0x21, crc, len(packed), size, len(name), 0) + name + packed
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0x21, crc, len(packed), size, len(name), 0, 0, 0, 0, 0, start
    )
    central += entry + name
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries + 1, entries + 1, len(central), start + len(local), 0)
    return bytes(base[:start]) + local + central + tail


def _zip(members: list[tuple[bytes, bytes]], lie: str, rng: random.Random) -> bytes:
    base = bytearray(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0))
    for name, data in members:
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        size = rng.choice((0, 2**31, 2**32 - 2)) if lie == "size" else len(data)
        base = bytearray(_append_raw(base, name, packed, size, 1 if lie == "crc" else zlib.crc32(data)))
    content = bytes(base)
    if lie in ("method", "flags"):
        at = 8 if lie == "method" else 6
        local, central = content.rfind(b"PK\3\4"), content.rfind(b"PK\1\2")
        value = struct.pack("<H", rng.choice((1, 9, 12, 14, 99, 0xFFFF)))
        content = (
            content[: local + at]
            + value
            + content[local + at + 2 : central + at + 2]
            + value
            + content[central + at + 4 :]
        )
    return content


def damaged_safetensors(content: bytes, rng: random.Random) -> bytes:
    """The JSON header damaged and its length kept right, or any bytes."""
    length = int.from_bytes(content[:8], "little")
    if rng.random() < 0.3 or length > len(content):
        return damaged_bytes(content, rng)
    header = damaged_json(content[8 : 8 + length], rng)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def damaged_boxes(content: bytes, rng: random.Random) -> bytes:
    """Boxes of an mp4 (ISO/IEC 14496-12) renamed, resized, repeated or taken out, at any depth; or any bytes."""
    if rng.random() < 0.4:
        return damaged_bytes(content, rng)
    start, size = rng.choice(_boxes(content, 0, len(content)))
    box = content[start : start + size]
    kind = rng.randrange(5)
    if kind == 0:
        box = rng.choice((0, 1, 7, 8, size - 1, size + 1, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(4, "big") + box[4:]
    elif kind == 1:
        box = box[:4] + rng.choice((b"free", b"moov", b"stsd", b"\0\0\0\0", b"trak", rng.randbytes(4))) + box[8:]
    elif kind == 2:
        box = b""
    elif kind == 3:
        box = box * 2
    else:
        box = box[:8] + damaged_bytes(box[8:], rng)
    return (content[:start] + box + content[start + size :])[:MOST_BYTES]


def _boxes(content: bytes, start: int, end: int) -> list[tuple[int, int]]:
    found = []
    while start + 8 <= end:
        size, kind = int.from_bytes(content[start : start + 4], "big"), content[start + 4 : start + 8]
        if not 8 <= size <= end - start:
            break
        found.append((start, size))
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta"):
            found += _boxes(content, start + 8, start + size)
        start += size
    return found or [(0, len(content))]
