"""The one error class for what a user can mend, and how its messages show what came."""

from collections.abc import Iterable, Mapping, Set
from itertools import islice
from numbers import Integral

SHOWN_CHARACTERS = 200
"""The most characters of a value that a message shows."""

_SHOWN_ITEMS = 6
_SHOWN_LEVELS = 3
_SHOWN_BITS = 256


class InputError(ValueError):
    """Something that came from outside does not fit.

    The message says what came, what was expected and what to do. Command-line tools print it as one line and
    exit with 2; every other exception is a defect of ours and keeps its traceback.

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
"""Packages that only some tasks need, by the extra of this package that brings them."""


def missing_package(package: str, wanted_by: str) -> InputError:
    """The error of a task that needs a package of ``EXTRAS`` which is not installed.

    Args:
        package: by the name under which it is imported.
        wanted_by: subject and verb of the sentence, such as "C3D files need".
    """
    extra = next(extra for extra, packages in EXTRAS.items() if package in packages)
    return InputError(f"{wanted_by} {package}, which is not installed; pip install 'hyperlift[{extra}]'")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A half-sentence for the end of a message, where something known is spelt almost like the word; else empty."""
    from difflib import get_close_matches  # only a mistake waits for it

    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def quoted(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    """Return a value as a message shows it: like ``repr``, on one line, in at most ``limit`` characters.

    The work is bounded too. Of a collection a few items and levels are looked at, so a YAML file whose aliases
    describe 10^9 items costs nothing; an integer of 5,000 digits, which Python refuses to print, is described.
    """
    return one_line(_described(value, _SHOWN_LEVELS, limit), limit)


def one_line(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Return the first non-empty line of a text, cut to ``limit`` characters, without control characters."""
    head = text[: 20 * limit].strip()
    line = "".join(c if c.isprintable() else "�" for c in (head.splitlines() or [""])[0].rstrip())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def printable(text: object) -> str:
    """Return a text, such as a file's name, as any output can show it: one line, and no character that is none.

    What has no picture becomes an escape, as Python writes it: a line feed ``\\n``, an undecodable byte of a name
    ``\\xff``, the start of a terminal's command ``\\x1b``.
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in str(text))


def valid_unicode(text: object) -> str:
    """Return a text, such as a file's name, that every reader of UTF-8 or JSON accepts; a byte of a name that belongs
    to no character becomes ``\\xff``."""
    return "".join(_escaped(c) if "\ud800" <= c <= "\udfff" else c for c in str(text))


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte that it cannot decode
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
    except Exception:  # an object array holds whatever a file put there, such as an integer of 5,000 digits
        return f"a value of type {type(value).__name__}"


def _items(left: str, described: Iterable[str], count: int, right: str, levels: int) -> str:
    if levels <= 0 and count:
        return f"{left}…{right}"
    shown = list(islice(described, _SHOWN_ITEMS))
    return f"{left}{', '.join(shown + ['…'] * (count > _SHOWN_ITEMS))}{right}"
