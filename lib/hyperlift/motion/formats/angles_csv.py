"""Table of joint angles for movement science, one row per person and frame."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hyperlift.body.joint_angles import BODY_ANGLES, body_angles_deg
from hyperlift.body.person import Person
from hyperlift.body.rigid_person import check_metres
from hyperlift.errors import InputError
from hyperlift.files.atomic import atomic_file
from hyperlift.skeletons.skeleton import Skeleton


def write_angles_csv(path: Path | str, people: Sequence[Person], skeleton: Skeleton) -> None:
    """Write the table atomically.

    Columns are ``person``, ``frame``, ``time_s`` and each angle of ``BODY_ANGLES`` with the suffix ``_deg``. Unknown
    angles are empty cells. Angles against the vertical need ``world_m``.

    Raises:
        InputError: a person has no metres, the skeleton lacks a joint, or the folder cannot be written.
    """
    lacking = sorted({joint for angle in BODY_ANGLES for joint in angle.joints} - set(skeleton.joints))
    if lacking:
        raise InputError(f"angles need the joint {lacking[0]}, which {skeleton.name} does not have")
    tables = []
    for person in people:
        in_world = not person.lacks("world_m")
        if not in_world:
            check_metres(person)
        joints_m = person.world_m if in_world else person.joints_m
        up = np.array([0.0, 0.0, 1.0]) if in_world else None
        tables.append(body_angles_deg(joints_m.astype(np.float64), skeleton, person.valid, up))
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["person", "frame", "time_s", *(f"{angle.name}_deg" for angle in BODY_ANGLES)])
        for person, values in zip(people, tables, strict=True):
            for frame, time_s, row in zip(person.frame.tolist(), person.time_s.tolist(), values.tolist(), strict=True):
                # Adding 0 turns -0.0 into 0.0.
                cells = ["" if np.isnan(value) else f"{round(value, 2) + 0.0:.2f}" for value in row]
                table.writerow([person.id, frame, f"{time_s:.6f}", *cells])
