"""The 33 pose landmarks of MediaPipe, as saved by users: JSON, or a table of 33 × (x, y, z, visibility)."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.formats.json_stream import JsonList, is_list
from hyperlift.keypoints.formats.json_text import number_columns
from hyperlift.keypoints.formats.numbers import (
    LARGEST_NUMBER,
    frames_of_times,
    look_like_fractions,
    scale_to_pixels,
    whole_number,
)
from hyperlift.keypoints.formats.picture_names import PictureNames
from hyperlift.keypoints.formats.source import Format, Hints, Source
from hyperlift.keypoints.formats.tables import is_number, number_of, picture_name
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import MEDIAPIPE_33
from hyperlift.skeletons.spellings import canonical_joint

_JOINTS = len(MEDIAPIPE_33)
_PEOPLE_KEYS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark")
_FRAME_KEYS = ("frame", "frame_id", "frame_idx", "frame_number")
_TIME_KEYS = ("time", "time_s", "time_ms", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_us")
_HOLISTIC = tuple(_JOINTS + face + hands for face in (0, 468, 478) for hands in (0, 42) if face + hands)
"""Numbers of landmarks of the holistic model: the body, a face with or without irises, and two hands or none."""
_MOST_PEOPLE = 1000
"""Maximal number of people in a file of one frame. Chosen: MediaPipe detects a few."""
_AXES = {
    **{"x": "x", "y": "y", "z": "z"},
    **dict.fromkeys(("v", "vis", "visibility", "confidence"), "confidence"),
}


def _fits(source: Source) -> bool:
    if source.kind == "table":
        return _columns(source.head) is not None
    return any(_people(frame) for frame in _frames_in(source.json))


def _is_body(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == _JOINTS
        and all(isinstance(landmark, dict) and {"x", "y"} <= landmark.keys() for landmark in value)
    )


def _people(frame: object) -> list[list]:
    """The bodies of a frame: 33 landmarks, a list of such, or either below one of MediaPipe's keys."""
    inner = _unwrapped(frame)
    if _is_body(inner):
        return [inner] if isinstance(inner, list) else []
    bodies = [_unwrapped(body) for body in inner] if isinstance(inner, list) else []
    return [body for body in bodies if isinstance(body, list)] if bodies and all(map(_is_body, bodies)) else []


def _unwrapped(value: object) -> object:
    for _ in range(2):  # pose_landmarks: {landmark: […]}
        if isinstance(value, dict):
            value = next((value[key] for key in _PEOPLE_KEYS if key in value), None)
    return value


def _frames_in(content: object) -> Iterable:
    if isinstance(content, dict):
        if is_list(content.get("frames")):
            return content["frames"]
        frame = {key: _short(value) for key, value in content.items()}
        return [frame] if _people(frame) else []
    if not isinstance(content, JsonList):
        return []
    return [_short(content)] if _is_body(_short(content)) else content


def _short(value: object) -> object:
    return value.head(_MOST_PEOPLE) if isinstance(value, JsonList) else value


def _read(source: Source, hints: Hints) -> Detections:
    """Frame numbers come from the frames if all have one, else from time stamps, with gaps, else from the position.
    Normalised coordinates are scaled to pixels; the confidence is the visibility."""
    people = PeopleCollector()
    if source.kind == "table":
        _gather_table(source, people, hints)
    else:
        _gather_json(source, people)
    found = people.detections(str(source), "MediaPipe", MEDIAPIPE_33)
    keypoints = found.people.keypoints_px
    if look_like_fractions(keypoints):
        scale_to_pixels(keypoints, hints.size_for(str(source)))
    return found


def _gather_json(source: Source, people: PeopleCollector) -> None:
    entries = _frames_in(source.json)
    times = [_own_time(entry) for entry in entries]
    timed = frames_of_times([time for time in times if time is not None]) if None not in times else None
    numbered = all(
        _own_number(entry, f"{source}, frame {position}") is not None for position, entry in enumerate(entries)
    )
    known = set[int]()
    for position, entry in enumerate(entries):
        number = _own_number(entry, f"{source}, frame {position}") if numbered else None
        frame = number if number is not None else position if timed is None else timed[position]
        if frame in known:
            raise InputError(f"{source}: a frame number occurs twice; keep one recording in a file")
        known.add(frame)
        where = f"{source}, frame {frame}"
        bodies = _people(entry)
        if not bodies and not _is_nobody(entry):
            raise InputError(f"{where}: expected a list of {_JOINTS} landmarks with x and y")
        people.add_frame(frame)
        for body in bodies:
            with people.entry():
                people.add(frame, _keypoints(body, where))


def _is_nobody(entry: object) -> bool:
    inner = _unwrapped(entry)
    return inner is None or inner == []


def _own_number(entry: object, where: str) -> int | None:
    if not isinstance(entry, dict):
        return None
    return whole_number(next((entry[key] for key in _FRAME_KEYS if key in entry), None), where, "its number")


def _own_time(entry: object) -> float | None:
    time = next((entry[key] for key in _TIME_KEYS if key in entry), None) if isinstance(entry, dict) else None
    return float(time) if isinstance(time, int | float) and abs(time) < LARGEST_NUMBER else None


def _keypoints(body: list[dict], where: str) -> Float[np.ndarray, "joints 3"]:
    visibility = [landmark.get("visibility", 1.0) for landmark in body]
    columns: list[object] = [[landmark[axis] for landmark in body] for axis in ("x", "y")]
    return number_columns([*columns, visibility], _JOINTS, where, "x, y and visibility")


def _columns(rows: list[list[str]]) -> tuple[int, Float[np.ndarray, "joints axes"]] | None:
    """How many header rows there are, and the column of x, y and confidence of every landmark (-1: none)."""
    if not rows:
        return None
    if all(is_number(cell) or cell == "" for cell in rows[0][1:]) and len(rows[0]) > 1:
        return _columns_without_names(rows)
    columns = {}
    for column, title in enumerate(rows[0]):
        key_and_axis = _key_and_axis(title)
        if key_and_axis is not None:
            columns.setdefault(key_and_axis, column)
    keys = list(dict.fromkeys(key for key, axis in columns if axis == "x"))
    names = {key: canonical_joint(key) for key in keys}
    if all(key.isdigit() for key in keys):
        order = sorted(keys, key=int)
        if len(order) in _HOLISTIC:  # the body, then face and hands
            keys = order = order[:_JOINTS]
    elif all(names.values()):
        order = [key for joint in MEDIAPIPE_33.joints for key in keys if names[key] == joint]
    else:
        return None
    if len(keys) != _JOINTS or len(order) != _JOINTS or not all((key, "y") in columns for key in keys):
        return None
    table = [[columns.get((key, axis), -1) for axis in ("x", "y", "confidence")] for key in order]
    return 1, np.array(table, dtype=np.float64)


def _key_and_axis(title: str) -> tuple[str, str] | None:
    """Which landmark and which of its numbers a column holds: ``left_hip_x``, ``x23``, ``landmark_23_x``, ``23.v``."""
    title = title.strip().lower()
    after = re.fullmatch(r"(.*?)[\s_.\-]+([a-z]+)", title)
    if after and after[2] in _AXES:
        return re.sub(r"^(?:landmark|lm|point|kp|joint)?[\s_.\-]*(?=\d+$)", "", after[1]), _AXES[after[2]]
    before = re.fullmatch(r"([a-z]+)[\s_.\-]*(\d+)", title)
    if before and before[1] in _AXES:
        return before[2], _AXES[before[1]]
    return None


def _columns_without_names(rows: Sequence[Sequence[str]]) -> tuple[int, Float[np.ndarray, "joints axes"]] | None:
    """33 × (x, y, z, visibility), after a frame number or label perhaps: known by its visibilities."""
    first = len(rows[0]) - 4 * _JOINTS
    if first not in (0, 1):
        return None
    for row in rows[:20]:
        visibility = [cell for cell in row[first + 3 :: 4] if cell != ""]
        if not all(is_number(cell) and 0 <= float(cell) <= 1 for cell in visibility):
            return None
    starts = first + 4 * np.arange(_JOINTS, dtype=np.float64)
    return 0, np.stack([starts, starts + 1, starts + 3], axis=-1)


def _gather_table(source: Source, people: PeopleCollector, hints: Hints) -> None:
    found = _columns(source.head)
    assert found is not None
    header_rows, columns = found[0], found[1].astype(int)
    titles = [cell.strip().lower() for cell in source.head[0]] if header_rows else []
    frame_column = next((column for column, title in enumerate(titles) if title in _FRAME_KEYS), None)
    time_column = next((column for column, title in enumerate(titles) if title in _TIME_KEYS), None)
    if not header_rows and columns[0, 0] == 1 and _counts_frames(row[0] for row in source.rows):
        frame_column = 0
    width = len(source.head[0])
    pictures, times = PictureNames(), list[float]()
    for position, row in enumerate(source.rows.body(header_rows)):
        where = f"{source}, row {position + header_rows + 1}"
        if len(row) != width:
            raise InputError(f"{where}: {len(row)} cells; expected {width}")
        if frame_column is not None:
            frame = pictures.place(picture_name(row[frame_column], where))
        else:
            frame = position
            times.append(float(position) if time_column is None else number_of(row[time_column], where))
        people.add_frame(frame)
        with people.entry():
            cells = [[1.0 if column < 0 else number_of(row[column], where) for column in line] for line in columns]
            people.add(frame, np.array(cells))
    if frame_column is not None:
        people.renumber(pictures.frames(str(source), "img0012.png", hints.recording))
    else:
        people.renumber(frames_of_times(times))


def _counts_frames(cells: Iterable[str]) -> bool:
    """Whether a column holds ascending whole numbers: these are frames, anything else is a time or a label."""
    before = -np.inf
    for cell in cells:
        number = float(cell) if is_number(cell) else np.nan
        if not (number.is_integer() and number > before):
            return False
        before = number
    return True


MEDIAPIPE = Format("mediapipe", "MediaPipe pose landmarks (JSON or CSV)", _fits, _read)
