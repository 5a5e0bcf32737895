"""OpenPose results: a folder with one JSON file a frame, BODY_25 joints, no track numbers."""

import re
from pathlib import Path

from hyperlift.errors import InputError
from hyperlift.skeletons import BODY_25
from hyperlift.wild.json_text import load_json, parse_keypoints
from hyperlift.wild.keypoints import Detection, Detections

_FILE_PATTERN = "*_keypoints.json"


def looks_like_openpose(content: object) -> bool:
    """Whether parsed JSON has the layout of one OpenPose frame: an object with a list ``people``."""
    return isinstance(content, dict) and isinstance(content.get("people"), list)


def openpose_files(folder: Path) -> list[Path]:
    """The frame files of a folder, unsorted."""
    return list(folder.glob(_FILE_PATTERN))


def read_openpose(files: list[Path], source: str) -> Detections:
    """Read frame files; the frame number is the last run of digits before ``_keypoints.json``.

    Args:
        files: one file a frame, in any order.
        source: name of the folder or file, for messages.

    Raises:
        InputError: a file has no frame number or one that another has, another layout, or another joint
            count.
    """
    by_frame: dict[int, Path] = {}
    for file in files:
        frame = _frame_number(file)
        if frame in by_frame:
            raise InputError(
                f"{source}: {by_frame[frame].name} and {file.name} are both frame {frame}; "
                "keep one recording in a folder"
            )
        by_frame[frame] = file
    frames = {frame: _read_frame(file) for frame, file in sorted(by_frame.items())}
    return Detections(source=source, tool="OpenPose", skeleton=BODY_25, frames=frames)


def _frame_number(file: Path) -> int:
    digits = re.findall(r"\d+", file.name.removesuffix("_keypoints.json"))
    if not digits:
        raise InputError(f"{file}: its name holds no frame number; expected NAME_000000000012_keypoints.json")
    return int(digits[-1])


def _read_frame(file: Path) -> list[Detection]:
    content = load_json(file)
    if not isinstance(content, dict) or not isinstance(content.get("people"), list):
        raise InputError(f"{file}: holds no list 'people'; expected one frame of OpenPose")
    people = []
    for person in content["people"]:
        if not isinstance(person, dict):
            raise InputError(f"{file}: an entry of 'people' is no object; expected pose_keypoints_2d in it")
        numbers = person.get("pose_keypoints_2d", person.get("pose_keypoints"))
        if numbers == []:  # a face or hand without a body
            continue
        people.append(Detection(parse_keypoints(numbers, BODY_25, str(file))))
    return people
