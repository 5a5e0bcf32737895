"""Validation of keypoints in parsed JSON."""

from collections.abc import Sequence
from types import NoneType
from typing import TypeGuard

import numpy as np

from hyperlift.errors import InputError
from hyperlift.keypoints.formats.numbers import MAX_COORDINATE
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton


def joint_count(numbers: object, where: str) -> int:
    """Number of joints of a flat list x, y, confidence, x, y, …

    Raises:
        InputError: the value is not such a list.
    """
    if not _are_numbers(numbers):
        raise InputError(f"{where}: its keypoints are no flat list of numbers; expected x, y, confidence of each joint")
    if not numbers or len(numbers) % 3:
        raise InputError(f"{where}: {len(numbers)} numbers for a person; expected x, y, confidence of each joint")
    return len(numbers) // 3


def parse_keypoints(numbers: object, skeleton: Skeleton, where: str) -> Float[np.ndarray, "joints 3"]:
    """Convert a flat list x, y, confidence, x, y, … to an array.

    Args:
        numbers: the value in the file.
        skeleton: the required joint set.
        where: file and frame, for messages.

    Raises:
        InputError: the value is not a list of finite numbers, or has another joint count.
    """
    if not _are_numbers(numbers):
        raise InputError(f"{where}: its keypoints are no flat list of numbers; expected x, y, confidence of each joint")
    if len(numbers) != 3 * len(skeleton):
        raise InputError(
            f"{where}: {len(numbers)} numbers for a person; expected {3 * len(skeleton)}, "
            f"which is x, y, confidence of the {len(skeleton)} joints of {skeleton.name}"
        )
    return _near(numbers, where).reshape(-1, 3)


def number_columns(
    columns: Sequence[object], count: int, where: str, what: str
) -> Float[np.ndarray, "numbers columns"]:
    """Convert lists of equal length to the columns of an array.

    Args:
        columns: the values in the file.
        count: required length.
        where: file and frame, for messages.
        what: description of the lists, for messages.

    Raises:
        InputError: a value is not a list of finite numbers, or has another length.
    """
    for column in columns:
        if not _are_numbers(column):
            raise InputError(f"{where}: {what}: no list of numbers")
        if len(column) != count:
            raise InputError(f"{where}: {what}: {len(column)} numbers for {count} joints")
    return _near(columns, where).T


def _are_numbers(value: object) -> TypeGuard[list]:
    return isinstance(value, list) and set(map(type, value)) <= {int, float, NoneType}


def _near(numbers: Sequence[object], where: str) -> Float[np.ndarray, "*any"]:
    """Convert to an array, with NaN for null; numbers from ``MAX_COORDINATE`` on are rejected."""
    try:
        array = np.array(numbers, dtype=np.float64)
    except OverflowError:  # an integer of hundreds of digits
        array = np.array(np.inf)
    if (np.abs(array) >= MAX_COORDINATE).any():
        raise InputError(
            f"{where}: a keypoint is infinite or absurdly far away; write missing joints as 0, 0 with confidence 0"
        )
    return array
