"""``pose3d.json``: the content of ``pose3d.npz`` with named joints, for programs without NumPy."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from hyperlift.body.person import Person
from hyperlift.files.atomic import atomic_file
from hyperlift.motion.formats.poses_npz import written_arrays
from hyperlift.shapes import Float

_ORDER = ("root_m", "root_std_m", "reprojection_px", "joints_m", "world_m", "pose_norm", "valid", "bridged")
_DECIMALS = 5
"""A hundredth of a millimetre."""


def write_poses_json(path: Path | str, people: Sequence[Person], meta: Mapping[str, Any]) -> None:
    """Write the file atomically.
    ``{"meta": {…}, "people": [{"id": 0, "frames": [{…}, …]}]}``. A frame holds ``frame``, ``time_s``, ``valid``
    (joint name to true or false), ``pose_norm`` (joint name to [x, y, z]) and, where they are known,
    ``joints_m``, ``world_m`` (joint name to [x, y, z]), ``root_m``, ``root_std_m`` ([x, y, z]) and
    ``reprojection_px``. Unknown values are null. ``meta`` is that of ``pose3d.npz``.

    Raises:
        InputError: the folder cannot be written.
    """
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write('{"meta": ' + json.dumps(dict(meta), ensure_ascii=False) + ',\n"people": [')
        for number, person in enumerate(people):
            file.write(("," if number else "") + f'\n{{"id": {person.id}, "frames": [')
            _write_frames(file, person, meta["joint_names"])
            file.write("\n]}")
        file.write("\n]}\n")


def _write_frames(file: TextIO, person: Person, joints: Sequence[str]) -> None:
    written = {name: getattr(person, name) for name in _ORDER if name in written_arrays(person)}
    for row in range(len(person.frame)):
        frame: dict[str, Any] = {"frame": int(person.frame[row]), "time_s": round(float(person.time_s[row]), 6)}
        for name, array in written.items():
            values = array[row]
            if values.dtype == bool:
                frame[name] = dict(zip(joints, values.tolist(), strict=True))
            elif values.ndim == 2:
                frame[name] = dict(zip(joints, map(_numbers, values), strict=True))
            else:
                frame[name] = _numbers(values) if values.ndim else _numbers(values[None])[0]
        file.write(("," if row else "") + "\n" + json.dumps(frame))


def _numbers(values: Float[np.ndarray, " n"]) -> list[float | None]:
    """Rounded numbers with None for NaN, which JSON does not have."""
    return [round(value, _DECIMALS) if math.isfinite(value) else None for value in values.tolist()]
