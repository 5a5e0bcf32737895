"""Options as annotated fields of dataclasses: ``Annotated[type, Option(...)]``.

The parser, ``--help``, docs/commands.md and the flags in messages derive from these fields; the dataclass itself is the
Python signature.
"""

import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Option:
    """How the command line sets one field."""

    help: str
    """One line without the default, which is appended."""
    flag: str | None = None
    """Long flag; None derives it from the name of the field."""
    aliases: tuple[str, ...] = ()
    """Further flags."""
    metavar: str | None = None
    """Placeholder for the value in ``--help``."""
    group: str = ""
    """Heading in ``--help``."""
    choices: tuple[str, ...] = ()
    """Accepted values, if the type does not list them."""
    positional: bool = False
    """True for an argument without a flag."""
    multiple: bool = False
    """For a tuple: True if one flag takes all values, False if the flag is repeated."""
    switches: Mapping[str, str] = field(default_factory=dict)
    """For a tuple of fixed values: a flag without argument per value, and its help."""
    exclusive: str = ""
    """Name of a group of mutually exclusive options."""
    one_required: bool = False
    """True if one option of the exclusive group must be given."""
    parse: Callable[[str], Any] | None = None
    """Converts the text; raises a ValueError that states what was expected."""
    default_text: str = ""
    """Replaces the default in the help."""


@dataclass(frozen=True, kw_only=True)
class Nested:
    """Marks a field whose type is a dataclass of options."""

    only: tuple[str, ...] | None = None
    """Fields that become options; None for all."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Values of fields that do not become options."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Defaults that override those of the dataclass."""
    required: tuple[str, ...] = ()
    """Fields that are required although the dataclass has a default."""


@dataclass(frozen=True)
class OptionField:
    """A field that is an option, with its type resolved."""

    name: str
    kind: Any
    """Type of one value."""
    many: bool
    """True if the field is a tuple of values."""
    default: Any
    """``dataclasses.MISSING`` if the option is required."""
    option: Option

    @cached_property
    def flag(self) -> str:
        """The long flag; all flags of switches; the placeholder of a positional argument."""
        if self.option.positional:
            return self.option.metavar or self.name.upper()
        if self.option.switches:
            return ", ".join(f"--{name}" for name in self.option.switches)
        return self.option.flag or f"--{self.name.replace('_', '-')}"

    @property
    def required(self) -> bool:
        """True if there is no default."""
        return self.default is MISSING

    @property
    def spellings(self) -> tuple[str, ...]:
        """All flags, in the order of ``--help``: short ones first."""
        if self.kind is bool and self.default is True:
            return self.flag, f"--no-{self.flag[2:]}"
        short = tuple(name for name in self.option.aliases if not name.startswith("--"))
        return (*short, self.flag, *(name for name in self.option.aliases if name.startswith("--")))

    @property
    def metavar(self) -> str:
        """Placeholder for the value in ``--help``."""
        named = {int: "N", float: "X", Path: "FILE"}.get(self.kind, "NAME")
        return self.option.metavar or (f"{{{','.join(self.choices)}}}" if self.choices else named)

    @property
    def choices(self) -> tuple[str, ...]:
        """Accepted values; empty if any value is accepted."""
        return get_args(self.kind) if get_origin(self.kind) is Literal else self.option.choices

    @property
    def help(self) -> str:
        """The help with the default, and with the choices if the placeholder does not list them."""
        text = self.option.help
        if self.option.metavar and self.choices:
            text += f"; one of {', '.join(self.choices)}"
        default = self.option.default_text
        if not default and not isinstance(self.default, tuple) and self.default not in (None, False, "", MISSING):
            default = "on" if self.default is True else f"{self.default}"
        return f"{text} (default: {default})" if default else text


def option_fields(kind: type, nested: Nested | None = None) -> Iterator[OptionField]:
    """The options of a dataclass and of its nested dataclasses, in the order of the fields."""
    nested = nested or Nested()
    for one, hint, mark in _fields(kind, nested):
        if isinstance(mark, Nested):
            yield from option_fields(hint, mark)
        else:
            many, value = _value_type(hint)
            default = nested.defaults.get(one.name, MISSING if one.name in nested.required else _default(one))
            yield OptionField(one.name, value, many, default, mark)


def build(kind: type, values: Mapping[str, Any], nested: Nested | None = None) -> Any:
    """Build a dataclass and its nested dataclasses from one flat mapping of field names to values.

    Raises:
        InputError: the dataclass rejects a value.
    """
    nested = nested or Nested()
    given = dict(nested.fixed)
    for one, hint, mark in _fields(kind, nested):
        given[one.name] = build(hint, values, mark) if isinstance(mark, Nested) else _complete(one, mark, values)
    return kind(**given)


def with_flags(message: str, kind: type) -> str:
    """Replace the names of fields in a message of the library, written in backticks, by flags.

    ```fps``` becomes ``--fps``, ```overwrite=True``` becomes ``--overwrite`` and ```flip=False``` becomes
    ``--no-flip``.
    """
    flags = {one.name: one.flag for one in option_fields(kind)}

    def flag_of(match: re.Match[str]) -> str:
        name, value = match[1], match[2]
        if name not in flags:
            return match[0]
        return f"--no-{flags[name][2:]}" if value == "False" else flags[name]

    return re.sub(r"`([a-z][a-z0-9_]*)(?:=(True|False))?`", flag_of, message)


def size_in_pixels(text: str) -> tuple[int, int]:
    """Parse ``WIDTHxHEIGHT``, such as 1920x1080.

    Raises:
        ValueError: the text has another form.
    """
    match = re.fullmatch(r"(\d{1,6})[xX×](\d{1,6})", text.strip())
    if not match:
        raise ValueError("expected width x height in pixels, such as 1920x1080")
    return int(match[1]), int(match[2])


def person_number(text: str) -> int:
    """Parse the number of a person, such as 1 or p1.

    Raises:
        ValueError: the text has another form.
    """
    number = text.strip().removeprefix("p")
    if not number.isdecimal():
        raise ValueError("give the number of a person, such as 1 or p1")
    return int(number)


def numbers_from_0(text: str) -> tuple[int, ...]:
    """Parse numbers and inclusive ranges from 0, such as 0,2,5-8.

    Raises:
        ValueError: the text has another form.
    """
    numbers: list[int] = []
    for part in text.replace(" ", ",").split(","):
        match = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part)
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise ValueError("expected numbers from 0 such as 0,2,5-8")
        numbers += range(int(match[1]), int(match[2] or match[1]) + 1)
    return tuple(numbers)


def _fields(kind: type, nested: Nested) -> Iterator[tuple[Field, Any, Option | Nested]]:
    assert is_dataclass(kind)
    hints = get_type_hints(kind, include_extras=True)
    for one in fields(kind):
        wanted = one.name not in nested.fixed and (nested.only is None or one.name in nested.only)
        if wanted and get_origin(hints[one.name]) is Annotated:
            hint, mark, *_ = get_args(hints[one.name])
            yield one, hint, mark


def _complete(one: Field, option: Option, values: Mapping[str, Any]) -> Any:
    """The value in the type of the field: a tuple for several values; switches in the order of their declaration."""
    value = values[one.name]
    if option.switches:
        return tuple(name for name in (*_default(one), *option.switches) if name in value)
    return tuple(value) if isinstance(value, list) else value


def _default(one: Field) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def _value_type(hint: Any) -> tuple[bool, Any]:
    """Whether the field is a tuple of values, and the type of one value without None."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is tuple and get_args(hint)[-1] is Ellipsis:
        return True, get_args(hint)[0]
    return False, hint
