"""Streaming reader of JSON files: one entry of a list is in memory at a time.

The decoder of the standard library decodes one value from a text and returns its end, so a list is read through a
window that moves over the file. ``docs/benchmarks.md`` compares this with other libraries.
"""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from hyperlift.errors import InputError, one_line

_CHUNK = 1 << 20
"""Bytes per read. Chosen: 1 MB is small in memory, and the cost per read is negligible."""
_LARGEST_ENTRY = 1 << 24
"""Maximal characters of one entry of a list. Chosen: the people of one frame need less than 16 MB."""
_NEAR_THE_END = 32
"""Syntax errors within this many characters of the end of the window may be caused by the cut. Chosen: longer than any
JSON literal or number."""
_decode = json.JSONDecoder().raw_decode
_numeral = re.compile(r"[-+.0-9eE]*").match
_space = re.compile(r"[ \t\n\r]*").match


class JsonList:
    """A list in a file, decoded entry by entry in every iteration."""

    def __init__(self, path: Path, offset: int, to_end: bool) -> None:
        """Do not read yet.

        Args:
            path: the file.
            offset: position of the opening bracket in bytes.
            to_end: True if nothing may follow the list.
        """
        self._path, self._offset, self._to_end = path, offset, to_end

    def __iter__(self) -> Iterator[object]:
        """Decode the entries.

        Raises:
            InputError: the file cannot be read, or the list is not valid JSON.
        """
        with _opened(self._path) as file:
            window = _Window(self._path, file, self._offset)
            yield from window.entries()
            if self._to_end:
                window.check_end()

    def __bool__(self) -> bool:
        return next(iter(self), self) is not self

    def head(self, count: int) -> list:
        """The first entries."""
        return [entry for entry, _ in zip(self, range(count), strict=False)]


def is_list(value: object) -> bool:
    """Whether a value is a list, in memory or in a file."""
    return isinstance(value, list | JsonList)


def read_json(path: Path) -> object:
    """Read a JSON file; a list, or the lists in an object, become ``JsonList``.

    Raises:
        InputError: the file cannot be read or is not JSON. Errors within a list are raised when it is iterated.
    """
    with _opened(path) as file:
        window = _Window(path, file, None)
        first = window.peek()
        if first == "[":
            return JsonList(path, window.offset, to_end=True)
        value = window.members() if first == "{" else window.value()
        window.check_end()
    return value


def load_json(path: Path) -> object:
    """Parse a small JSON file as a whole.

    Raises:
        InputError: the file cannot be read, is not JSON, or is larger than 16 MB.
    """
    with _opened(path) as file:
        window = _Window(path, file, None)
        value = window.value()
        window.check_end()
    return value


def parse_json(text: str, where: str) -> object:
    """Parse a JSON text that a file contains.

    Raises:
        InputError: the text is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_json(where, _reason(error)) from error


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def _no_json(where: object, reason: str) -> InputError:
    return InputError(f"{where}: is not valid JSON ({reason}); export the keypoints again")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    return one_line(error.msg if isinstance(error, json.JSONDecodeError) else str(error))


class _Window:
    """The part of a file that is in memory, with a position."""

    def __init__(self, path: Path, file: BinaryIO, offset: int | None) -> None:
        self._path, self._file = path, file
        start = self._read(4)
        self._encoding, mark = _encoding_of(start)
        self._base = mark if offset is None else offset
        """Offset of the window in the file, in bytes."""
        file.seek(self._base)
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        self._text, self._at = "", 0
        self._more()

    @property
    def offset(self) -> int:
        """Offset of the position in the file, in bytes."""
        return self._base + len(self._text[: self._at].encode(self._encoding))

    def peek(self) -> str:
        """Skip white space and return the next character; empty at the end of the file."""
        while True:
            self._at = _space(self._text, self._at).end()  # type: ignore[union-attr]  # matches the empty text too
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Consume the next character, which must be ``wanted``."""
        found = self.peek()
        if found != wanted:
            raise self._error(f"expected {wanted}, found {found or 'the end of the file'}")
        self._at += 1

    def value(self) -> object:
        """Decode the next value."""
        self.peek()
        while True:
            try:
                value, end = _decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _NEAR_THE_END
                if not (cut and self._more()):
                    raise self._error(_reason(error)) from error
            except (ValueError, RecursionError) as error:  # integers of thousands of digits; deep nesting
                raise self._error(_reason(error)) from error
            else:
                # A number may continue after the window: "2." would be decoded as 2.
                may_go_on = self._text[end - 1] not in '"]}' and _numeral(self._text, end).end() == len(self._text)  # type: ignore[union-attr]
                if not (may_go_on and self._more()):
                    self._at = end
                    return value

    def entries(self) -> Iterator[object]:
        """Decode the entries of the next list."""
        self.take("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                self._at += 1
                return
            self.take(",")

    def members(self) -> dict[str, object]:
        """Decode the next object, with lists as ``JsonList``; the last of duplicate keys is used."""
        found: dict[str, object] = {}
        self.take("{")
        if self.peek() == "}":
            self._at += 1
            return found
        while True:
            key = self.value() if self.peek() == '"' else None
            if not isinstance(key, str):
                raise self._error("expected a name in double quotes")
            self.take(":")
            if self.peek() == "[":
                found[key] = JsonList(self._path, self.offset, to_end=False)
                for _ in self.entries():
                    pass
            else:
                found[key] = self.value()
            if self.peek() == "}":
                self._at += 1
                return found
            self.take(",")

    def check_end(self) -> None:
        """Check that only white space follows."""
        if self.peek():
            raise self._error("something follows its end")

    def _more(self) -> bool:
        """Discard the text before the position and read more; False at the end of the file."""
        rest = self._text[self._at :]
        if len(rest) > _LARGEST_ENTRY:
            raise self._error(f"one entry is longer than {_LARGEST_ENTRY} characters")
        self._base = self.offset
        self._text, self._at = rest, 0
        # If one value is longer than the window, its decoding restarts: doubling keeps the total time linear.
        chunk = self._read(max(_CHUNK, 2 * len(rest)))
        try:
            self._text += self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise self._error(one_line(str(error))) from error
        return bool(chunk)

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise InputError(f"{self._path}: cannot be read ({error.strerror}); check the path") from error

    def _error(self, reason: str) -> InputError:
        return _no_json(self._path, f"{reason}, at byte {self.offset}")


def _encoding_of(start: bytes) -> tuple[str, int]:
    """The encoding of a file from its first bytes, and the length of its byte order mark."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is its prefix
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if start.startswith(mark):
            return encoding, len(mark)
    return json.detect_encoding(start), 0
