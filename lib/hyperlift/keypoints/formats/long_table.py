"""Long tables: one row per joint, with columns such as ``frame, landmark, x, y[, visibility]``."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError, quoted
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.formats.numbers import frames_of_times, look_like_fractions, scale_to_pixels
from hyperlift.keypoints.formats.picture_names import PictureNames
from hyperlift.keypoints.formats.source import Format, Hints, Source
from hyperlift.keypoints.formats.tables import is_number, number_of, picture_name
from hyperlift.skeletons.joint_sets import MEDIAPIPE_33
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.skeletons.spellings import skeleton_from_names

_TITLES: Mapping[str, tuple[str, ...]] = {
    "frame": ("frame", "frame_id", "frame_idx", "frame_number", "frame_index", "image", "image_id", "file", "filename"),
    "time": ("time", "time_s", "time_ms", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_us"),
    "joint": (
        *("landmark", "landmark_id", "landmark_name", "landmark_index", "joint", "joint_name", "joint_id"),
        *("keypoint", "keypoint_name", "keypoint_id", "bodypart", "point", "index"),
    ),
    "person": ("person", "person_id", "track", "track_id", "individual", "instance", "subject", "id"),
    "x": ("x", "x_px"),
    "y": ("y", "y_px"),
    "confidence": ("visibility", "confidence", "likelihood", "score", "conf", "vis", "v"),
}
_NEEDED = {"joint", "x", "y"}


@dataclass(frozen=True)
class _Body:
    """A person in a frame, while its rows are read."""

    keypoints: np.ndarray
    seen: set[int]


def _columns(source: Source) -> dict[str, int]:
    titles = [cell.strip().lower().replace(" ", "_") for cell in source.head[0]] if source.head else []
    return {
        what: titles.index(title)
        for what, names in _TITLES.items()
        for title in [next((name for name in names if name in titles), None)]
        if title is not None
    }


def _fits(source: Source) -> bool:
    found = _columns(source).keys()
    return found >= _NEEDED and bool(found & {"frame", "time"})


def _read(source: Source, hints: Hints) -> Detections:
    """Frames come from the column of numbers or names, else from time stamps, with gaps. Joints are identified by name,
    or by number if there are 33 (MediaPipe) or the user gives the joint set. Without a column of people, a repeated
    joint begins the next person."""
    column = _columns(source)
    names = dict.fromkeys(row[column["joint"]].strip() for row in source.rows.body(1) if len(row) > column["joint"])
    place, skeleton = _joints([*names], hints, str(source))
    pictures, times, tracks = PictureNames(), dict[str, float](), dict[str, int]()
    bodies: dict[tuple[int, str], list[_Body]] = {}
    width = len(source.head[0])
    for number, row in enumerate(source.rows.body(1), start=2):
        where = f"{source}, row {number}"
        if len(row) != width:
            raise InputError(f"{where}: {len(row)} cells; expected {width}; the file may be cut off")
        if "frame" in column:
            name = picture_name(row[column["frame"]].strip(), where)
        else:
            name = row[column["time"]].strip()
            times[name] = number_of(name, where)
        person = row[column["person"]].strip() if "person" in column else ""
        joint = place[row[column["joint"]].strip()]
        of_person = bodies.setdefault((pictures.place(name), person), [])
        if not of_person or joint in of_person[-1].seen:
            of_person.append(_Body(np.full((len(skeleton), 3), np.nan), set()))
        x, y = (number_of(row[column[axis]], where) for axis in ("x", "y"))
        confidence = number_of(row[column["confidence"]], where) if "confidence" in column else 1.0
        of_person[-1].keypoints[joint] = x, y, confidence
        of_person[-1].seen.add(joint)
    people = PeopleCollector()
    for (frame, person), of_person in bodies.items():
        people.add_frame(frame)
        for body in of_person:
            people.add(frame, body.keypoints, _track(person, tracks))
    if "frame" in column:
        people.renumber(pictures.frames(str(source), "img0012.png", hints.recording))
    else:
        people.renumber(frames_of_times([*times.values()]))
    found = people.detections(str(source), "long table", skeleton)
    if look_like_fractions(found.people.keypoints_px):
        scale_to_pixels(found.people.keypoints_px, hints.size_for(str(source)))
    return found


def _joints(names: list[str], hints: Hints, where: str) -> tuple[dict[str, int], Skeleton]:
    """Map the names of joints in the file to indices of a joint set."""
    if all(is_number(name) and float(name).is_integer() for name in names) and names:
        numbers = {name: int(float(name)) for name in names}
        skeleton = hints.skeleton or (MEDIAPIPE_33 if set(numbers.values()) == set(range(len(MEDIAPIPE_33))) else None)
        if skeleton is None:
            raise InputError(f"{where}: {len(names)} numbered joints do not say which they are; name them (`skeleton`)")
        if not set(numbers.values()) <= set(range(len(skeleton))):
            raise InputError(
                f"{where}: joint {max(numbers.values(), key=abs)}; {skeleton.name} has 0 to {len(skeleton) - 1}"
            )
        return numbers, skeleton
    skeleton = skeleton_from_names(names, where)
    if hints.skeleton is not None:
        unknown = [joint for joint in skeleton.joints if joint not in hints.skeleton.joints]
        if unknown:
            raise InputError(f"{where}: {hints.skeleton.name} has no joint {quoted(unknown[0], 40)}")
        return dict(zip(names, hints.skeleton.indices(skeleton.joints), strict=True)), hints.skeleton
    return {name: number for number, name in enumerate(names)}, skeleton


def _track(person: str, known: dict[str, int]) -> int | None:
    """The track number of a person: the number itself, or the index of a name."""
    if not person:
        return None
    if is_number(person) and float(person).is_integer() and abs(float(person)) < 2**31:
        return int(float(person))
    return known.setdefault(person, len(known))


LONG_TABLE = Format("long-table", "a table with a row a joint (frame, landmark, x, y)", _fits, _read)
