"""Frame and track numbers, wherever a file writes them."""

import re

from hyperlift.errors import InputError, quoted

LARGEST_NUMBER = 10**15
"""No frame or track has a number beyond this."""


def last_number(name: str, where: str, example: str) -> int:
    """The last run of digits in a name.

    Raises:
        InputError: there is none.
    """
    digits = re.findall(r"[0-9]+", name)
    number = whole(digits[-1]) if digits else None
    if number is None:
        raise InputError(f"{where}: {quoted(name, 60)} holds no frame number; expected digits as in {example}")
    return number


def whole(digits: str) -> int | None:
    """The number that digits write; None if no frame or track has a number so large."""
    digits = digits.lstrip("0") or "0"
    number = int(digits) if len(digits) <= len(str(LARGEST_NUMBER)) else LARGEST_NUMBER
    return number if number < LARGEST_NUMBER else None


def whole_number(value: object, where: str, what: str) -> int | None:
    """A track or frame number that may be absent (None).

    Raises:
        InputError: it is something else than a whole number.
    """
    if value is None:
        return None
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    if abs(number) < LARGEST_NUMBER and number == int(number):
        return int(number)
    raise InputError(f"{where}: {what} is {quoted(value)}; expected a whole number")
