"""AlphaPose results: one JSON list for the whole video, an entry a person and frame."""

from pathlib import PurePath

from hyperlift.errors import InputError
from hyperlift.skeletons import COCO_17, COCO_WHOLEBODY_133, HALPE_26, HALPE_136, Skeleton
from hyperlift.wild.formats.json_text import LARGEST_NUMBER, joint_count, parse_keypoints, whole_number
from hyperlift.wild.formats.source import Format, Hints, Source, last_number, skeleton_by_count
from hyperlift.wild.keypoints import Detection, Detections

_OWN = (COCO_17, HALPE_26, COCO_WHOLEBODY_133, HALPE_136)


def is_entry_list(content: object) -> bool:
    """Whether parsed JSON is a list of objects with ``image_id`` and ``keypoints``, as AlphaPose and COCO write it."""
    return isinstance(content, list) and all(
        isinstance(entry, dict) and {"image_id", "keypoints"} <= entry.keys() for entry in content
    )


def _fits(source: Source) -> bool:
    return is_entry_list(source.json)


def _read(source: Source, hints: Hints) -> Detections:
    """The frame number is the last run of digits in ``image_id``; frames without people have no entry. ``idx``,
    where present, is the detector's own track number."""
    entries = source.json
    assert isinstance(entries, list)
    skeleton: Skeleton | None = None
    frames: dict[int, list[Detection]] = {}
    for number, entry in enumerate(entries):
        where = f"{source}, entry {number}"
        frame = _frame_number(entry["image_id"], where)
        numbers = entry["keypoints"]
        if skeleton is None:
            skeleton = skeleton_by_count(joint_count(numbers, where), _OWN, hints, where, "AlphaPose")
        keypoints_px = parse_keypoints(numbers, skeleton, f"{where} (frame {frame})")
        frames.setdefault(frame, []).append(Detection(keypoints_px, _track_id(entry.get("idx"), where)))
    return Detections(
        source=str(source), tool="AlphaPose", skeleton=skeleton or COCO_17, frames=dict(sorted(frames.items()))
    )


def _frame_number(image_id: object, where: str) -> int:
    if type(image_id) is int and 0 <= image_id < LARGEST_NUMBER:
        return image_id
    if not isinstance(image_id, str):
        raise InputError(f"{where}: image_id is {image_id!r}; expected a name such as '12.jpg'")
    return last_number(PurePath(image_id).stem, f"{where}, image_id", "'12.jpg'")


def _track_id(idx: object, where: str) -> int | None:
    # Some versions nest the number in one or two lists.
    while isinstance(idx, list) and idx:
        idx = idx[0]
    return whole_number(None if idx == [] else idx, where, "idx")


ALPHAPOSE = Format("alphapose", "an AlphaPose results file", _fits, _read)
