"""DeepLabCut CSV: three header rows (scorer, bodyparts, coords), or four with individuals."""

from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError, one_line, quoted
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.formats.picture_names import PictureNames
from hyperlift.keypoints.formats.source import Format, Hints, Source
from hyperlift.keypoints.formats.tables import number_of, picture_name
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.skeletons.spellings import skeleton_from_names

_ALONE = ""
"""Name of the individual in a file without individuals."""
_AXES = ("x", "y", "likelihood")


@dataclass(frozen=True)
class _Header:
    rows: int
    index_columns: int
    individuals: list[str]
    joints: list[str]
    column: dict[tuple[str, str, str], int]
    """Maps (individual, joint, axis) to a column index."""


def _fits(source: Source) -> bool:
    titles = [row[0].strip().lower() for row in source.head[:4]]
    return len(titles) >= 3 and titles[0] == "scorer" and "bodyparts" in titles and "coords" in titles


def _read(source: Source, hints: Hints) -> Detections:
    """Frame numbers from 0 are in the first column (in labelled data: image names). Joints are matched by name;
    individuals are numbered in the order of the file."""
    header = _header(source)
    skeleton = _skeleton(header.joints, hints, str(source))
    width = len(source.head[0])
    people, pictures = PeopleCollector(), PictureNames()
    for number, row in enumerate(source.rows.body(header.rows), start=header.rows + 1):
        where = f"{source}, row {number}"
        if len(row) != width:
            raise InputError(f"{where}: {len(row)} cells; expected {width}; the file may be cut off")
        # Labelled data have one column per component of the path of the image.
        name = picture_name("/".join(filter(None, row[: header.index_columns])), where)
        frame = pictures.place(name)
        if frame < number - header.rows - 1:
            raise InputError(f"{where}: frame {one_line(name)} occurs twice; keep one recording in a file")
        people.add_frame(frame)
        for track_id, individual in enumerate(header.individuals):
            with people.entry():
                keypoints = _keypoints(row, individual, header, where)
                people.add(frame, keypoints, None if individual == _ALONE else track_id)
    people.renumber(pictures.frames(str(source), "img0012.png", hints.recording))
    return people.detections(str(source), "DeepLabCut", skeleton)


def _header(source: Source) -> _Header:
    titled = {row[0].strip().lower(): row for row in source.head[:4]}
    rows = 4 if "individuals" in titled else 3
    bodyparts, coords = titled["bodyparts"], titled["coords"]
    individuals = titled.get("individuals", [_ALONE] * len(bodyparts))
    if not len(bodyparts) == len(coords) == len(individuals):
        raise InputError(f"{source}: its header rows have different lengths; export the keypoints again")
    axes = [axis.strip().lower() for axis in coords]
    index_columns = next((i for i, axis in enumerate(axes) if axis in _AXES), len(axes))
    column = {}
    for i in range(index_columns, len(axes)):
        if axes[i] not in _AXES:
            raise InputError(f"{source}: column {i + 1} is {quoted(coords[i])}; expected x, y or likelihood")
        column[individuals[i].strip(), bodyparts[i].strip(), axes[i]] = i
    # The individual "single" holds points that belong to no animal.
    people = [name for name in dict.fromkeys(individual for individual, _, _ in column) if name.lower() != "single"]
    people = people or list(dict.fromkeys(individual for individual, _, _ in column))
    if not people:
        raise InputError(f"{source}: no columns x, y, likelihood; export the keypoints again")
    joints = list(dict.fromkeys(joint for individual, joint, _ in column if individual == people[0]))
    for individual in people:
        for joint in joints:
            if (individual, joint, "x") not in column or (individual, joint, "y") not in column:
                whose = one_line(individual) or "the person"
                raise InputError(f"{source}: {whose} has no x, y of {one_line(joint)}; export it again")
    return _Header(rows, index_columns, people, joints, column)


def _skeleton(joints: list[str], hints: Hints, where: str) -> Skeleton:
    if hints.skeleton is None:
        return skeleton_from_names(joints, where)
    if len(joints) != len(hints.skeleton):
        raise InputError(f"{where}: {len(joints)} joints; the skeleton {hints.skeleton.name} has {len(hints.skeleton)}")
    return hints.skeleton


def _keypoints(row: list[str], individual: str, header: _Header, where: str) -> np.ndarray:
    def cell(joint: str, axis: str) -> float:
        column = header.column.get((individual, joint, axis))
        return 1.0 if column is None else number_of(row[column], where)

    return np.array([[cell(joint, axis) for axis in _AXES] for joint in header.joints])


DEEPLABCUT = Format("deeplabcut", "a DeepLabCut CSV", _fits, _read)
