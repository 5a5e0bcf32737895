"""The bytes of a pickle: arguments of instructions, never more than the file holds."""

import struct
from io import BufferedIOBase, BufferedReader
from typing import IO, Any

_WINDOW_BYTES = 2**16
SHORT_BYTES = 2**9
"""So many bytes lie ahead in the window when an instruction begins, zeros behind the file's end."""


class PickleSource:
    """A file, read through a window: short pieces from there, long ones past it once they are known to exist."""

    def __init__(self, file: IO[bytes] | BufferedIOBase, size: int) -> None:
        self._file, self.size = file, size
        self._end = 0  # of the file's bytes in the window
        self.window, self.pos, self.start = b"", 0, 0
        self.last = 0
        """Up to here a short instruction lies in the window whole."""

    def look_ahead(self) -> None:
        """Move the window on, to begin at the current byte.

        Raises:
            EOFError: there is none.
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
            # What lies in the window is read once more, because putting the two together would copy all.
            self._file.seek(-inside, 1)
            data = self._file.read(count)
        else:
            data = self.window[self.pos : self._end] + self._file.read(count - inside)
        if len(data) != count:
            raise EOFError
        self._go_on_behind(count)
        return data

    def take_mutable(self, count: int) -> bytearray:
        """``take``, into bytes that can be changed and were never anything else."""
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
        """The next bytes up to a line feed, without it."""
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
        """The next bytes as a number."""
        return form.unpack(self.take(form.size))[0]

    def check(self, count: int) -> None:
        """Whether the file still holds so many bytes.

        Raises:
            EOFError: it does not.
        """
        if count < 0 or count > self.size - self.start - self.pos:
            raise EOFError

    def _go_on_behind(self, count: int) -> None:
        """Begin a new window behind bytes that were read past this one."""
        self.pos += count
        self._move(b"")
        self.last = 0

    def _move(self, data: bytes) -> None:
        self.start += self.pos
        self.window, self.pos, self._end = data + bytes(SHORT_BYTES), 0, len(data)
