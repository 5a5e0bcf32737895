"""COCO keypoint results and COCO annotations: lists of people with the id of their image."""

import re
from collections.abc import Iterable, Mapping

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.alphapose import entries, first_entries, person_in
from hyperlift.keypoints.formats.collector import PeopleCollector, as_confidences
from hyperlift.keypoints.formats.json_stream import is_list
from hyperlift.keypoints.formats.json_text import joint_count, parse_keypoints
from hyperlift.keypoints.formats.numbers import LARGEST_NUMBER, whole_number
from hyperlift.keypoints.formats.picture_names import frame_numbers
from hyperlift.keypoints.formats.source import Format, Hints, Source, skeleton_by_count
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import COCO_17, COCO_WHOLEBODY_133, HALPE_26, HALPE_136
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.skeletons.spellings import skeleton_from_names

_OWN = (COCO_17, COCO_WHOLEBODY_133, HALPE_26, HALPE_136)
HIDDEN_CONFIDENCE = 0.5
"""Confidence of a joint that is annotated as hidden (flag 1). Chosen: its position is estimated, but not arbitrary."""
_FLAGS = (0.0, 1.0, 2.0)
"""Visibility flags of COCO: not labelled, hidden, visible."""
_SPARSEST_IDS = 10
"""Image ids are frame numbers if the largest is below this multiple of their count. Chosen: sparse annotations
cover at least every tenth frame."""
_SMALL_ID = 1000
"""Image ids below this are frame numbers. Chosen: ids that are not frame numbers are usually larger."""


def frames_of_ids(ids: Iterable[int]) -> dict[int, int]:
    """Map image ids to frame numbers.

    If all ids can be frame numbers (not negative, and the largest is below ten times their count or below 1000), they
    are unchanged. Otherwise the images are numbered from 0 in ascending order of the ids.
    """
    ordered = sorted(set(ids))
    if not ordered or (ordered[0] >= 0 and ordered[-1] < max(_SPARSEST_IDS * len(ordered), _SMALL_ID)):
        return {number: number for number in ordered}
    return {number: frame for frame, number in enumerate(ordered)}


def _results_fit(source: Source) -> bool:
    first = first_entries(source.json)
    return bool(first) and all(type(entry["image_id"]) is int for entry in first)


def _read_results(source: Source, hints: Hints) -> Detections:
    skeleton: Skeleton | None = None
    people, places = PeopleCollector(_of_flags_or_confidences), dict[int, int]()
    for where, entry in entries(source):
        with people.entry():
            person = person_in(entry, where)
            if skeleton is None:
                skeleton = skeleton_by_count(joint_count(person["keypoints"], where), _OWN, hints, where, "COCO")
            keypoints = parse_keypoints(person["keypoints"], skeleton, where)
            place = places.setdefault(_near_id(person["image_id"], where), len(places))
            people.add(place, keypoints, whole_number(person.get("track_id"), where, "track_id"))
    frame_of_id = frames_of_ids(places)
    people.renumber([frame_of_id[number] for number in places])
    return people.detections(str(source), "COCO results", skeleton or COCO_17)


def _near_id(value: object, where: str) -> int:
    if type(value) is not int or abs(value) >= LARGEST_NUMBER:
        raise InputError(f"{where}: image_id is {quoted(value)}; expected a whole number below {LARGEST_NUMBER}")
    return value


def _of_flags_or_confidences(third: Float[np.ndarray, " points"]) -> tuple[Float[np.ndarray, " points"], str | None]:
    # Flags are assumed only if a 2 occurs: 0 and 1 alone may be confidences.
    are_flags = bool(np.isin(third, _FLAGS).all()) and bool((third == 2.0).any())
    return _of_flags(third) if are_flags else as_confidences(third)


def _of_flags(flags: Float[np.ndarray, " points"]) -> tuple[Float[np.ndarray, " points"], None]:
    return np.select([flags >= 2, flags >= 1], [1.0, HIDDEN_CONFIDENCE], 0.0), None


def _annotations_fit(source: Source) -> bool:
    content = source.json
    return isinstance(content, dict) and all(is_list(content.get(key)) for key in ("images", "annotations"))


def _read_annotations(source: Source, hints: Hints) -> Detections:
    content = source.json
    assert isinstance(content, dict)
    pictures = _pictures(content["images"], hints, str(source))
    skeletons = _category_skeletons(content.get("categories"), hints, str(source))
    people = PeopleCollector(_of_flags)
    for number in pictures.values():
        if number is not None:
            people.add_frame(number)
    skeleton: Skeleton | None = None
    for number, entry in enumerate(content["annotations"]):
        if entry is None:
            continue
        where = f"{source}, annotation {number}"
        with people.entry():
            skeleton = _gather_annotation(entry, pictures, skeletons, skeleton, people, hints, where)
    return people.detections(str(source), "COCO annotations", skeleton or COCO_17)


def _gather_annotation(
    entry: object,
    pictures: Mapping[int, int | None],
    skeletons: Mapping[int, Skeleton],
    skeleton: Skeleton | None,
    people: PeopleCollector,
    hints: Hints,
    where: str,
) -> Skeleton | None:
    """Add one annotation; return the joint set of all people so far."""
    if not isinstance(entry, dict):
        raise InputError(f"{where}: no object; expected image_id and keypoints in it")
    category = _id(entry.get("category_id"))
    if "keypoints" not in entry or (skeletons and category not in skeletons):
        return skeleton  # an object that is not a person
    picture = _id(entry.get("image_id"))
    if picture is None or picture not in pictures:
        raise InputError(f"{where}: image_id {quoted(entry.get('image_id'))} is not among the images")
    own = skeletons.get(category) if category is not None else None
    if own is None:
        own = skeleton_by_count(joint_count(entry["keypoints"], where), _OWN, hints, where, "COCO")
    if skeleton not in (None, own):
        raise InputError(f"{where}: a second set of joints ({own.name}); keep one category with keypoints")
    keypoints = parse_keypoints(entry["keypoints"], own, where)
    if not np.isin(keypoints[:, 2], _FLAGS).all():
        raise InputError(f"{where}: the third numbers of annotations are 0, 1 or 2 (absent, hidden, visible)")
    frame = pictures[picture]
    if frame is not None:  # None: an image of another recording
        people.add(frame, keypoints, whole_number(entry.get("track_id"), where, "track_id"))
    return own


def _pictures(images: Iterable, hints: Hints, where: str) -> dict[int, int | None]:
    """Map image ids to frame numbers, or None for images of other recordings.

    File names are used if all contain a number, because the order of ids is arbitrary; else ids.
    """
    names: dict[int, object] = {}
    for image in images:
        number = image.get("id") if isinstance(image, dict) else None
        if type(number) is not int:
            raise InputError(f"{where}: an entry of 'images' has no whole number 'id'; export the annotations again")
        names[_near_id(number, where)] = image.get("file_name")
    texts = [name for name in names.values() if isinstance(name, str) and re.search("[0-9]", name)]
    if len(set(texts)) < len(names) or not names:
        return {**frames_of_ids(names)}
    numbers = frame_numbers(texts, f"{where}, file_name", "'000012.jpg'", hints.recording)
    frame_of_id = frames_of_ids(number for number in numbers if number is not None)
    return {name: None if number is None else frame_of_id[number] for name, number in zip(names, numbers, strict=True)}


def _id(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _category_skeletons(categories: object, hints: Hints, where: str) -> dict[int, Skeleton]:
    """Map the ids of categories with keypoints to joint sets."""
    if not is_list(categories):
        return {}
    named = {
        category["id"]: category["keypoints"]
        for category in categories  # type: ignore[attr-defined]  # a list
        if isinstance(category, dict)
        and isinstance(category.get("id"), int)
        and isinstance(category.get("keypoints"), list)
        and category["keypoints"]
    }
    if hints.skeleton is not None:
        return dict.fromkeys(named, hints.skeleton)
    return {number: skeleton_from_names([str(name) for name in names], where) for number, names in named.items()}


COCO_RESULTS = Format("coco-results", "COCO keypoint results", _results_fit, _read_results)
COCO_ANNOTATIONS = Format("coco-annotations", "COCO annotations", _annotations_fit, _read_annotations)
