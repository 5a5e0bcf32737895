"""OpenPose results with one JSON object per frame: a folder of files, a list in one file, or a pickle of OpenCap.

AlphaPose writes the same format with ``--format open``, and a similar one with ``--format cmu``: ``bodies`` with
``joints`` instead of ``people`` with ``pose_keypoints_2d``. DWPose and ComfyUI write a list of frames with the image
size, in normalised coordinates or in pixels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from hyperlift.errors import InputError
from hyperlift.keypoints.checks import with_plausible_joints
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.formats.json_stream import JsonList, is_list, load_json
from hyperlift.keypoints.formats.json_text import joint_count, parse_keypoints
from hyperlift.keypoints.formats.numbers import look_like_fractions, scale_to_pixels
from hyperlift.keypoints.formats.source import Format, Hints, Source, files_by_frame, skeleton_by_count
from hyperlift.safe_io.pickles import load_pickle
from hyperlift.skeletons.joint_sets import (
    BODY_19,
    BODY_25,
    BODY_25B,
    COCO_17,
    COCO_18,
    COCO_WHOLEBODY_133,
    H36M_17,
    HALPE_26,
    HALPE_136,
    OPENPOSE_MPI_15,
)
from hyperlift.skeletons.skeleton import Skeleton

_OWN = (
    *(BODY_25, COCO_18, COCO_17, OPENPOSE_MPI_15, BODY_19),
    *(HALPE_26, COCO_WHOLEBODY_133, HALPE_136),
)
_OF_ONE_SIZE = {BODY_25.name: (BODY_25B,), COCO_17.name: (H36M_17,)}
_SUFFIX = "_keypoints.json"
_EXAMPLE = "NAME_000000000012_keypoints.json"
_BODY_KEYS = ("pose_keypoints_2d", "pose_keypoints", "joints")
_DECIDING = 100
"""Frames of a list that are inspected to recognise the format. Chosen: bounds the time for large files."""

_Frame = tuple[int, list[object], str]
"""Frame number, people, and location for messages."""


def _fits(source: Source) -> bool:
    if source.kind == "folder":
        return bool(source.files(f"*{_SUFFIX}")) or any(_is_frame(load_json(f)) for f in _first_json(source))
    if source.kind == "pickle":
        return _are_frames_of_opencap(load_pickle(source.path))
    content = source.json
    if isinstance(content, JsonList):
        first = [frame for frame in content.head(_DECIDING) if frame is not None]
        return bool(first) and all(map(_is_frame, first))
    return _is_frame(content)


def _first_json(source: Source) -> list[Path]:
    return source.files("*.json")[:1]


def _people(content: object) -> object:
    """The people of one frame."""
    return content.get("people", content.get("bodies")) if isinstance(content, dict) else None


def _is_frame(content: object) -> bool:
    return is_list(_people(content))


def _are_frames_of_opencap(content: object) -> bool:
    frames = content if isinstance(content, list) else []
    people = [person for frame in frames if isinstance(frame, list) for person in frame]
    return bool(people) and all(isinstance(person, dict) and "pose_keypoints_2d" in person for person in people)


def _read(source: Source, hints: Hints) -> Detections:
    """Frame numbers come from the file names (see ``picture_names``) without ``_keypoints.json``; in a list, from the
    position."""
    skeleton: Skeleton | None = None
    people = PeopleCollector()
    for frame, bodies, where in _frames(source, hints):
        people.add_frame(frame)
        for person in bodies:
            with people.entry():
                numbers = None if person is None else _body(person, where)
                if numbers == [] or numbers is None:  # a face or hand without a body
                    continue
                if skeleton is None:
                    skeleton = skeleton_by_count(joint_count(numbers, where), _OWN, hints, where, "OpenPose")
                people.add(frame, parse_keypoints(numbers, skeleton, where))
    found = people.detections(str(source), "OpenPose", skeleton or BODY_25)
    canvas = _canvas(source)
    if look_like_fractions(found.people.keypoints_px):
        scale_to_pixels(found.people.keypoints_px, canvas or hints.size_for(str(source)))
    if hints.skeleton is None:
        found = with_plausible_joints(found, _OF_ONE_SIZE.get(found.skeleton.name, ()))
    return replace(found, picture_size=canvas)


def _frames(source: Source, hints: Hints) -> Iterator[_Frame]:
    if source.kind == "pickle":
        for number, bodies in enumerate(load_pickle(source.path)):
            yield number, bodies if isinstance(bodies, list) else [], f"{source}, frame {number}"
    elif isinstance(source.json, JsonList):
        for number, content in enumerate(source.json):
            where = f"{source}, frame {number}"
            yield number, [] if content is None else _bodies(content, where), where
    else:
        files = source.files(f"*{_SUFFIX}") or source.files("*.json") or [source.path]
        for frame, file in files_by_frame(files, str(source), _EXAMPLE, hints, _SUFFIX).items():
            yield frame, _bodies(load_json(file), str(file)), str(file)


def _bodies(content: object, where: str) -> list[object]:
    people = _people(content)
    if not isinstance(people, list):
        raise InputError(f"{where}: holds no list 'people'; expected one frame of OpenPose")
    return people


def _body(person: object, where: str) -> object:
    if not isinstance(person, dict):
        raise InputError(f"{where}: an entry of 'people' is no object; expected pose_keypoints_2d in it")
    return next((person[key] for key in _BODY_KEYS if key in person), None)


def _canvas(source: Source) -> tuple[int, int] | None:
    """The size of the picture, where the file states it."""
    content = source.json
    frames: Iterable[object] = content.head(1) if isinstance(content, JsonList) else [content]
    for frame in frames:
        width, height = (
            frame.get(f"canvas_{side}") if isinstance(frame, dict) else None for side in ("width", "height")
        )
        if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
            return width, height
    return None


OPENPOSE = Format("openpose", "OpenPose files (a folder, or a list of frames)", _fits, _read)
