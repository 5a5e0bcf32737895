"""Options, declared once: a field of a dataclass carries its help and spelling as ``Annotated[type, Option(...)]``.

The parser, ``--help``, the table of docs/commands.md and the flags in messages derive from these fields; the dataclass
itself is the Python signature.
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
    """How one field is asked for."""

    help: str
    """What it does, as the end of a line; the default is added to it."""
    flag: str | None = None
    """Long spelling where it is not that of the field."""
    aliases: tuple[str, ...] = ()
    """Further spellings."""
    metavar: str | None = None
    """Stands for the value."""
    group: str = ""
    """Heading in ``--help``."""
    choices: tuple[str, ...] = ()
    """Values that are taken, where the type does not name them."""
    positional: bool = False
    """Without a flag."""
    several: bool = False
    """A tuple of values after one flag; a tuple is otherwise filled by repeating the flag."""
    switches: Mapping[str, str] = field(default_factory=dict)
    """Values of a tuple, each with a flag of its own, and what each does."""
    either: str = ""
    """Name of a set of options of which one at most is given; with ``needed`` exactly one."""
    needed: bool = False
    parse: Callable[[str], Any] | None = None
    """From text to the value; a ValueError says what was expected."""
    shown_default: str = ""
    """What the help says of a default whose value says nothing."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A field that is a dataclass of further options."""

    only: tuple[str, ...] | None = None
    """Fields that are asked for; None: all."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Fields that are not asked for, with their values."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Defaults that differ from the dataclass's own."""
    required: tuple[str, ...] = ()
    """Fields that must be given although the dataclass has a default."""


@dataclass(frozen=True)
class Declared:
    """One option of a dataclass of options."""

    name: str
    kind: Any
    """Type of a value: of one of them where there may be several."""
    many: bool
    default: Any
    """MISSING where it must be given."""
    option: Option

    @cached_property
    def flag(self) -> str:
        """Long spelling; those of all switches, or what stands for a positional argument."""
        if self.option.positional:
            return self.option.metavar or self.name.upper()
        if self.option.switches:
            return ", ".join(f"--{name}" for name in self.option.switches)
        return self.option.flag or f"--{self.name.replace('_', '-')}"

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is MISSING

    @property
    def spellings(self) -> tuple[str, ...]:
        """All flags, as ``--help`` lists them."""
        if self.kind is bool and self.default is True:
            return self.flag, f"--no-{self.flag[2:]}"
        short = tuple(name for name in self.option.aliases if not name.startswith("--"))
        return (*short, self.flag, *(name for name in self.option.aliases if name.startswith("--")))

    @property
    def metavar(self) -> str:
        """Stands for the value."""
        named = {int: "N", float: "X", Path: "FILE"}.get(self.kind, "NAME")
        return self.option.metavar or (f"{{{','.join(self.choices)}}}" if self.choices else named)

    @property
    def choices(self) -> tuple[str, ...]:
        """Values that are taken; empty where any is."""
        return get_args(self.kind) if get_origin(self.kind) is Literal else self.option.choices

    @property
    def help(self) -> str:
        """The help, with the choices that the metavar hides, and the default."""
        told = self.option.help
        if self.option.metavar and self.choices:
            told += f"; one of {', '.join(self.choices)}"
        default = self.option.shown_default
        if not default and not isinstance(self.default, tuple) and self.default not in (None, False, "", MISSING):
            default = "on" if self.default is True else f"{self.default}"
        return f"{told} (default: {default})" if default else told


def declared(kind: type, part: Part | None = None) -> Iterator[Declared]:
    """The options of a dataclass and of the dataclasses in it, in the order of the fields."""
    part = part or Part()
    for one, hint, mark in _fields(kind, part):
        if isinstance(mark, Part):
            yield from declared(hint, mark)
        else:
            many, value = _value_type(hint)
            default = part.defaults.get(one.name, MISSING if one.name in part.required else _default(one))
            yield Declared(one.name, value, many, default, mark)


def assembled(kind: type, values: Mapping[str, Any], part: Part | None = None) -> Any:
    """The dataclass from values by the names of fields, those of the dataclasses in it included.

    Raises:
        InputError: a value that the dataclass refuses.
    """
    part = part or Part()
    given = dict(part.fixed)
    for one, hint, mark in _fields(kind, part):
        given[one.name] = assembled(hint, values, mark) if isinstance(mark, Part) else _complete(one, mark, values)
    return kind(**given)


def in_flags(message: str, kind: type) -> str:
    """A message of the library, which names fields as ```fps```, as the command line says it: ``--fps``.

    A value with the name stays: ```overwrite=True``` is ``--overwrite``, and ```flip=False``` is ``--no-flip``.
    """
    flags = {one.name: one.flag for one in declared(kind)}

    def spelt(match: re.Match[str]) -> str:
        name, value = match[1], match[2]
        if name not in flags:
            return match[0]
        return f"--no-{flags[name][2:]}" if value == "False" else flags[name]

    return re.sub(r"`([a-z][a-z0-9_]*)(?:=(True|False))?`", spelt, message)


def size_in_pixels(text: str) -> tuple[int, int]:
    """Width and height from text such as 1920x1080.

    Raises:
        ValueError: the text is something else.
    """
    match = re.fullmatch(r"(\d{1,6})[xX×](\d{1,6})", text.strip())
    if not match:
        raise ValueError("expected width x height in pixels, such as 1920x1080")
    return int(match[1]), int(match[2])


def person_number(text: str) -> int:
    """The number of a person from 1 or p1.

    Raises:
        ValueError: the text is something else.
    """
    number = text.strip().removeprefix("p")
    if not number.isdecimal():
        raise ValueError("give the number of a person, such as 1 or p1")
    return int(number)


def numbers_from_0(text: str) -> tuple[int, ...]:
    """Numbers from text such as 0,2,5-8.

    Raises:
        ValueError: the text is something else.
    """
    numbers: list[int] = []
    for part in text.replace(" ", ",").split(","):
        match = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part)
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise ValueError("expected numbers from 0 such as 0,2,5-8")
        numbers += range(int(match[1]), int(match[2] or match[1]) + 1)
    return tuple(numbers)


def _fields(kind: type, part: Part) -> Iterator[tuple[Field, Any, Option | Part]]:
    assert is_dataclass(kind)
    hints = get_type_hints(kind, include_extras=True)
    for one in fields(kind):
        wanted = one.name not in part.fixed and (part.only is None or one.name in part.only)
        if wanted and get_origin(hints[one.name]) is Annotated:
            hint, mark, *_ = get_args(hints[one.name])
            yield one, hint, mark


def _complete(one: Field, option: Option, values: Mapping[str, Any]) -> Any:
    """A value as the dataclass keeps it: several as a tuple, switches in their own order."""
    value = values[one.name]
    if option.switches:
        return tuple(name for name in (*_default(one), *option.switches) if name in value)
    return tuple(value) if isinstance(value, list) else value


def _default(one: Field) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def _value_type(hint: Any) -> tuple[bool, Any]:
    """Whether there may be several values, and the type of one; None is no value."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is tuple and get_args(hint)[-1] is Ellipsis:
        return True, get_args(hint)[0]
    return False, hint
