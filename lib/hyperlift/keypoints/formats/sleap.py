"""SLEAP analysis CSV: track, frame_idx, instance.score, then x, y, score of every node; one row per person and
frame."""

import re
from collections.abc import Iterable

import numpy as np

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.formats.numbers import parse_digits
from hyperlift.keypoints.formats.picture_names import PictureNames
from hyperlift.keypoints.formats.source import Format, Hints, Source
from hyperlift.keypoints.formats.tables import number_of, picture_name
from hyperlift.skeletons.spellings import skeleton_from_names

_AXES = ("x", "y", "score")


def _fits(source: Source) -> bool:
    titles = [cell.strip() for cell in source.head[0]] if source.head else []
    return "frame_idx" in titles and any(re.fullmatch(r".+\.x", title) for title in titles)


def _read(source: Source, hints: Hints) -> Detections:
    """Frame numbers start at 0; joints are matched by name. ``track_3`` has the number 3; if tracks have other names,
    they are numbered in the order of appearance."""
    titles = [cell.strip() for cell in source.head[0]]
    column = {title: i for i, title in enumerate(titles)}
    joints = [title.removesuffix(".x") for title in titles if title.endswith(".x")]
    skeleton = hints.skeleton or skeleton_from_names(joints, str(source))
    if len(joints) != len(skeleton):
        raise InputError(f"{source}: {len(joints)} joints; the skeleton {skeleton.name} has {len(skeleton)}")
    lacking = [joint for joint in joints if f"{joint}.y" not in column]
    if lacking:
        raise InputError(f"{source}: no column {lacking[0]}.y; export the analysis again")
    track = column.get("track")
    numbers = {} if track is None else _track_numbers(row[track] for row in source.rows.body(1) if len(row) > track)
    columns = [[column.get(f"{joint}.{axis}") for axis in _AXES] for joint in joints]
    people, pictures = PeopleCollector(), PictureNames()
    for number, row in enumerate(source.rows.body(1), start=2):
        where = f"{source}, row {number}"
        if len(row) != len(titles):
            raise InputError(f"{where}: {len(row)} cells; expected {len(titles)}; the file may be cut off")
        with people.entry():
            cells = [[number_of(row[at], where) if at is not None else 1.0 for at in places] for places in columns]
            track_id = None if track is None else numbers.get(row[track].strip())
            people.add(pictures.place(picture_name(row[column["frame_idx"]], where)), np.array(cells), track_id)
    people.renumber(pictures.frames(str(source), "img0012.png", hints.recording))
    return people.detections(str(source), "SLEAP", skeleton)


def _track_numbers(names: Iterable[str]) -> dict[str, int]:
    named = [name for name in dict.fromkeys(name.strip() for name in names) if name]
    digits = [re.fullmatch(r"track_([0-9]+)", name) for name in named]
    numbers = [parse_digits(match[1]) for match in digits if match]
    if len(numbers) == len(named) and None not in numbers:
        return {name: number for name, number in zip(named, numbers, strict=True) if number is not None}
    return {name: number for number, name in enumerate(named)}


SLEAP = Format("sleap", "a SLEAP analysis CSV", _fits, _read)
