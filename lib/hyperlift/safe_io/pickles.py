"""Read untrusted pickles of arrays, numbers, strings and plain containers without executing code.

A pickle is a program for a stack machine. Python's implementation can call any function; this one implements only the
opcodes of plain data, imports nothing, and rejects every other opcode.
"""

import pickletools
import re
import struct
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any

from hyperlift.errors import InputError, quoted
from hyperlift.readers import reader
from hyperlift.safe_io.pickle_arrays import Unfinished, call, resolve
from hyperlift.safe_io.pickle_source import PickleSource
from hyperlift.safe_io.plain_values import MOST_BITS, NotPlain, check_keys, check_plain

_OPCODES = {ord(opcode.code): opcode.name for opcode in pickletools.opcodes}
_KNOWN_TEXTS = 2**14
"""Strings that are interned per opcode. Chosen: more than the dictionary keys of any file format."""
_CONTAINERS, _BYTES_A_CONTAINER = 1000, 2
"""Maximal number of containers: 1000, plus one per two bytes of the file. Reason: the opcode of an empty set is one
byte, and the set takes 216 bytes in memory."""
_USED, _USED_A_BYTE = 2**22, 4
"""Maximal total length of the arguments of calls and states: 4 M, plus four per byte of the file. Reason: the memo can
pass the same large argument any number of times, and each call may copy it."""
_MOST_MARKS = 1000
"""Maximal number of open MARKs. Chosen: far above ``MOST_LEVELS``, the depth of a finished value."""
_COPIED = (str, bytes, bytearray, list, tuple)
_NOTHING = object()
_HIGHEST_PROTOCOL = 5
"""The latest pickle protocol (PEP 574)."""
_U1, _U2, _U4, _U8, _I4, _F8 = map(struct.Struct, ("<B", "<H", "<I", "<Q", "<i", ">d"))
_DECIMAL = re.compile(rb"[-+]?[0-9]{1,80}")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {b"\\": b"\\", b"'": b"'", b'"': b'"', b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_REMEDY = "only NumPy arrays, numbers, strings and plain containers are read. Do not trust this file"


@reader("pickle")
def load_pickle(path: Path | str) -> Any:
    """Read a pickle of NumPy arrays, numbers, strings, lists, tuples, dicts and sets (protocols 0 to 5).

    Files written by Python 2 and 3, and by NumPy 1 and 2, are supported; byte strings of Python 2 are decoded as
    latin-1. An OrderedDict becomes a dict; arrays are read-only. Nothing that a pickle names is imported or called.

    Raises:
        InputError: the file is absent, damaged or not a pickle, or it contains anything but plain data.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return unpickle(file, path.stat().st_size, str(path))
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; check the path") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def unpickle(file: IO[bytes] | BufferedIOBase, size: int, where: str) -> Any:
    """Read plain data from an open file; see ``load_pickle``.

    Args:
        file: positioned at the first byte of the pickle.
        size: bytes from there to the end of the file.
        where: the file, for messages.

    Raises:
        InputError: the pickle is damaged, or contains anything but plain data.
    """
    machine = _Machine(PickleSource(file, size))
    try:
        value = machine.run()
        check_plain(value, size)
        return value
    except NotPlain as error:
        raise InputError(f"{where}: {machine.place()}: {error}; {_REMEDY}") from error
    except (IndexError, EOFError, ValueError, TypeError, OverflowError, struct.error) as error:
        fault = "lacks what it needs" if isinstance(error, IndexError | EOFError) else "has a damaged argument"
        raise InputError(f"{where}: damaged or no pickle: {machine.place()} {fault}; copy or make it again") from error


class _Machine:
    """The stack machine of one pickle. ``stack`` holds the values since the last MARK, ``below`` the stacks before
    it."""

    def __init__(self, source: PickleSource) -> None:
        self.source = source
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: list[Any] = []
        self.sparse_memo: dict[int, Any] = {}
        self.containers = _CONTAINERS + source.size // _BYTES_A_CONTAINER
        self.usable = _USED + _USED_A_BYTE * source.size
        self.at, self.code = 0, ord("\x80")

    def place(self) -> str:
        """The current opcode and its position, for messages."""
        return f"{_OPCODES.get(self.code, f'0x{self.code:02x} (no instruction)')} at byte {self.at:,}"

    def run(self) -> Any:
        """Execute all opcodes up to STOP; return the result."""
        source, memo, stack = self.source, self.memo, self.stack
        window, pos, last, integer = source.window, source.pos, source.last, int.from_bytes
        texts: dict[int, dict[bytes, str]] = {code: {} for code in _TEXTS}
        while True:
            while pos >= last:
                source.pos = pos
                source.look_ahead()
                window, pos, last = source.window, source.pos, source.last
            code = window[pos]
            # Fast path for the common forms of the opcodes that dominate large files; _TABLE implements all forms.
            if code in texts and (code != _BINUNICODE or window[pos + 2 : pos + 5] == b"\0\0\0"):
                start = pos + (5 if code == _BINUNICODE else 2)
                end = start + window[pos + 1]
                text = texts[code].get(window[start:end])
                if text is None:
                    self.at, self.code = source.start + pos, code
                    text = _TEXTS[code](window[start:end])
                    if len(texts[code]) < _KNOWN_TEXTS:
                        texts[code][window[start:end]] = text
                stack.append(text)
                pos = end
            elif code == _MEMOIZE and stack:
                memo.append(stack[-1])
                pos += 1
            elif code == _LONG_BINPUT and stack and integer(window[pos + 1 : pos + 5], "little") == len(memo):
                memo.append(stack[-1])
                pos += 5
            elif code == _LONG_BINGET and type(value := _at(memo, integer(window[pos + 1 : pos + 5], "little"))) is str:
                stack.append(value)
                pos += 5
            elif code == _BINGET and type(value := _at(memo, window[pos + 1])) is str:
                stack.append(value)
                pos += 2
            else:
                self.at, self.code, source.pos = source.start + pos, code, pos + 1
                if code == _STOP:
                    return self.result()
                _TABLE.get(code, _refuse)(self)
                stack, window, pos, last = self.stack, source.window, source.pos, source.last

    def result(self) -> Any:
        """The only value on the stack after STOP."""
        if self.below or len(self.stack) != 1:
            raise IndexError
        return self.stack[0]

    def push(self, value: Any) -> None:
        """Push a value."""
        self.stack.append(value)

    def push_new(self, container: Any) -> None:
        """Push a container and check the limit of containers."""
        self.containers -= 1
        if self.containers < 0:
            raise NotPlain("more containers than a file of this size may have")
        self.stack.append(container)

    def push_integer(self, value: int) -> None:
        """Push an integer of variable length and check its size."""
        if value.bit_length() > MOST_BITS:
            raise NotPlain(f"an integer of {value.bit_length():,} bits; the limit is {MOST_BITS}")
        self.stack.append(value)

    def popped(self, count: int) -> tuple[Any, ...]:
        """Pop several values."""
        if len(self.stack) < count:
            raise IndexError
        values = tuple(self.stack[-count:])
        del self.stack[-count:]
        return values

    def since_mark(self) -> list[Any]:
        """Pop all values since the last MARK, and the MARK."""
        values, self.stack = self.stack, self.below.pop()
        return values

    def top(self, kind: type) -> Any:
        """The top value, which must be a container of this type."""
        if type(self.stack[-1]) is not kind:
            raise NotPlain(f"parts of a {kind.__name__} that go into something else")
        return self.stack[-1]

    def mark(self) -> None:
        """MARK."""
        if len(self.below) == _MOST_MARKS:
            raise NotPlain(f"more than {_MOST_MARKS} containers begun and not ended")
        self.below.append(self.stack)
        self.stack = []

    def append(self, values: list[Any]) -> None:
        """APPEND, APPENDS."""
        self.top(list).extend(values)

    def set_items(self, values: list[Any]) -> None:
        """SETITEM, SETITEMS."""
        held, keys = self.top(dict), values[::2]
        if len(values) % 2:
            raise IndexError
        check_keys(keys, held)
        held.update(zip(keys, values[1::2], strict=True))

    def add_items(self, values: list[Any]) -> None:
        """ADDITEMS."""
        held = self.top(set)
        check_keys(values, held)
        held.update(values)

    def make_dict(self) -> None:
        """DICT."""
        values = self.since_mark()
        self.push_new({})
        self.set_items(values)

    def make_frozenset(self) -> None:
        """FROZENSET."""
        values = self.since_mark()
        check_keys(values, ())
        self.push_new(frozenset(values))

    def put(self, index: int) -> None:
        """PUT, BINPUT, LONG_BINPUT, MEMOIZE: store the top value in the memo."""
        value, count = self.stack[-1], len(self.memo)
        if index == count + 1:
            self.memo.append(_NOTHING)  # Python 2 counts from 1
            count += 1
        if index == count:
            self.memo.append(value)
        elif 0 <= index < count:
            self.memo[index] = value
        elif index <= self.source.size:  # a pickle cannot store more values than it has bytes
            self.sparse_memo[index] = value
        else:
            raise NotPlain(f"place {index:,} of the memo in a file of {self.source.size:,} bytes")

    def get(self, index: int) -> None:
        """GET, BINGET, LONG_BINGET: push a value from the memo."""
        value = self.memo[index] if 0 <= index < len(self.memo) else self.sparse_memo.get(index, _NOTHING)
        if value is _NOTHING:
            raise IndexError
        self.stack.append(value if type(value) is not Unfinished or value.value is None else value.value)

    def use(self, arguments: Any) -> None:
        """Count the length of the arguments of a call or state towards the limit."""
        if type(arguments) is tuple:
            self.usable -= sum(len(part) for part in arguments if type(part) in _COPIED)
        if self.usable < 0:
            raise NotPlain("calls and states that are given more than a file of this size may hold")

    def reduce(self) -> None:
        """REDUCE: evaluate a call."""
        self.use(self.stack[-1])
        self.push_new(call(*self.popped(2)))

    def build(self) -> None:
        """BUILD: set the state of a data type or an array."""
        unfinished, state = self.popped(2)
        self.use(state)
        if type(unfinished) is not Unfinished:
            raise NotPlain("a state for something that plain data never gives one")
        self.push(unfinished.build(state))


def _refuse(machine: _Machine) -> None:
    raise NotPlain("an instruction that plain data never needs")


def _at(memo: list[Any], index: int) -> Any:
    return memo[index] if index < len(memo) else _NOTHING


def _utf8(data: bytes) -> str:
    return str(data, "utf-8", "surrogatepass")


def _decimal(line: bytes) -> int:
    if not _DECIMAL.fullmatch(line):
        raise NotPlain(f"the integer {quoted(line)}, which is not decimal or too long")
    return int(line)


def _index(line: bytes) -> int:
    if not (line.isdigit() and len(line) <= 9):
        raise ValueError("no place in the memo")
    return int(line)


def _int_line(line: bytes) -> int:
    # Protocols 0 and 1 write booleans this way.
    return line == b"01" if line in (b"00", b"01") else _decimal(line)


def _string_line(line: bytes) -> str:
    """Decode a string literal of Python 2."""
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise ValueError("no quotes")
    return _ESCAPE.sub(_unescaped, line[1:-1]).decode("latin1")


def _unescaped(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    return bytes([int(escape[1:], 16)]) if len(escape) == 3 else _ESCAPED.get(escape, match[0])


def _protocol(machine: _Machine) -> None:
    if (protocol := machine.source.number(_U1)) > _HIGHEST_PROTOCOL:
        raise NotPlain(f"protocol {protocol}; 0 to {_HIGHEST_PROTOCOL} are known")


def _frame(machine: _Machine) -> None:
    machine.source.check(machine.source.number(_U8))


def _global_name(machine: _Machine) -> None:
    module, name = (_utf8(machine.source.line()) for _ in range(2))
    machine.push(resolve(module, name))


_Handler = Callable[[_Machine], None]


def _long(form: struct.Struct) -> _Handler:
    def push(machine: _Machine) -> None:
        count = machine.source.number(form)
        if not 0 <= count <= MOST_BITS // 8 + 1:
            raise NotPlain(f"an integer of {count:,} bytes; the limit is {MOST_BITS} bits")
        machine.push_integer(int.from_bytes(machine.source.take(count), "little", signed=True))

    return push


def _sized(form: struct.Struct, read: Callable[[bytes], Any]) -> _Handler:
    return lambda machine: machine.push(read(machine.source.take(machine.source.number(form))))


def _latin1(data: bytes) -> str:
    return data.decode("latin1")


_BY_NAME: dict[str, _Handler] = {
    "PROTO": _protocol,
    "FRAME": _frame,
    "MARK": _Machine.mark,
    "NONE": lambda m: m.push(None),
    "NEWTRUE": lambda m: m.push(True),
    "NEWFALSE": lambda m: m.push(False),
    "INT": lambda m: m.push_integer(_int_line(m.source.line())),
    "LONG": lambda m: m.push_integer(_decimal(m.source.line().removesuffix(b"L"))),
    "BININT": lambda m: m.push(m.source.number(_I4)),
    "BININT1": lambda m: m.push(m.source.number(_U1)),
    "BININT2": lambda m: m.push(m.source.number(_U2)),
    "LONG1": _long(_U1),
    "LONG4": _long(_I4),
    "FLOAT": lambda m: m.push(float(m.source.line())),
    "BINFLOAT": lambda m: m.push(m.source.number(_F8)),
    "STRING": lambda m: m.push(_string_line(m.source.line())),
    "BINSTRING": _sized(_I4, _latin1),
    "SHORT_BINSTRING": _sized(_U1, _latin1),
    "UNICODE": lambda m: m.push(str(m.source.line(), "raw-unicode-escape")),
    "BINUNICODE": _sized(_U4, _utf8),
    "BINUNICODE8": _sized(_U8, _utf8),
    "BINBYTES": _sized(_U4, bytes),
    "SHORT_BINBYTES": _sized(_U1, bytes),
    "BINBYTES8": _sized(_U8, bytes),
    "BYTEARRAY8": lambda m: m.push_new(m.source.take_mutable(m.source.number(_U8))),
    "EMPTY_TUPLE": lambda m: m.push(()),
    "EMPTY_LIST": lambda m: m.push_new([]),
    "EMPTY_DICT": lambda m: m.push_new({}),
    "EMPTY_SET": lambda m: m.push_new(set()),
    "TUPLE": lambda m: m.push_new(tuple(m.since_mark())),
    "TUPLE1": lambda m: m.push_new(m.popped(1)),
    "TUPLE2": lambda m: m.push_new(m.popped(2)),
    "TUPLE3": lambda m: m.push_new(m.popped(3)),
    "DICT": _Machine.make_dict,
    "FROZENSET": _Machine.make_frozenset,
    "LIST": lambda m: m.push_new(m.since_mark()),
    "APPEND": lambda m: m.append(list(m.popped(1))),
    "APPENDS": lambda m: m.append(m.since_mark()),
    "SETITEM": lambda m: m.set_items(list(m.popped(2))),
    "SETITEMS": lambda m: m.set_items(m.since_mark()),
    "ADDITEMS": lambda m: m.add_items(m.since_mark()),
    "PUT": lambda m: m.put(_index(m.source.line())),
    "BINPUT": lambda m: m.put(m.source.number(_U1)),
    "LONG_BINPUT": lambda m: m.put(m.source.number(_U4)),
    "MEMOIZE": lambda m: m.put(len(m.memo)),
    "GET": lambda m: m.get(_index(m.source.line())),
    "BINGET": lambda m: m.get(m.source.number(_U1)),
    "LONG_BINGET": lambda m: m.get(m.source.number(_U4)),
    "GLOBAL": _global_name,
    "STACK_GLOBAL": lambda m: m.push(resolve(*m.popped(2))),
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
}
_TABLE = {code: _BY_NAME[name] for code, name in _OPCODES.items() if name in _BY_NAME}
_BINUNICODE, _LONG_BINPUT, _LONG_BINGET, _BINGET, _MEMOIZE, _STOP = b"Xrjh\x94."
_TEXTS = {_BINUNICODE: _utf8, ord("\x8c"): _utf8, ord("U"): _latin1}
