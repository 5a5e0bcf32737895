"""Values that several commands take as text, checked in one line instead of argparse's usage block."""

import argparse
import re
import sys
from pathlib import Path
from typing import NoReturn

from hyperlift.errors import InputError


class OneLineParser(argparse.ArgumentParser):
    """A mistake is one line, without the usage of every option before it."""

    def error(self, message: str) -> NoReturn:
        """Print and exit with 2."""
        self.exit(2, f"{Path(sys.argv[0]).name}: error: {message} (see --help)\n")


def picture_size(text: str, option: str = "--video-size") -> tuple[int, int]:
    """Width and height in pixels from text such as 1920x1080.

    Raises:
        InputError: the text is something else; the message names the option.
    """
    match = re.fullmatch(r"(\d{1,6})[xX×](\d{1,6})", text.strip())
    if not match:
        raise InputError(f"{option} is {text!r}; expected width x height in pixels, such as 1920x1080")
    return int(match[1]), int(match[2])


def number(text: str, option: str) -> float:
    """A number.

    Raises:
        InputError: the text is none; the message names the option.
    """
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{option} is {text!r}; expected a number") from None


def person_id(text: str) -> int:
    """The number of a person from 1 or p1, as argparse's ``type``."""
    number = text.strip().removeprefix("p")
    if not number.isdecimal():
        raise argparse.ArgumentTypeError(f"is {text!r}; give the number of a person, such as 1 or p1")
    return int(number)
