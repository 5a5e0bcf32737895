"""``pose3d.json``: the content of ``pose3d.npz`` with named joints, for whoever reads no NumPy."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from hyperlift.files import atomic_file
from hyperlift.shapes import Float
from hyperlift.wild.keypoints import LiftedPerson
from hyperlift.wild.poses_npz import PosesMeta, meta_dict

_DECIMALS = 5
"""A hundredth of a millimetre."""


def write_poses_json(path: Path | str, people: Sequence[LiftedPerson], meta: PosesMeta | Mapping) -> None:
    """Write the file, whole or not at all, a frame at a time.

    ``{"meta": {…}, "people": [{"id": 0, "frames": [{…}, …]}]}``. A frame holds ``frame``, ``time_s``, ``valid``
    (joint name to true or false), ``pose_norm`` (joint name to [x, y, z]) and, for people who are placed,
    ``joints_m``, ``world_m`` (joint name to [x, y, z]), ``root_m``, ``root_std_m`` ([x, y, z]) and
    ``reprojection_px``. What is not known (no joint seen) is null. ``meta`` is that of ``pose3d.npz``.

    Raises:
        InputError: the folder cannot be written.
    """
    facts = meta_dict(meta)
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write('{"meta": ' + json.dumps(facts, ensure_ascii=False) + ',\n"people": [')
        for number, person in enumerate(people):
            file.write(("," if number else "") + f'\n{{"id": {person.id}, "frames": [')
            _write_frames(file, person, facts["joint_names"])
            file.write("\n]}")
        file.write("\n]}\n")


def _write_frames(file: TextIO, person: LiftedPerson, joints: Sequence[str]) -> None:
    for row in range(len(person.frame)):
        frame: dict[str, Any] = {"frame": int(person.frame[row]), "time_s": round(float(person.time_s[row]), 6)}
        for name in ("root_m", "root_std_m"):
            values = getattr(person, name)
            if values is not None:
                frame[name] = _numbers(values[row])
        if person.reprojection_px is not None:
            frame["reprojection_px"] = _numbers(person.reprojection_px[row : row + 1])[0]
        for name in ("joints_m", "world_m", "pose_norm"):
            values = getattr(person, name)
            if values is not None:
                frame[name] = dict(zip(joints, map(_numbers, values[row]), strict=True))
        frame["valid"] = dict(zip(joints, person.valid[row].tolist(), strict=True))
        if person.bridged is not None:
            frame["bridged"] = dict(zip(joints, person.bridged[row].tolist(), strict=True))
        file.write(("," if row else "") + "\n" + json.dumps(frame))


def _numbers(values: Float[np.ndarray, " n"]) -> list[float | None]:
    """JSON knows no NaN."""
    return [round(value, _DECIMALS) if math.isfinite(value) else None for value in values.tolist()]
