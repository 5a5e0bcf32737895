"""Conversion between a dataclass of options (``config.option``) and a command line."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn, TypeVar

from hyperlift.config.option import OptionField, build, option_fields
from hyperlift.errors import InputError, did_you_mean, quoted

_Options = TypeVar("_Options")
_UNKNOWN = "unrecognized arguments: "


def read_arguments(kind: type[_Options], argv: Sequence[str] | None = None) -> _Options:
    """Parse a command line; ``--help`` ends the process.

    Raises:
        InputError: an option is unknown, a value is invalid, or options exclude each other.
    """
    return build(kind, vars(_parser(kind).parse_args(argv)))


def help_text(kind: type, program: str) -> str:
    """The text of ``--help``."""
    return _parser(kind, program).format_help()


def to_arguments(options: Any) -> list[str]:
    """The command line of options with texts, numbers, paths and switches, for another process."""
    argv: list[str] = []
    for one in option_fields(type(options)):
        value = _value_of(options, one.name)
        if value == one.default or one.option.positional:
            continue
        if isinstance(value, bool):
            argv.append(one.flag if value else f"--no-{one.flag[2:]}")
        elif one.option.multiple:
            argv += [one.flag, *map(str, value)]
        else:
            for part in value if one.many else (value,):
                argv += [one.flag, str(part)]
    return argv


class OneLineParser(argparse.ArgumentParser):
    """Errors are one line with suggestions for misspelt options; ``_`` in an option is equivalent to ``-``."""

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Iterable[str] | None = None, namespace: Any = None
    ) -> Any:
        """Read the options in either spelling."""
        given = list(sys.argv[1:] if args is None else args)
        end = given.index("--") if "--" in given else len(given)
        return super().parse_known_args([*map(_kebab, given[:end]), *given[end:]], namespace)

    def error(self, message: str) -> NoReturn:
        """Raise the InputError that the command prints."""
        unknown = message.removeprefix(_UNKNOWN).split() if message.startswith(_UNKNOWN) else []
        words = [word.partition("=")[0] for word in unknown if word.startswith("--")]
        hints = "".join(did_you_mean(word, self._option_string_actions) for word in words)
        message = re.sub(r"^argument (\S+): is ", r"\1 is ", message)
        raise InputError(f"{message}{hints} (see --help)")


def _kebab(argument: str) -> str:
    name, equals, value = argument.partition("=")
    return f"{name.replace('_', '-')}{equals}{value}" if name.startswith("--") else argument


def _parser(kind: type, program: str | None = None) -> OneLineParser:
    """The parser; description and epilog are the first and the other paragraphs of the dataclass's docstring."""
    description, _, epilog = (kind.__doc__ or "").partition("\n\n")
    options = list(option_fields(kind))
    parser = OneLineParser(
        prog=program, usage=_usage(options), description=_one_paragraph(description), epilog=_one_paragraph(epilog)
    )
    groups: dict[str, Any] = {"": parser}
    sets: dict[str, Any] = {}
    for one in options:
        to = groups.setdefault(one.option.group, None) or parser.add_argument_group(one.option.group)
        groups[one.option.group] = to
        if one.option.exclusive:
            to = sets.setdefault(one.option.exclusive, None) or to.add_mutually_exclusive_group(
                required=one.option.one_required
            )
            sets[one.option.exclusive] = to
        _add(to, one)
    return parser


def _add(to: Any, one: OptionField) -> None:
    help_, option = one.help.replace("%", "%%"), one.option
    default = list(one.default) if isinstance(one.default, tuple) else None if one.required else one.default
    for value, does in option.switches.items():
        to.add_argument(f"--{value}", dest=one.name, action="append_const", const=value, default=default, help=does)
    if option.switches:
        return
    common: dict[str, Any] = {"help": help_, "default": default}
    if option.positional:
        common["nargs"] = "+" if one.many else None if one.required else "?"
        names = (one.name,)
    else:
        common |= {"dest": one.name, "required": one.required}
        names = one.spellings
    if one.kind is bool:
        switch = argparse.BooleanOptionalAction if one.default else "store_true"
        to.add_argument(one.flag, dest=one.name, action=switch, default=default, help=help_)
        return
    if one.many and not option.positional:
        common |= {"action": "extend", "nargs": "+"} if option.multiple else {"action": "append"}
    metavar = one.flag if option.positional else one.metavar
    to.add_argument(*names, type=_reader(one), metavar=metavar, **common)


_EXPECTED = {int: "a whole number", float: "a number"}


def _reader(one: OptionField) -> Callable[[str], Any]:
    """A function that parses the text of an argument; argparse prints the message of its error."""

    def read(text: str) -> Any:
        if one.choices and text not in one.choices:
            hint = did_you_mean(text, one.choices)
            raise argparse.ArgumentTypeError(f"is {quoted(text)}; choose from {', '.join(one.choices)}{hint}")
        if one.choices:
            return text
        try:
            return (one.option.parse or one.kind)(text)
        except ValueError as error:
            expected = f"expected {_EXPECTED[one.kind]}" if one.option.parse is None else str(error)
            raise argparse.ArgumentTypeError(f"is {quoted(text)}; {expected}") from None

    return read


def _usage(options: Sequence[OptionField]) -> str:
    """The usage line with positional arguments and required options."""
    words: list[str] = []
    sets: dict[str, list[str]] = {}
    for one in options:
        if one.option.positional:
            name = f"{one.flag} [{one.flag} …]" if one.many else one.flag
            words.append(name if one.required else f"[{name}]")
        elif one.required:
            words.append(f"{one.flag} {one.metavar}")
        elif one.option.one_required:
            sets.setdefault(one.option.exclusive, []).append(f"{one.flag} {one.metavar}")
    words += [f"({' | '.join(names)})" for names in sets.values()]
    return " ".join(["%(prog)s", *words, "[OPTION …]"])


def _one_paragraph(text: str) -> str | None:
    return " ".join(text.split()) or None


def _value_of(options: Any, name: str) -> Any:
    """The value of a field, or of a field of a nested dataclass."""
    for one in fields(options):
        value = getattr(options, one.name)
        if one.name == name:
            return value
        if is_dataclass(value) and any(inner.name == name for inner in option_fields(type(value))):
            return _value_of(value, name)
    raise AssertionError(name)
