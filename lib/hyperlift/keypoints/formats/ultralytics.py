"""Ultralytics pose models: ``Results.to_json()``, ``Results.to_csv()``, or the folder of labels of ``save_txt``."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.formats.json_stream import JsonList, load_json, parse_json
from hyperlift.keypoints.formats.json_text import number_columns
from hyperlift.keypoints.formats.numbers import LARGEST_NUMBER, look_like_fractions, scale_to_pixels, whole_number
from hyperlift.keypoints.formats.picture_names import PictureNames
from hyperlift.keypoints.formats.source import Format, Hints, Source, files_by_frame, skeleton_by_count
from hyperlift.keypoints.formats.tables import number_of, picture_name
from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.skeletons.skeleton import Skeleton

_OWN = (COCO_17,)
_BOX_NUMBERS = 5
"""Numbers before the keypoints in a line of labels: the class and the box."""


class _NoFrame(InputError):
    """A text is not JSON."""


class _Texts:
    """A list of JSON texts from ``to_json``, one per frame."""

    def __init__(self, texts: JsonList, where: str) -> None:
        self._texts, self._where = texts, where

    def __iter__(self) -> Iterator[object]:
        for frame, text in enumerate(self._texts):
            try:
                yield parse_json(str(text), f"{self._where}, frame {frame}")
            except InputError as error:
                raise _NoFrame(str(error)) from error


def _fits_json(source: Source) -> bool:
    if source.kind == "folder":
        return any(_is_frame(load_json(file)) for file in source.files("*.json"))
    try:
        return any(map(_is_frame, _frames_in(source)))
    except _NoFrame:
        return False


def _is_frame(content: object) -> bool:
    """Whether a value is a frame with at least one person."""
    if not isinstance(content, list | JsonList):
        return False
    anybody = False
    for entry in content:
        if not isinstance(entry, dict) or "box" not in entry or "confidence" not in entry:
            return False
        anybody = anybody or isinstance(entry.get("keypoints"), dict)
    return anybody


def _frames_in(source: Source) -> Iterable[object]:
    """The frames of a file: one frame, a list of frames, or a list of JSON texts."""
    content = source.json
    if not isinstance(content, JsonList):
        return []
    if any(isinstance(entry, dict) for entry in content):
        return [content]
    if content and all(isinstance(entry, str) for entry in content):
        return _Texts(content, str(source))
    return content


def _numbered(source: Source, hints: Hints) -> Iterator[tuple[int, object]]:
    if source.kind == "folder":
        files = files_by_frame(source.files("*.json"), str(source), "frame_12.json", hints)
        yield from ((frame, load_json(file)) for frame, file in files.items())
    else:
        yield from enumerate(_frames_in(source))


def _read_json(source: Source, hints: Hints) -> Detections:
    """Frame numbers come from the position; in a folder, from the file names (see ``picture_names``)."""
    skeleton: Skeleton | None = None
    people = PeopleCollector()
    for frame, content in _numbered(source, hints):
        if not isinstance(content, list | JsonList):
            raise InputError(f"{source}, frame {frame}: no list of people; expected what Results.to_json() returns")
        people.add_frame(frame)
        for number, entry in enumerate(content):
            where = f"{source}, frame {frame}, entry {number}"
            with people.entry():
                if entry is None:
                    continue
                if not isinstance(entry, dict):
                    raise InputError(f"{where}: no object; expected box and keypoints in it")
                if not isinstance(entry.get("keypoints"), dict):
                    continue  # an object that is not a person
                x = entry["keypoints"].get("x")
                if skeleton is None:
                    count = len(x) if isinstance(x, list) else 0
                    skeleton = skeleton_by_count(count, _OWN, hints, where, "Ultralytics")
                visible = entry["keypoints"].get("visible") or [1.0] * len(skeleton)
                columns: list[object] = [x, entry["keypoints"].get("y"), visible]
                keypoints = number_columns(columns, len(skeleton), where, "x, y and visible")
                people.add(frame, keypoints, whole_number(entry.get("track_id"), where, "track_id"))
    return _detections(source, skeleton or COCO_17, people, hints, always_fractions=False)


def _detections(
    source: Source, skeleton: Skeleton, people: PeopleCollector, hints: Hints, always_fractions: bool
) -> Detections:
    found = people.detections(str(source), "Ultralytics", skeleton)
    keypoints = found.people.keypoints_px
    if always_fractions or look_like_fractions(keypoints):
        scale_to_pixels(keypoints, hints.size_for(str(source)))
    return found


def _fits_table(source: Source) -> bool:
    titles = [cell.strip() for cell in source.head[0]] if source.head else []
    return {"box", "confidence", "keypoints"} <= set(titles)


def _read_table(source: Source, hints: Hints) -> Detections:
    """``Results.to_csv()``: one row per person. A column ``frame`` or ``image`` gives the frame; without it, all rows
    belong to one image."""
    titles = [cell.strip() for cell in source.head[0]]
    column = {title: i for i, title in enumerate(titles)}
    frame_column = next((column[title] for title in ("frame", "frame_id", "image") if title in column), None)
    skeleton: Skeleton | None = None
    people, pictures = PeopleCollector(), PictureNames()
    for number, row in enumerate(source.rows.body(1), start=2):
        where = f"{source}, row {number}"
        if len(row) != len(titles):
            raise InputError(f"{where}: {len(row)} cells; expected {len(titles)}; the file may be cut off")
        with people.entry():
            cell = row[column["keypoints"]]
            if not cell.strip():
                continue  # an object that is not a person
            name = "0" if frame_column is None else picture_name(row[frame_column], where)
            points = parse_json(cell.replace("'", '"').replace("nan", "NaN").replace("None", "null"), where)
            points = points if isinstance(points, dict) else {}
            x = points.get("x")
            if skeleton is None:
                count = len(x) if isinstance(x, list) else 0
                skeleton = skeleton_by_count(count, _OWN, hints, where, "Ultralytics")
            columns: list[object] = [x, points.get("y"), points.get("visible") or [1.0] * len(skeleton)]
            track = row[column["track_id"]] if "track_id" in column else ""
            track_id = whole_number(number_of(track, where), where, "track_id") if track.strip() else None
            people.add(
                pictures.place(name), number_columns(columns, len(skeleton), where, "x, y and visible"), track_id
            )
    people.renumber(pictures.frames(str(source), "img0012.png", hints.recording))
    return _detections(source, skeleton or COCO_17, people, hints, always_fractions=False)


def _fits_labels(source: Source) -> bool:
    files = [file for file in source.files("*.txt") if re.search(r"\d+$", file.stem)]
    return bool(files) and _is_label(files[0])


def _is_label(file: Path) -> bool:
    try:
        numbers = [_numbers(line, str(file)) for line in _lines(file)]
    except InputError:
        return False
    # A class, then a box and keypoints in normalised coordinates.
    return bool(numbers) and all(
        len(line) > _BOX_NUMBERS + 2 and line[0] >= 0 and line[0].is_integer() and max(map(abs, line[1:5])) <= 2
        for line in numbers
    )


def _read_labels(source: Source, hints: Hints) -> Detections:
    """Frame numbers come from the file names, minus 1, because the tool starts at 1 (unless a file has the number 0);
    frames without people have no file."""
    files = files_by_frame(source.files("*.txt"), str(source), "labels/NAME_12.txt", hints)
    skeleton = hints.skeleton or COCO_17
    first = 0 if 0 in files else 1
    joints = len(skeleton)
    width, per_joint = _BOX_NUMBERS + 3 * joints, 3
    people, extras = PeopleCollector(), list[list[float]]()
    for position, (frame, row) in enumerate(_label_rows(files)):
        if position == 0:
            width, per_joint = len(row), _numbers_a_joint(source, len(row), skeleton)
        if len(row) != width:
            widths = " and ".join(map(str, sorted({width, len(row)})))
            raise InputError(f"{source}: lines of {widths} numbers; keep one run's labels")
        points = np.array(row[_BOX_NUMBERS : _BOX_NUMBERS + per_joint * joints]).reshape(joints, per_joint)
        if per_joint == 2:
            points = np.concatenate([points, np.ones((len(points), 1))], axis=-1)
        people.add(frame - first, points)
        extras.append(row[_BOX_NUMBERS + per_joint * joints :])
    for frame in files:
        people.add_frame(frame - first)
    # Further numbers at the end of a line are a confidence, a track id, or both.
    if extras and (len(extras[0]) == 2 or (len(extras[0]) == 1 and all(e[0].is_integer() for e in extras))):
        people.number([whole_number(extra[-1], str(source), "the track id") for extra in extras])
    return _detections(source, skeleton, people, hints, always_fractions=True)


def _label_rows(files: dict[int, Path]) -> Iterator[tuple[int, list[float]]]:
    for frame, file in files.items():
        for number, line in enumerate(_lines(file), start=1):
            yield frame, _numbers(line, f"{file}, line {number}")


def _numbers_a_joint(source: Source, width: int, skeleton: Skeleton) -> int:
    for per_joint in (3, 2):
        if 0 <= width - _BOX_NUMBERS - per_joint * len(skeleton) <= 2:
            return per_joint
    raise InputError(
        f"{source}: {width} numbers a line; expected class, box, then x, y[, v] of the {len(skeleton)} joints of "
        f"{skeleton.name}[, confidence][, id]. If these are other joints, name them (`skeleton`)"
    )


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: is no text ({one_line(str(error))}); detect again") from error
    return [line for line in text.splitlines() if line.strip()]


def _numbers(line: str, where: str) -> list[float]:
    try:
        numbers = [float(word) for word in line.split()]
    except ValueError:
        numbers = [np.inf]
    if not all(abs(number) < LARGEST_NUMBER for number in numbers):
        raise InputError(f"{where}: {quoted(line, 40)} is no list of numbers; expected a label of save_txt")
    return numbers


ULTRALYTICS = Format("ultralytics", "Ultralytics results (to_json)", _fits_json, _read_json)
ULTRALYTICS_TABLE = Format("ultralytics-csv", "an Ultralytics table (to_csv)", _fits_table, _read_table)
ULTRALYTICS_LABELS = Format("ultralytics-labels", "a folder of Ultralytics labels", _fits_labels, _read_labels)
