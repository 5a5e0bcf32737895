"""Values that several commands take as text, checked in one line instead of argparse's usage block."""

import argparse
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from hyperlift.errors import InputError, quoted

_UNKNOWN = "unrecognized arguments: "


class OneLineParser(argparse.ArgumentParser):
    """A mistake is one line, without the usage of every option before it; misspelt options are recognised."""

    def error(self, message: str) -> NoReturn:
        """Print and exit with 2."""
        unknown = message.removeprefix(_UNKNOWN).split() if message.startswith(_UNKNOWN) else []
        words = [word.partition("=")[0] for word in unknown if word.startswith("--")]
        hints = "".join(did_you_mean(word, self._option_string_actions) for word in words)
        self.exit(2, f"{Path(sys.argv[0]).name}: error: {message}{hints} (see --help)\n")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A half-sentence for the end of a message, where something known is spelt almost like the word; else empty."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def picture_size(text: str, option: str = "--video-size") -> tuple[int, int]:
    """Width and height in pixels from text such as 1920x1080.

    Raises:
        InputError: the text is something else; the message names the option.
    """
    match = re.fullmatch(r"(\d{1,6})[xX×](\d{1,6})", text.strip())
    if not match:
        raise InputError(f"{option} is {quoted(text)}; expected width x height in pixels, such as 1920x1080")
    return int(match[1]), int(match[2])


def number(text: str, option: str) -> float:
    """A number.

    Raises:
        InputError: the text is none; the message names the option.
    """
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{option} is {quoted(text)}; expected a number") from None


def person_id(text: str) -> int:
    """The number of a person from 1 or p1, as argparse's ``type``."""
    number = text.strip().removeprefix("p")
    if not number.isdecimal():
        raise argparse.ArgumentTypeError(f"is {quoted(text)}; give the number of a person, such as 1 or p1")
    return int(number)
