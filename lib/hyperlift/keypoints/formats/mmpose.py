"""MMPose predictions (including RTMPose): frames of instances with ``keypoints`` and ``keypoint_scores``.

The demo scripts write an object with ``meta_info`` and ``instance_info``, whose ``frame_id`` starts at 1. The
inferencer writes a list of frames, which starts at 0, or one file per image, and returns the list as ``predictions``.
Release 0.x wrote lists of ``bbox`` and ``keypoints`` with x, y, score.
"""

from collections.abc import Iterable

import numpy as np

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.formats.json_stream import JsonList, is_list, load_json
from hyperlift.keypoints.formats.json_text import number_columns
from hyperlift.keypoints.formats.numbers import whole_number
from hyperlift.keypoints.formats.source import Format, Hints, Source, files_by_frame, skeleton_by_count
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import COCO_17, COCO_WHOLEBODY_133, HALPE_26
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.skeletons.spellings import skeleton_from_names

_OWN = (COCO_17, HALPE_26, COCO_WHOLEBODY_133)


def _fits(source: Source) -> bool:
    if source.kind == "folder":
        return any(_are_frames([load_json(file)]) for file in source.files("*.json")[:1])
    content = source.json
    if isinstance(content, dict):
        return is_list(content.get("instance_info")) or _are_frames(content.get("predictions"))
    return isinstance(content, JsonList) and _are_frames(content)


def _are_frames(content: object) -> bool:
    """Whether a value is a list of frames, or a list of the instances of one image."""
    if not isinstance(content, list | JsonList) or not content:
        return False
    if all(isinstance(entry, dict) and "instances" in entry for entry in content):
        return True
    people = (person for entry in content for person in (entry if isinstance(entry, list) else [entry]))
    anybody = False
    for person in people:
        if not _is_instance(person):
            return False
        anybody = True
    return anybody


def _is_instance(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    old = "bbox" in value and isinstance(value.get("keypoints"), list) and all(map(_is_triple, value["keypoints"]))
    return "keypoint_scores" in value or old


def _is_triple(point: object) -> bool:
    return isinstance(point, list) and len(point) == 3


def _read(source: Source, hints: Hints) -> Detections:
    """``frame_id`` starts at 1 with ``instance_info``, unless a 0 occurs, and at 0 in a list; frames without a number
    are numbered by position. A list of instances is one image."""
    skeleton = hints.skeleton
    entries, from_1 = _entries(source, hints)
    if skeleton is None and isinstance(source.json, dict):
        skeleton = _named_skeleton(source.json.get("meta_info"), str(source))
    # Frames without a number are numbered by position, from 0.
    first = 1 if from_1 and _least_number(entries, str(source)) >= 1 else 0
    people, known = PeopleCollector(), set[int]()
    for position, entry in enumerate(entries):
        number, instances, is_own = _frame(entry, position, str(source))
        frame = number - first if is_own else number
        if frame in known:
            raise InputError(f"{source}: frame_id {number} occurs twice; keep one recording in a file")
        known.add(frame)
        people.add_frame(frame)
        for person, instance in enumerate(instances):
            where = f"{source}, frame {number}, instance {person}"
            with people.entry():
                if instance is None:
                    continue
                if not isinstance(instance, dict) or not isinstance(instance.get("keypoints"), list):
                    raise InputError(f"{where}: has no list 'keypoints'; expected [[x, y], …]")
                points = instance["keypoints"]
                if skeleton is None:
                    skeleton = skeleton_by_count(len(points), _OWN, hints, where, "MMPose")
                keypoints = _keypoints(points, instance, skeleton, where)
                people.add(frame, keypoints, whole_number(instance.get("track_id"), where, "track_id"))
    return people.detections(str(source), "MMPose", skeleton or COCO_17)


def _entries(source: Source, hints: Hints) -> tuple[Iterable, bool]:
    """The frames, and whether their numbers may start at 1."""
    if source.kind == "folder":
        files = files_by_frame(source.files("*.json"), str(source), "000012.json", hints)
        return ({"frame_id": frame, "instances": load_json(file)} for frame, file in files.items()), False
    content = source.json
    entries = content.get("instance_info", content.get("predictions")) if isinstance(content, dict) else content
    assert isinstance(entries, list | JsonList), "_fits has checked this"
    if all(map(_is_instance, entries)):
        return [list(entries)], False
    return entries, isinstance(content, dict) and "instance_info" in content


def _least_number(entries: Iterable, where: str) -> int:
    """The smallest ``frame_id``; 0 if no frame has one."""
    frames = (_frame(entry, position, where) for position, entry in enumerate(entries))
    return min((number for number, _, is_own in frames if is_own), default=0)


def _frame(entry: object, position: int, where: str) -> tuple[int, list, bool]:
    """The number of a frame, its people, and whether the number is its ``frame_id``."""
    if isinstance(entry, list):
        return position, entry, False
    if not isinstance(entry, dict) or not isinstance(entry.get("instances"), list):
        raise InputError(f"{where}, frame {position}: has no list 'instances'; expected MMPose's predictions")
    number = whole_number(entry.get("frame_id"), f"{where}, frame {position}", "frame_id")
    return (position, entry["instances"], False) if number is None else (number, entry["instances"], True)


def _keypoints(points: list, instance: dict, skeleton: Skeleton, where: str) -> Float[np.ndarray, "joints 3"]:
    if len(points) != len(skeleton):
        raise InputError(f"{where}: {len(points)} joints; expected the {len(skeleton)} of {skeleton.name}")
    if "keypoint_scores" not in instance and all(map(_is_triple, points)):
        columns = [[point[axis] for point in points] for axis in range(3)]
        return number_columns(columns, len(skeleton), where, "keypoints")
    if not all(isinstance(point, list) and len(point) == 2 for point in points):
        raise InputError(f"{where}: a keypoint is no pair x, y; these may be 3D poses, but 2D keypoints are wanted")
    scores = instance.get("keypoint_scores", [1.0] * len(points))
    columns = [[point[0] for point in points], [point[1] for point in points], scores]
    return number_columns(columns, len(skeleton), where, "keypoints and keypoint_scores")


def _named_skeleton(meta: object, where: str) -> Skeleton | None:
    """The joint set in ``meta_info``; None if there is none."""
    id2name = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    if isinstance(id2name, dict) and id2name:
        try:
            names = [str(id2name[key]) for key in sorted(id2name, key=int)]
        except ValueError:
            raise InputError(f"{where}: meta_info.keypoint_id2name has keys that are no numbers") from None
        return skeleton_from_names(names, where)
    return None


MMPOSE = Format("mmpose", "MMPose predictions", _fits, _read)
