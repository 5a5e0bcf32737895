"""SLEAP's analysis CSV: track, frame_idx, instance.score, then x, y, score of every node; a row a person and frame."""

import re

import numpy as np

from hyperlift.errors import InputError
from hyperlift.skeletons.mapping import mark_missing
from hyperlift.skeletons.spellings import skeleton_of_names
from hyperlift.wild.formats.source import Format, Hints, Source
from hyperlift.wild.formats.tables import frame_number_cell, number_of
from hyperlift.wild.keypoints import Detection, Detections

_AXES = ("x", "y", "score")


def _fits(source: Source) -> bool:
    titles = [cell.strip() for cell in source.rows[0]] if source.rows else []
    return "frame_idx" in titles and any(re.fullmatch(r".+\.x", title) for title in titles)


def _read(source: Source, hints: Hints) -> Detections:
    """Frame numbers from 0; joints are matched by name. ``track_3`` is track 3; tracks with other names are numbered
    in the order in which they appear."""
    titles = [cell.strip() for cell in source.rows[0]]
    column = {title: i for i, title in enumerate(titles)}
    joints = [title.removesuffix(".x") for title in titles if title.endswith(".x")]
    skeleton = hints.skeleton or skeleton_of_names(joints, str(source))
    if len(joints) != len(skeleton):
        raise InputError(f"{source}: {len(joints)} joints; the skeleton {skeleton.name} has {len(skeleton)}")
    lacking = [joint for joint in joints if f"{joint}.y" not in column]
    if lacking:
        raise InputError(f"{source}: no column {lacking[0]}.y; export the analysis again")
    numbers = _track_numbers([row[column["track"]] for row in source.rows[1:] if "track" in column and len(row) > 1])
    frames: dict[int, list[Detection]] = {}
    for number, row in enumerate(source.rows[1:], start=2):
        where = f"{source}, row {number}"
        if len(row) != len(titles):
            raise InputError(f"{where}: {len(row)} cells; expected {len(titles)}; the file may be cut off")
        cells = [
            [number_of(row[column[f"{joint}.{axis}"]], where) if f"{joint}.{axis}" in column else 1.0 for axis in _AXES]
            for joint in joints
        ]
        track_id = numbers.get(row[column["track"]].strip()) if "track" in column else None
        frames.setdefault(frame_number_cell(row[column["frame_idx"]], where), []).append(
            Detection(mark_missing(np.array(cells)), track_id)
        )
    return Detections(source=str(source), tool="SLEAP", skeleton=skeleton, frames=dict(sorted(frames.items())))


def _track_numbers(names: list[str]) -> dict[str, int]:
    named = [name for name in dict.fromkeys(name.strip() for name in names) if name]
    digits = [re.fullmatch(r"track_(\d+)", name) for name in named]
    if all(digits):
        return {name: int(match[1]) for name, match in zip(named, digits, strict=True) if match}
    return {name: number for number, name in enumerate(named)}


SLEAP = Format("sleap", "a SLEAP analysis CSV", _fits, _read)
