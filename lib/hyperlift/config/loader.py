"""Load YAML files into frozen dataclasses: unknown, missing and mistyped keys are errors that name the file and the
key."""

import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hyperlift.errors import InputError, did_you_mean, one_line, quoted
from hyperlift.readers import reader

T = TypeVar("T")

_MAX_LISTED_KEYS = 6
"""Unknown keys that a message lists. Chosen: one line of text."""
_MAX_NUMBER_LENGTH = 40
"""Characters of a number that a message repeats. Chosen: a float64 needs at most 24."""
_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


@reader("YAML of keys")
def load_yaml(path: Path | str) -> dict[str, Any]:
    """Read a YAML file that contains a mapping.

    Raises:
        InputError: the file is missing, is not valid YAML, exceeds the limits of ``read_yaml``, or is not a mapping.
    """
    from hyperlift.safe_io.yaml_text import read_yaml  # lifting imports this module and needs no YAML

    content = read_yaml(Path(path), "give a YAML file of 'key: value' lines")
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected 'key: value' lines, found {type(content).__name__}")
    if strangers := [key for key in content if not isinstance(key, str)]:
        raise InputError(f"{path}: the key {quoted(strangers[0])} is no text")
    return content


@reader("configuration")
def load_config(path: Path | str | None, kind: type[T], changes: Sequence[str] = ()) -> T:
    """Read a YAML file into a dataclass.

    Relative paths in the file are relative to the working directory, as on the command line.

    Args:
        path: None for a configuration of defaults.
        kind: a dataclass.
        changes: assignments such as ``model.depth=4`` that replace or add keys, in order; the value is YAML.

    Raises:
        InputError: the file cannot be read, or the file or a change does not fit the dataclass; the message names the
            file and the key.
    """
    values = {} if path is None else load_yaml(path)
    for change in changes:
        _change(values, change)
    where = " with ".join(filter(None, (path and str(path), " ".join(changes))))
    return from_mapping(values, kind, where or kind.__name__)


def _change(values: dict[str, Any], change: str) -> None:
    """Set a key of nested sections in place."""
    from hyperlift.safe_io.yaml_text import parse_yaml  # lifting imports this module and needs no YAML

    key, equals, text = change.partition("=")
    *sections, last = key.split(".")
    if not equals or not all((*sections, last)):
        raise InputError(f"{quoted(change)} changes no key; write KEY=VALUE, such as model.depth=4")
    for section in sections:
        inside = values.get(section)
        if inside is not None and not isinstance(inside, dict):
            raise InputError(f"{change}: {section} is {quoted(inside)} and no section of keys")
        values[section] = values = dict(inside or {})
    values[last] = parse_yaml(text, change, "write the value as in a YAML file")


def from_mapping(values: Mapping[Any, Any], kind: type[T], where: str) -> T:
    """Build a dataclass and its nested dataclasses from the values of a YAML or JSON document.

    Args:
        values: see above.
        kind: a dataclass.
        where: file name and section, for messages.

    Raises:
        InputError: a key is unknown, missing or mistyped, or the dataclass rejects a value.
    """
    assert is_dataclass(kind)
    known = {field.name: field for field in fields(kind)}
    unknown = [_named(key) for key in values if key not in known]
    if unknown:
        more = ", …" if len(unknown) > _MAX_LISTED_KEYS else ""
        hint = did_you_mean(unknown[0], known)
        raise InputError(
            f"{where}: unknown key {', '.join(unknown[:_MAX_LISTED_KEYS])}{more}; known: {', '.join(known)}{hint}"
        )
    missing = [
        name
        for name, field in known.items()
        if name not in values and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise InputError(f"{where}: missing key {', '.join(missing)}")
    hints = get_type_hints(kind)
    arguments = {key: _convert(value, hints[key], f"{where}: {key}") for key, value in values.items()}
    try:
        return kind(**arguments)
    except InputError as error:
        raise error if str(error).startswith(where) else InputError(f"{where}: {error}") from error


def to_mapping(config: Any) -> Any:
    """Inverse of ``from_mapping``: a dataclass as plain values."""
    if is_dataclass(config):
        return {field.name: to_mapping(getattr(config, field.name)) for field in fields(config)}
    if isinstance(config, Mapping):
        return {key: to_mapping(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [to_mapping(value) for value in config]
    return str(config) if isinstance(config, Path) else config


def _convert(value: Any, hint: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _convert_union(value, get_args(hint), where)
    if origin is Literal:
        if value not in get_args(hint):
            raise InputError(f"{where}: {quoted(value)} is not one of {', '.join(map(repr, get_args(hint)))}")
        return value
    if is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise _mistyped(value, "a section of keys", where)
        return from_mapping(value, typing.cast(type, hint), where)
    if origin is tuple:
        return _convert_tuple(value, get_args(hint), where)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise _mistyped(value, "a section of keys", where)
        of_key, of_part = get_args(hint)
        return {
            _convert(key, of_key, f"{where}: its key"): _convert(part, of_part, f"{where}.{_named(key)}")
            for key, part in value.items()
        }
    return _convert_scalar(value, hint, where)


def _convert_union(value: Any, hints: tuple[Any, ...], where: str) -> Any:
    if value is None and type(None) in hints:
        return None
    choices = [hint for hint in hints if hint is not type(None)]
    for hint in choices[:-1]:
        try:
            return _convert(value, hint, where)
        except InputError:
            continue
    return _convert(value, choices[-1], where)


def _convert_tuple(value: Any, hints: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _mistyped(value, "a list", where)
    if len(hints) == 2 and hints[1] is Ellipsis:
        hints = (hints[0],) * len(value)
    if len(value) != len(hints):
        raise InputError(f"{where}: expected {len(hints)} values, got {len(value)}")
    return tuple(_convert(part, hint, f"{where}[{i}]") for i, (part, hint) in enumerate(zip(value, hints, strict=True)))


def _convert_scalar(value: Any, hint: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is Path and isinstance(value, str):
        return Path(_convert_scalar(value, str, where))
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value, where)
    if (isinstance(value, bool) and hint is not bool) or not isinstance(value, hint):
        if hint is float and isinstance(value, str) and _EXPONENT.fullmatch(value):
            mantissa, exponent = value.lower().split("e")
            written = f"{float(mantissa)}e{int(exponent):+d}" if len(value) < _MAX_NUMBER_LENGTH else "it with a point"
            raise InputError(f"{where}: YAML reads {one_line(value)} as text; write {written}")
        raise _mistyped(
            value,
            {float: "a number", int: "a whole number", str: "text", bool: "true or false"}.get(hint, str(hint)),
            where,
        )
    if isinstance(value, str) and not value.isascii():
        _check_text(value, where)
    return value


def _check_text(value: str, where: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:  # JSON can escape a lone surrogate; UTF-8 cannot encode it
        raise InputError(f"{where}: {quoted(value)} has half a character (a lone surrogate); write it anew") from None


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf
    if not math.isfinite(number):
        raise _mistyped(value, "a finite number", where)
    return number


def _named(key: Any) -> str:
    """The text of a key, for messages."""
    return one_line(key) if isinstance(key, str) else quoted(key)


def _mistyped(value: Any, expected: str, where: str) -> InputError:
    return InputError(f"{where}: expected {expected}, got {quoted(value)}")
