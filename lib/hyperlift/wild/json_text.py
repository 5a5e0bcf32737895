"""Reading JSON that other programs wrote."""

import json
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.skeletons import Skeleton
from hyperlift.skeletons.mapping import mark_missing

_FAR_PX = 1e7
"""No picture is this wide; beyond it numbers overflow rather than mean something."""


def load_json(path: Path) -> object:
    """Parse a JSON file.

    Raises:
        InputError: the file cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: is not valid JSON ({error}); export the keypoints again") from error


def parse_keypoints(numbers: object, skeleton: Skeleton, where: str) -> Float[np.ndarray, "joints 3"]:
    """A flat list x, y, confidence, x, y, … to an array; missing joints become NaN, NaN, 0.

    Args:
        numbers: what stands in the file.
        skeleton: the joint set that the list must have.
        where: file and frame, for messages.

    Raises:
        InputError: no list of finite numbers, or another joint count.
    """
    if not isinstance(numbers, list) or not all(type(number) in (int, float) for number in numbers):
        raise InputError(f"{where}: its keypoints are no flat list of numbers; expected x, y, confidence of each joint")
    if len(numbers) != 3 * len(skeleton):
        raise InputError(
            f"{where}: {len(numbers)} numbers for a person; expected {3 * len(skeleton)}, "
            f"which is x, y, confidence of the {len(skeleton)} joints of {skeleton.name}"
        )
    if not all(abs(number) < _FAR_PX for number in numbers):
        raise InputError(
            f"{where}: a keypoint is NaN, infinite or absurdly far away; write missing joints as 0, 0 with confidence 0"
        )
    return mark_missing(np.array(numbers, dtype=np.float64).reshape(-1, 3))
