"""``InputError``, the error class for everything that a user can correct, and the formatting of values in messages."""

from collections.abc import Iterable, Mapping, Set
from itertools import islice
from numbers import Integral

SHOWN_CHARACTERS = 200
"""Maximal characters of a value in a message. Chosen: two lines of a terminal."""

_SHOWN_ITEMS = 6
"""Maximal items of a collection in a message. Chosen: enough to recognise it on one line."""
_SHOWN_LEVELS = 3
"""Maximal nesting depth in a message. Chosen: file formats of keypoints nest frames, people and coordinates."""
_SHOWN_BITS = 256
"""Maximal bits of an integer in a message, 78 digits; a longer one is described by its length. Chosen: within
``SHOWN_CHARACTERS``, and below the 4,300 digits beyond which Python refuses to print."""


class InputError(ValueError):
    """Invalid input of the user.

    The message states what was found, what was expected and what to do. Commands print it as one line and exit with
    status 2. Every other exception is a bug and keeps its traceback.

    Example:
        >>> import hyperlift
        >>> try:
        ...     hyperlift.load_motion("none.npz")
        ... except hyperlift.InputError as error:
        ...     print(error)
        none.npz: no such file; expected the pose3d.npz that lifting writes
    """


EXTRAS = {
    "train": ("torch", "safetensors", "onnx", "onnxscript", "h5py"),
    "log": ("tensorboard",),
    "wandb": ("wandb",),
    "c3d": ("ezc3d",),
    "rtmlib": ("rtmlib",),
}
"""Optional dependencies: the extra of this package, and the packages that it installs."""


def missing_package(package: str, needed_by: str) -> InputError:
    """The error for a package of ``EXTRAS`` that is needed and not installed.

    Args:
        package: its import name.
        needed_by: subject and verb of the message, such as "C3D files need".
    """
    extra = next(extra for extra, packages in EXTRAS.items() if package in packages)
    return InputError(f"{needed_by} {package}, which is not installed; pip install 'hyperlift[{extra}]'")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message, "; did you mean X?", if a known word is similar; else empty."""
    from difflib import get_close_matches  # imported only in case of an error

    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def quoted(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    """Format a value for a message: like ``repr``, on one line, in at most ``limit`` characters.

    The time is bounded as well: only a few items and levels of a collection are visited, for example if the aliases of
    a YAML file describe 10^9 items. An integer of 5,000 digits, which Python refuses to print, is described.
    """
    return one_line(_described(value, _SHOWN_LEVELS, limit), limit)


def one_line(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """The first non-empty line of a text, truncated to ``limit`` characters, without control characters."""
    head = text[: 20 * limit].strip()
    line = "".join(c if c.isprintable() else "�" for c in (head.splitlines() or [""])[0].rstrip())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def printable(text: object) -> str:
    """Replace unprintable characters of a text, such as a file name, by escapes.

    For example, a line feed becomes ``\\n``, an undecodable byte of a file name ``\\xff``, and the escape character of
    terminals ``\\x1b``.
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in str(text))


def valid_unicode(text: object) -> str:
    """Replace lone surrogates of a text by escapes, so that UTF-8 can encode it. An undecodable byte of a file name
    becomes ``\\xff``."""
    return "".join(_escaped(c) if "\ud800" <= c <= "\udfff" else c for c in str(text))


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # an undecodable byte (PEP 383, surrogateescape)
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def _described(value: object, levels: int, limit: int) -> str:
    if isinstance(value, str | bytes | bytearray):
        return repr(value[:limit])
    if isinstance(value, Integral) and not isinstance(value, bool):
        number = int(value)
        return str(number) if number.bit_length() <= _SHOWN_BITS else f"an integer of {number.bit_length()} bits"
    if isinstance(value, Mapping):
        return _items(
            "{",
            (f"{_described(k, levels - 1, limit)}: {_described(v, levels - 1, limit)}" for k, v in value.items()),
            len(value),
            "}",
            levels,
        )
    if isinstance(value, list | tuple | Set):
        left, right = ("[", "]") if isinstance(value, list) else ("(", ")") if isinstance(value, tuple) else ("{", "}")
        return _items(left, (_described(item, levels - 1, limit) for item in value), len(value), right, levels)
    try:
        return " ".join(repr(value).split())
    except Exception:  # an object array can contain anything, such as an integer of 5,000 digits
        return f"a value of type {type(value).__name__}"


def _items(left: str, described: Iterable[str], count: int, right: str, levels: int) -> str:
    if levels <= 0 and count:
        return f"{left}…{right}"
    shown = list(islice(described, _SHOWN_ITEMS))
    return f"{left}{', '.join(shown + ['…'] * (count > _SHOWN_ITEMS))}{right}"
