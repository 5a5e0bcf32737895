"""OpenPose results: a folder with one JSON file a frame, no track numbers.

AlphaPose writes the same with ``--format open``, and almost the same with ``--format cmu``: ``bodies`` with
``joints`` instead of ``people`` with ``pose_keypoints_2d``.
"""

from pathlib import Path

from hyperlift.errors import InputError
from hyperlift.skeletons import BODY_25, COCO_18, Skeleton
from hyperlift.wild.formats.gathering import Gathered
from hyperlift.wild.formats.json_stream import is_list, load_json
from hyperlift.wild.formats.json_text import joint_count, parse_keypoints
from hyperlift.wild.formats.source import Format, Hints, Source, files_by_frame, skeleton_by_count
from hyperlift.wild.keypoints import Detections

_OWN = (BODY_25, COCO_18)
_SUFFIX = "_keypoints.json"
_EXAMPLE = "NAME_000000000012_keypoints.json"
_BODY_KEYS = ("pose_keypoints_2d", "pose_keypoints", "joints")


def _fits(source: Source) -> bool:
    if source.kind == "folder":
        return bool(source.files(f"*{_SUFFIX}")) or any(_is_frame(load_json(f)) for f in _first_json(source))
    return _is_frame(source.json)


def _first_json(source: Source) -> list[Path]:
    return source.files("*.json")[:1]


def _people(content: object) -> object:
    """The people of one frame."""
    return content.get("people", content.get("bodies")) if isinstance(content, dict) else None


def _is_frame(content: object) -> bool:
    return is_list(_people(content))


def _read(source: Source, hints: Hints) -> Detections:
    """The frame number is the one that changes in the names, before ``_keypoints.json``."""
    files = source.files(f"*{_SUFFIX}") or source.files("*.json") or [source.path]
    skeleton: Skeleton | None = None
    people = Gathered()
    for frame, file in files_by_frame(files, str(source), _EXAMPLE, hints, _SUFFIX).items():
        people.add_frame(frame)
        for person in _bodies(file):
            with people.entry():
                numbers = _body(person, file)
                if numbers == [] or numbers is None:  # a face or hand without a body
                    continue
                if skeleton is None:
                    skeleton = skeleton_by_count(joint_count(numbers, str(file)), _OWN, hints, str(file), "OpenPose")
                people.add(frame, parse_keypoints(numbers, skeleton, str(file)))
    return people.detections(str(source), "OpenPose", skeleton or BODY_25)


def _bodies(file: Path) -> list[object]:
    people = _people(load_json(file))
    if not isinstance(people, list):
        raise InputError(f"{file}: holds no list 'people'; expected one frame of OpenPose")
    return [person for person in people if person is not None]


def _body(person: object, file: Path) -> object:
    if not isinstance(person, dict):
        raise InputError(f"{file}: an entry of 'people' is no object; expected pose_keypoints_2d in it")
    return next((person[key] for key in _BODY_KEYS if key in person), None)


OPENPOSE = Format("openpose", "a folder of OpenPose files", _fits, _read)
