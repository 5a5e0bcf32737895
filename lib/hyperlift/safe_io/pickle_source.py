"""Buffered reading of the bytes of a pickle; lengths are checked against the size of the file before allocation."""

import struct
from io import BufferedIOBase, BufferedReader
from typing import IO, Any

_WINDOW_BYTES = 2**16
"""Bytes per read. Chosen: large enough that the cost of a read is negligible, small enough for the cache of a CPU."""
SHORT_BYTES = 2**9
"""Lookahead in bytes: a short instruction (at most 260 bytes) never crosses the end of the window. Zeros follow the end
of the file."""


class PickleSource:
    """A file with a window of buffered bytes; short arguments come from the window, long ones from the file."""

    def __init__(self, file: IO[bytes] | BufferedIOBase, size: int) -> None:
        self._file, self.size = file, size
        self._end = 0  # end of the bytes of the file in the window
        self.window, self.pos, self.start = b"", 0, 0
        self.last = 0
        """Position up to which a short instruction is completely in the window."""

    def look_ahead(self) -> None:
        """Refill the window so that it begins at the current byte.

        Raises:
            EOFError: the file has ended.
        """
        more = self._file.read(_WINDOW_BYTES)
        data = self.window[self.pos : self._end] + more
        if not data or self.pos > self._end:
            raise EOFError
        self._move(data)
        self.last = len(data) - SHORT_BYTES if more else len(data)

    def take(self, count: int) -> bytes:
        """The next bytes.

        Raises:
            EOFError: there are fewer.
        """
        inside = self._end - self.pos
        if 0 <= count <= inside:
            self.pos += count
            return self.window[self.pos - count : self.pos]
        self.check(count)
        if isinstance(self._file, BufferedReader):
            # Reading the bytes of the window again avoids a copy of all bytes.
            self._file.seek(-inside, 1)
            data = self._file.read(count)
        else:
            data = self.window[self.pos : self._end] + self._file.read(count - inside)
        if len(data) != count:
            raise EOFError
        self._go_on_behind(count)
        return data

    def take_mutable(self, count: int) -> bytearray:
        """Like ``take``, but returns a bytearray, without an intermediate copy."""
        self.check(count)
        inside = min(self._end - self.pos, count)
        data = bytearray(count)
        data[:inside] = self.window[self.pos : self.pos + inside]
        if inside == count:
            self.pos += count
            return data
        if self._file.readinto(memoryview(data)[inside:]) != count - inside:  # pyright: ignore[reportAttributeAccessIssue]
            raise EOFError
        self._go_on_behind(count)
        return data

    def line(self) -> bytes:
        """The bytes up to the next line feed, which is consumed and not returned."""
        end = self.window.find(b"\n", self.pos, self._end)
        if end >= 0:
            line = self.window[self.pos : end]
            self.pos = end + 1
            return line
        data = self.window[self.pos : self._end] + self._file.readline()
        if not data.endswith(b"\n"):
            raise EOFError
        self._go_on_behind(len(data))
        return data[:-1]

    def number(self, form: struct.Struct) -> Any:
        """Unpack the next bytes."""
        return form.unpack(self.take(form.size))[0]

    def check(self, count: int) -> None:
        """Check that the file has this number of bytes left.

        Raises:
            EOFError: there are fewer.
        """
        if count < 0 or count > self.size - self.start - self.pos:
            raise EOFError

    def _go_on_behind(self, count: int) -> None:
        """Begin a new, empty window after bytes that were read directly from the file."""
        self.pos += count
        self._move(b"")
        self.last = 0

    def _move(self, data: bytes) -> None:
        self.start += self.pos
        self.window, self.pos, self._end = data + bytes(SHORT_BYTES), 0, len(data)
