"""Reading JSON that other programs wrote."""

import json
from pathlib import Path
from typing import TypeGuard

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.skeletons import Skeleton
from hyperlift.skeletons.mapping import mark_missing

_FAR_PX = 1e7
"""No picture is this wide; beyond it numbers overflow rather than mean something."""
LARGEST_NUMBER = 10**15
"""No frame or track has a number beyond this."""


def load_json(path: Path) -> object:
    """Parse a JSON file.

    Raises:
        InputError: the file cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: is not valid JSON ({error}); export the keypoints again") from error


def joint_count(numbers: object, where: str) -> int:
    """How many joints a flat list x, y, confidence, x, y, … has.

    Raises:
        InputError: it is no such list.
    """
    if not _are_numbers(numbers):
        raise InputError(f"{where}: its keypoints are no flat list of numbers; expected x, y, confidence of each joint")
    if not numbers or len(numbers) % 3:
        raise InputError(f"{where}: {len(numbers)} numbers for a person; expected x, y, confidence of each joint")
    return len(numbers) // 3


def parse_keypoints(numbers: object, skeleton: Skeleton, where: str) -> Float[np.ndarray, "joints 3"]:
    """A flat list x, y, confidence, x, y, … to an array; missing joints become NaN, NaN, 0.

    Args:
        numbers: what stands in the file.
        skeleton: the joint set that the list must have.
        where: file and frame, for messages.

    Raises:
        InputError: no list of finite numbers, or another joint count.
    """
    if not _are_numbers(numbers):
        raise InputError(f"{where}: its keypoints are no flat list of numbers; expected x, y, confidence of each joint")
    if len(numbers) != 3 * len(skeleton):
        raise InputError(
            f"{where}: {len(numbers)} numbers for a person; expected {3 * len(skeleton)}, "
            f"which is x, y, confidence of the {len(skeleton)} joints of {skeleton.name}"
        )
    _check_near(numbers, where)
    return mark_missing(np.array(numbers, dtype=np.float64).reshape(-1, 3))


def number_columns(columns: list[object], count: int, where: str, what: str) -> Float[np.ndarray, "numbers columns"]:
    """Equally long lists of numbers to the columns of an array.

    Args:
        columns: what stands in the file.
        count: how long each has to be.
        where: file and frame, for messages.
        what: of what the lists are, for messages.

    Raises:
        InputError: one is no list of finite numbers, or has another length.
    """
    for column in columns:
        if not _are_numbers(column):
            raise InputError(f"{where}: {what}: no list of numbers")
        if len(column) != count:
            raise InputError(f"{where}: {what}: {len(column)} numbers for {count} joints")
        _check_near(column, where)
    return np.array(columns, dtype=np.float64).T


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
    raise InputError(f"{where}: {what} is {value!r}; expected a whole number")


def _are_numbers(value: object) -> TypeGuard[list]:
    return isinstance(value, list) and all(type(number) in (int, float) for number in value)


def _check_near(numbers: list, where: str) -> None:
    if not all(abs(number) < _FAR_PX for number in numbers):
        raise InputError(
            f"{where}: a keypoint is NaN, infinite or absurdly far away; write missing joints as 0, 0 with confidence 0"
        )
