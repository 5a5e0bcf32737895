"""AlphaPose results: one JSON list per video, with one entry per person and frame."""

from collections.abc import Iterator, Sequence

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.formats.json_stream import JsonList
from hyperlift.keypoints.formats.json_text import joint_count, parse_keypoints
from hyperlift.keypoints.formats.numbers import LARGEST_NUMBER, whole_number
from hyperlift.keypoints.formats.picture_names import PictureNames
from hyperlift.keypoints.formats.source import Format, Hints, Source, skeleton_by_count
from hyperlift.skeletons.joint_sets import COCO_17, COCO_WHOLEBODY_133, HALPE_26, HALPE_136
from hyperlift.skeletons.skeleton import Skeleton

_DECIDING = 1000
"""Entries that are inspected to recognise the format. Chosen: bounds the time for large files."""
_OWN = (COCO_17, HALPE_26, COCO_WHOLEBODY_133, HALPE_136)


def first_entries(content: object) -> Sequence[dict] | None:
    """The first entries of a JSON list of objects with ``image_id`` and ``keypoints``, as AlphaPose and COCO write it;
    None for other content."""
    if not isinstance(content, JsonList):
        return None
    first = [entry for entry in content.head(_DECIDING) if entry is not None]
    return first if all(map(is_entry, first)) else None


def is_entry(value: object) -> bool:
    """Whether a value is an entry of a person."""
    return isinstance(value, dict) and "image_id" in value and "keypoints" in value


def entries(source: Source) -> Iterator[tuple[str, object]]:
    """The entries of a file with their location for messages; null entries are skipped."""
    for number, entry in enumerate(source.json_list):
        if entry is not None:
            yield f"{source}, entry {number}", entry


def person_in(entry: object, where: str) -> dict:
    """Validate an entry of a person.

    Raises:
        InputError: the value is not such an entry.
    """
    if not isinstance(entry, dict) or not is_entry(entry):
        raise InputError(f"{where}: is {quoted(entry, 60)}; expected an object with image_id and keypoints")
    return entry


def _fits(source: Source) -> bool:
    return first_entries(source.json) is not None


def _read(source: Source, hints: Hints) -> Detections:
    """Frame numbers come from ``image_id`` (see ``picture_names``); frames without people have no entry. ``idx`` is the
    track number of the detector."""
    skeleton: Skeleton | None = None
    people, pictures = PeopleCollector(), PictureNames()
    for where, entry in entries(source):
        with people.entry():
            person = person_in(entry, where)
            name, numbers = _picture_name(person["image_id"], where), person["keypoints"]
            if skeleton is None:
                skeleton = skeleton_by_count(joint_count(numbers, where), _OWN, hints, where, "AlphaPose")
            keypoints_px = parse_keypoints(numbers, skeleton, f"{where} ({one_line(name)})")
            people.add(pictures.place(name), keypoints_px, _track_id(person.get("idx"), where))
    people.renumber(pictures.frames(f"{source}, image_id", "'12.jpg'", hints.recording))
    return people.detections(str(source), "AlphaPose", skeleton or COCO_17)


def _picture_name(image_id: object, where: str) -> str:
    if type(image_id) is int and 0 <= image_id < LARGEST_NUMBER:
        return str(image_id)
    if not isinstance(image_id, str):
        raise InputError(f"{where}: image_id is {quoted(image_id)}; expected a name such as '12.jpg'")
    return image_id


def _track_id(idx: object, where: str) -> int | None:
    # Some versions of AlphaPose nest the number in one or two lists.
    while isinstance(idx, list) and idx:
        idx = idx[0]
    return whole_number(None if idx == [] else idx, where, "idx")


ALPHAPOSE = Format("alphapose", "an AlphaPose results file", _fits, _read)
