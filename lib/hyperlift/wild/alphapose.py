"""AlphaPose results: one JSON list for the whole video, an entry a person and frame, COCO-17 joints."""

import re
from pathlib import PurePath

from hyperlift.errors import InputError
from hyperlift.skeletons import COCO_17
from hyperlift.wild.json_text import parse_keypoints
from hyperlift.wild.keypoints import Detection, Detections


def looks_like_alphapose(content: object) -> bool:
    """Whether parsed JSON has AlphaPose's layout: a list of objects with ``image_id`` and ``keypoints``."""
    return isinstance(content, list) and all(
        isinstance(entry, dict) and {"image_id", "keypoints"} <= entry.keys() for entry in content
    )


def parse_alphapose(entries: list, source: str) -> Detections:
    """Read the entries of an ``alphapose-results.json``.

    The frame number is the last run of digits in ``image_id``; frames without people have no entry. ``idx``,
    where present, is the detector's own track number.

    Args:
        entries: the parsed list.
        source: file name for messages.

    Raises:
        InputError: an entry has no frame number, another joint count, or impossible numbers.
    """
    frames: dict[int, list[Detection]] = {}
    for number, entry in enumerate(entries):
        frame = _frame_number(entry["image_id"], f"{source}, entry {number}")
        keypoints_px = parse_keypoints(entry["keypoints"], COCO_17, f"{source}, entry {number} (frame {frame})")
        detection = Detection(keypoints_px, _track_id(entry.get("idx"), f"{source}, entry {number}"))
        frames.setdefault(frame, []).append(detection)
    return Detections(source=source, tool="AlphaPose", skeleton=COCO_17, frames=dict(sorted(frames.items())))


def _frame_number(image_id: object, where: str) -> int:
    if isinstance(image_id, int):
        return image_id
    digits = re.findall(r"\d+", PurePath(str(image_id)).stem)
    if not digits:
        raise InputError(f"{where}: image_id {image_id!r} holds no frame number; expected digits as in '12.jpg'")
    return int(digits[-1])


def _track_id(idx: object, where: str) -> int | None:
    # Some versions nest the number in one or two lists.
    while isinstance(idx, list) and idx:
        idx = idx[0]
    if idx is None or idx == []:
        return None
    if isinstance(idx, int | float) and float(idx).is_integer():
        return int(idx)
    raise InputError(f"{where}: idx is {idx!r}; expected a whole number")
