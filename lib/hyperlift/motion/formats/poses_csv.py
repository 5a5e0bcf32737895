"""``pose3d.csv``: the content of ``pose3d.npz`` as one wide table, one row per person and frame."""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hyperlift.body.person import Person
from hyperlift.files.atomic import atomic_file
from hyperlift.shapes import Float

_AXES = "xyz"
_DECIMALS = 5
"""A hundredth of a millimetre."""


def meta_path(path: Path | str) -> Path:
    """Path of the metadata of a table: ``pose3d.meta.json`` for ``pose3d.csv``."""
    return Path(path).with_suffix(".meta.json")


def write_poses_csv(path: Path | str, people: Sequence[Person], meta: Mapping[str, Any]) -> None:
    """Write the table and its metadata as JSON (``meta_path``), each atomically.

    Columns: ``person``, ``frame``, ``time_s``, ``root_x_m`` …, ``root_std_x_m`` …, ``reprojection_px``, and for every
    joint such as LWrist ``LWrist_x_m`` … (camera axes), ``LWrist_world_x_m`` … (z up), ``LWrist_norm_x`` … (the
    lifter's label space) and ``LWrist_valid`` (1 or 0). Unknown values are empty cells.

    Raises:
        InputError: the folder cannot be written.
    """
    joints: list[str] = meta["joint_names"]
    with atomic_file(meta_path(path)) as partial:
        partial.write_text(json.dumps(dict(meta), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(_columns(joints))
        for person in people:
            table.writerows(_rows(person, len(joints)))


def _columns(joints: Sequence[str]) -> list[str]:
    names = ["person", "frame", "time_s"]
    names += [f"root_{axis}_m" for axis in _AXES] + [f"root_std_{axis}_m" for axis in _AXES] + ["reprojection_px"]
    for joint in joints:
        names += [f"{joint}_{axis}_m" for axis in _AXES]
        names += [f"{joint}_world_{axis}_m" for axis in _AXES]
        names += [f"{joint}_norm_{axis}" for axis in _AXES]
        names += [f"{joint}_valid", f"{joint}_bridged"]
    return names


def _rows(person: Person, joints: int) -> Iterator[list[str]]:
    for row in range(len(person.frame)):
        cells = [str(person.id), str(int(person.frame[row])), f"{float(person.time_s[row]):.6f}"]
        cells += _cells(person.root_m, row) + _cells(person.root_std_m, row) + _cells(person.reprojection_px, row)
        spaces = [_cells(poses, row) for poses in (person.joints_m, person.world_m, person.pose_norm)]
        for joint in range(joints):
            for space in spaces:
                cells += space[3 * joint : 3 * joint + 3]
            cells.append(str(int(person.valid[row, joint])))
            cells.append(str(int(person.bridged[row, joint])))
        yield cells


def _cells(values: Float[np.ndarray, "frames ..."], row: int) -> list[str]:
    return [f"{value:.{_DECIMALS}f}" if math.isfinite(value) else "" for value in values[row].reshape(-1).tolist()]
