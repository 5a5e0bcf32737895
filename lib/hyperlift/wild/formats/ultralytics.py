"""Ultralytics pose models: ``Results.to_json()`` of every frame, or the folder of labels of ``save_txt``."""

import json
import re
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError
from hyperlift.skeletons import COCO_17, Skeleton
from hyperlift.skeletons.mapping import mark_missing
from hyperlift.wild.formats.json_text import load_json, number_columns, whole_number
from hyperlift.wild.formats.picture_fractions import in_pixels, look_like_fractions
from hyperlift.wild.formats.source import Format, Hints, Source, files_by_number, last_number, skeleton_by_count
from hyperlift.wild.keypoints import Detection, Detections

_OWN = (COCO_17,)
_BOX_NUMBERS = 5
"""Class and box, before the keypoints of a label line."""


def _fits_json(source: Source) -> bool:
    if source.kind == "folder":
        files = source.files("*.json")
        return bool(files) and any(_is_frame(load_json(file)) for file in files)
    frames = _frames_in(source.json)
    return frames is not None and any(_is_frame(frame) for frame in frames)


def _is_frame(content: object) -> bool:
    """Whether it is a frame with somebody in it."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(entry, dict) and {"box", "confidence"} <= entry.keys() for entry in content)
        and any(isinstance(entry.get("keypoints"), dict) for entry in content)
    )


def _frames_in(content: object) -> list | None:
    """One frame, a list of frames, or a list of what ``to_json`` returned, as text."""
    if not isinstance(content, list):
        return None
    if any(isinstance(entry, dict) for entry in content):
        return [content]
    if content and all(isinstance(entry, str) for entry in content):
        try:
            return [json.loads(entry) for entry in content]
        except (json.JSONDecodeError, RecursionError):
            return None
    return content


def _read_json(source: Source, hints: Hints) -> Detections:
    """Frames count by position from 0; in a folder, by the last digits of the file names."""
    if source.kind == "folder":
        files = files_by_number(
            source.files("*.json"), str(source), lambda file: last_number(file.stem, str(file), "frame_12.json")
        )
        contents = {frame: load_json(file) for frame, file in files.items()}
    else:
        contents = dict(enumerate(_frames_in(source.json) or []))
    skeleton: Skeleton | None = None
    people: dict[int, list[tuple[np.ndarray, int | None]]] = {}
    for frame, content in contents.items():
        if not isinstance(content, list):
            raise InputError(f"{source}, frame {frame}: no list of people; expected what Results.to_json() returns")
        people[frame] = []
        for number, entry in enumerate(content):
            where = f"{source}, frame {frame}, entry {number}"
            if not isinstance(entry, dict):
                raise InputError(f"{where}: no object; expected box and keypoints in it")
            if not isinstance(entry.get("keypoints"), dict):
                continue  # a thing that is not a person
            x = entry["keypoints"].get("x")
            if skeleton is None:
                count = len(x) if isinstance(x, list) else 0
                skeleton = skeleton_by_count(count, _OWN, hints, where, "Ultralytics")
            visible = entry["keypoints"].get("visible") or [1.0] * len(skeleton)
            columns: list[object] = [x, entry["keypoints"].get("y"), visible]
            keypoints = mark_missing(number_columns(columns, len(skeleton), where, "x, y and visible"))
            people[frame].append((keypoints, whole_number(entry.get("track_id"), where, "track_id")))
    return _detections(source, "Ultralytics", skeleton or COCO_17, people, hints, always_fractions=False)


def _detections(
    source: Source,
    tool: str,
    skeleton: Skeleton,
    people: dict[int, list[tuple[np.ndarray, int | None]]],
    hints: Hints,
    always_fractions: bool,
) -> Detections:
    everybody = [keypoints for frame in people.values() for keypoints, _ in frame]
    size = hints.size_for(str(source)) if always_fractions or look_like_fractions(everybody) else None
    frames = {
        frame: [
            Detection(keypoints if size is None else in_pixels(keypoints, size), number) for keypoints, number in seen
        ]
        for frame, seen in people.items()
    }
    return Detections(source=str(source), tool=tool, skeleton=skeleton, frames=frames)


def _fits_labels(source: Source) -> bool:
    files = [file for file in source.files("*.txt") if re.search(r"\d+$", file.stem)]
    return bool(files) and _is_label(files[0])


def _is_label(file: Path) -> bool:
    try:
        lines = file.read_text().splitlines()
        numbers = [[float(word) for word in line.split()] for line in lines if line.strip()]
    except (OSError, ValueError):
        return False
    # A class and the fractions of a box and of keypoints, all about 0 to 1.
    return bool(numbers) and all(
        len(line) > _BOX_NUMBERS + 2 and line[0] >= 0 and line[0].is_integer() and max(map(abs, line[1:5])) <= 2
        for line in numbers
    )


def _read_labels(source: Source, hints: Hints) -> Detections:
    """The frame number is the last run of digits in the name, less 1, because the tool counts from 1 (unless a file
    with number 0 is there); frames without people have no file."""
    files = files_by_number(
        source.files("*.txt"), str(source), lambda file: last_number(file.stem, str(file), "labels/NAME_12.txt")
    )
    skeleton = hints.skeleton or COCO_17
    first = 0 if 0 in files else 1
    rows = {
        frame - first: [_numbers(line, f"{file}, line {number + 1}") for number, line in enumerate(_lines(file))]
        for frame, file in files.items()
    }
    widths = {len(row) for frame in rows.values() for row in frame}
    if len(widths) > 1:
        raise InputError(f"{source}: lines of {' and '.join(map(str, sorted(widths)))} numbers; keep one run's labels")
    width = widths.pop() if widths else _BOX_NUMBERS + 3 * len(skeleton)
    per_joint = next((n for n in (3, 2) if 0 <= width - _BOX_NUMBERS - n * len(skeleton) <= 2), None)
    if per_joint is None:
        raise InputError(
            f"{source}: {width} numbers a line; expected class, box, then x, y[, v] of the {len(skeleton)} joints of "
            f"{skeleton.name}[, confidence][, id]. If these are other joints, name them (skeleton=…, --skeleton)"
        )
    last = _BOX_NUMBERS + per_joint * len(skeleton)
    extras = [row[last:] for frame in rows.values() for row in frame]
    has_id = (
        len(extras[0]) == 2 or (len(extras[0]) == 1 and all(e[0].is_integer() for e in extras)) if extras else False
    )
    people = {}
    for frame, lines in rows.items():
        people[frame] = []
        for row in lines:
            points = np.array(row[_BOX_NUMBERS:last]).reshape(len(skeleton), per_joint)
            if per_joint == 2:
                points = np.concatenate([points, np.ones((len(points), 1))], axis=-1)
            track_id = whole_number(row[-1], f"{source}, frame {frame}", "the track id") if has_id else None
            people[frame].append((mark_missing(points), track_id))
    return _detections(source, "Ultralytics", skeleton, people, hints, always_fractions=True)


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read ({error}); check the path") from error


def _numbers(line: str, where: str) -> list[float]:
    try:
        return [float(word) for word in line.split()]
    except ValueError:
        raise InputError(f"{where}: {line[:40]!r} is no list of numbers; expected a label of save_txt") from None


ULTRALYTICS = Format("ultralytics", "Ultralytics results (to_json)", _fits_json, _read_json)
ULTRALYTICS_LABELS = Format("ultralytics-labels", "a folder of Ultralytics labels", _fits_labels, _read_labels)
