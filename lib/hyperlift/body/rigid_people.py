"""Rigid fits of all people of a motion, and their record in ``meta``."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from hyperlift.body.joint_limits import JointLimits
from hyperlift.body.person import Person
from hyperlift.body.rigid_fit import FittedMotion
from hyperlift.body.rigid_person import DEFAULT_CUTOFF_HZ, fit_person
from hyperlift.errors import InputError
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17


def fit_sentences(people: Sequence[Person]) -> list[str]:
    """The report of each fit in words, or that there was nothing to fit."""
    return [
        f"p{person.id}: "
        + (person.fit.report.sentence if person.fit else "no joint was seen in any frame; there is nothing to fit")
        for person in people
    ]


def check_skeleton(skeleton: str) -> None:
    """Reject a skeleton without a rest pose.

    Raises:
        InputError: the skeleton is not ``H36M_17``.
    """
    if skeleton != H36M_17.name:
        raise InputError(f"rigid bones and angles are known for {H36M_17.name} only, and these joints are {skeleton}")


def fit_people(
    people: Sequence[Person],
    skeleton: str,
    camera_matrix: Float[np.ndarray, "3 3"] | None,
    limits: JointLimits | None = None,
    cutoff_hz: float | None = DEFAULT_CUTOFF_HZ,
) -> list[Person]:
    """Fit a rigid body to each person; people without a detected joint are unchanged.

    Args:
        people: with joints in metres.
        skeleton: name of the skeleton of their joints.
        camera_matrix: intrinsics in pixels, for people with keypoints.
        limits: of joint angles.
        cutoff_hz: of the smoothing.

    Raises:
        InputError: another skeleton, a person without metres or with times that do not ascend, or no person with a
            detected joint.
    """
    check_skeleton(skeleton)
    fitted = []
    for person in people:
        if not person.lacks("joints_m") and not (np.isfinite(person.joints_m).all(-1) & person.valid).any():
            fitted.append(person)
            continue
        try:
            fitted.append(fit_person(person, camera_matrix, limits=limits, cutoff_hz=cutoff_hz))
        except InputError as error:
            raise InputError(f"p{person.id}: {error}") from error
    if not any(person.fit for person in fitted):
        raise InputError("nobody was seen in any frame; there is nothing to fit rigid bones to")
    return fitted


def fit_record(people: Sequence[Person], limits: JointLimits | None, cutoff_hz: float | None) -> dict[str, Any]:
    """Record of the fits for ``meta``: settings, and changes of each person."""
    return {
        "cutoff_hz": cutoff_hz,
        "limits_deg": None if limits is None else _in_degrees(limits),
        "people": {f"p{person.id}": _record(person.fit) for person in people if person.fit is not None},
    }


def _record(fitted: FittedMotion) -> dict[str, Any]:
    lengths_m = np.linalg.norm(fitted.offsets_m, axis=-1)
    numbers = {
        name: _rounded(value) if isinstance(value, float) else value
        for name, value in asdict(fitted.report).items()
        if name != "moved_mm"
    }
    return numbers | {
        "moved_mm": {joint: _rounded(moved) for joint, moved in fitted.report.moved_mm.items()},
        "bones_m": {joint: round(float(lengths_m[i]), 4) for i, joint in enumerate(fitted.skeleton.joints) if i},
    }


def _rounded(value: float) -> float | None:
    return round(value, 3) if np.isfinite(value) else None


def _in_degrees(limits: JointLimits) -> dict[str, dict[str, list[float]]]:
    return {
        joint: {axis: [round(float(np.degrees(end)), 3) for end in ends] for axis, ends in axes.items()}
        for joint, axes in limits.ranges_rad.items()
    }
