"""COCO keypoint results and COCO annotations: a list of people, each with the id of its picture."""

from collections.abc import Iterable

import numpy as np

from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.skeletons import COCO_17, COCO_WHOLEBODY_133, HALPE_26, HALPE_136, Skeleton
from hyperlift.skeletons.spellings import skeleton_of_names
from hyperlift.wild.formats.alphapose import is_entry_list
from hyperlift.wild.formats.json_text import joint_count, parse_keypoints, whole_number
from hyperlift.wild.formats.source import Format, Hints, Source, skeleton_by_count
from hyperlift.wild.keypoints import Detection, Detections

_OWN = (COCO_17, COCO_WHOLEBODY_133, HALPE_26, HALPE_136)
HIDDEN_CONFIDENCE = 0.5
"""Confidence of a joint that is marked as hidden but was placed all the same."""
_SPARSEST_IDS = 10
"""Picture ids that reach beyond this many times their number are no frame numbers."""


def frames_of_ids(ids: Iterable[int]) -> dict[int, int]:
    """Which frame a picture id means.

    Where the ids look like frame numbers (none negative, the largest below ten times their count, or below 1000)
    they are taken as such, gaps included. Otherwise they are names of pictures, and the pictures are numbered from 0
    in the ascending order of their ids.
    """
    ordered = sorted(set(ids))
    if not ordered or (ordered[0] >= 0 and ordered[-1] < max(_SPARSEST_IDS * len(ordered), 1000)):
        return {number: number for number in ordered}
    return {number: frame for frame, number in enumerate(ordered)}


def _results_fit(source: Source) -> bool:
    content = source.json
    return (
        is_entry_list(content)
        and isinstance(content, list)
        and bool(content)
        and all(type(entry["image_id"]) is int for entry in content)
    )


def _read_results(source: Source, hints: Hints) -> Detections:
    entries = source.json
    assert isinstance(entries, list)
    frame_of = frames_of_ids(entry["image_id"] for entry in entries)
    skeleton: Skeleton | None = None
    people: list[tuple[int, Float[np.ndarray, "joints 3"], int | None]] = []
    for number, entry in enumerate(entries):
        where = f"{source}, entry {number}"
        if skeleton is None:
            skeleton = skeleton_by_count(joint_count(entry["keypoints"], where), _OWN, hints, where, "COCO")
        keypoints = parse_keypoints(entry["keypoints"], skeleton, where)
        raw = np.array(entry["keypoints"][2::3], dtype=np.float64)
        keypoints[:, 2] = np.where(np.isfinite(keypoints[:, 0]), raw, 0.0)
        track_id = whole_number(entry.get("track_id"), where, "track_id")
        people.append((frame_of[entry["image_id"]], keypoints, track_id))
    confidence_of = _confidence_of_flags if _are_flags(keypoints for _, keypoints, _ in people) else _clipped
    frames: dict[int, list[Detection]] = {}
    for frame, keypoints, track_id in people:
        frames.setdefault(frame, []).append(Detection(confidence_of(keypoints), track_id))
    return Detections(
        source=str(source), tool="COCO results", skeleton=skeleton or COCO_17, frames=dict(sorted(frames.items()))
    )


def _are_flags(people: Iterable[Float[np.ndarray, "joints 3"]]) -> bool:
    """Whether the third numbers are COCO's 0, 1, 2. A 2 has to be among them: 0 and 1 alone are confidences too."""
    values = {float(value) for keypoints in people for value in keypoints[:, 2]}
    return values <= {0.0, 1.0, 2.0} and 2.0 in values


def _clipped(keypoints: Float[np.ndarray, "joints 3"]) -> Float[np.ndarray, "joints 3"]:
    return np.concatenate([keypoints[:, :2], keypoints[:, 2:].clip(0, 1)], axis=-1)


def _confidence_of_flags(keypoints: Float[np.ndarray, "joints 3"]) -> Float[np.ndarray, "joints 3"]:
    confidence = np.select([keypoints[:, 2] >= 2, keypoints[:, 2] >= 1], [1.0, HIDDEN_CONFIDENCE], 0.0)
    return np.concatenate([keypoints[:, :2], confidence[:, None]], axis=-1)


def _annotations_fit(source: Source) -> bool:
    content = source.json
    return isinstance(content, dict) and all(isinstance(content.get(key), list) for key in ("images", "annotations"))


def _read_annotations(source: Source, hints: Hints) -> Detections:
    content = source.json
    assert isinstance(content, dict)
    pictures = _pictures(content["images"], str(source))
    skeletons = _category_skeletons(content.get("categories"), hints, str(source))
    frames: dict[int, list[Detection]] = {frame: [] for frame in sorted(pictures.values())}
    skeleton: Skeleton | None = None
    for number, entry in enumerate(content["annotations"]):
        where = f"{source}, annotation {number}"
        if not isinstance(entry, dict):
            raise InputError(f"{where}: no object; expected image_id and keypoints in it")
        category = _id(entry.get("category_id"))
        if "keypoints" not in entry or (skeletons and category not in skeletons):
            continue  # a thing that is not a person
        picture = _id(entry.get("image_id"))
        if picture not in pictures:
            raise InputError(f"{where}: image_id {entry.get('image_id')!r} is not among the images")
        own = skeletons.get(category) if category is not None else None
        if own is None:
            own = skeleton_by_count(joint_count(entry["keypoints"], where), _OWN, hints, where, "COCO")
        if skeleton not in (None, own):
            raise InputError(f"{where}: a second set of joints ({own.name}); keep one category with keypoints")
        skeleton = own
        keypoints = _confidence_of_flags(_with_flags(entry["keypoints"], own, where))
        if np.isfinite(keypoints[:, 0]).any():
            track_id = whole_number(entry.get("track_id"), where, "track_id")
            frames[pictures[picture]].append(Detection(keypoints, track_id))
    return Detections(source=str(source), tool="COCO annotations", skeleton=skeleton or COCO_17, frames=frames)


def _with_flags(numbers: object, skeleton: Skeleton, where: str) -> Float[np.ndarray, "joints 3"]:
    keypoints = parse_keypoints(numbers, skeleton, where)
    assert isinstance(numbers, list)
    flags = np.array(numbers[2::3], dtype=np.float64)
    if not set(flags.tolist()) <= {0.0, 1.0, 2.0}:
        raise InputError(f"{where}: the third numbers of annotations are 0, 1 or 2 (absent, hidden, visible)")
    keypoints[:, 2] = np.where(np.isfinite(keypoints[:, 0]), flags, 0.0)
    return keypoints


def _pictures(images: list, where: str) -> dict[int, int]:
    ids = [image.get("id") if isinstance(image, dict) else None for image in images]
    if not all(type(number) is int for number in ids):
        raise InputError(f"{where}: an entry of 'images' has no whole number 'id'; export the annotations again")
    return frames_of_ids(number for number in ids if number is not None)


def _id(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _category_skeletons(categories: object, hints: Hints, where: str) -> dict[int, Skeleton]:
    """Category id to joint set, of the categories that have one."""
    if not isinstance(categories, list):
        return {}
    named = {
        category["id"]: category["keypoints"]
        for category in categories
        if isinstance(category, dict)
        and isinstance(category.get("id"), int)
        and isinstance(category.get("keypoints"), list)
        and category["keypoints"]
    }
    if hints.skeleton is not None:
        return dict.fromkeys(named, hints.skeleton)
    return {number: skeleton_of_names([str(name) for name in names], where) for number, names in named.items()}


COCO_RESULTS = Format("coco-results", "COCO keypoint results", _results_fit, _read_results)
COCO_ANNOTATIONS = Format("coco-annotations", "COCO annotations", _annotations_fit, _read_annotations)
