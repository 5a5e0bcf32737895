"""Everybody onto rigid bones, with a record of what that moved."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hyperlift.animation import USUAL_CUTOFF_HZ, rigid_person
from hyperlift.errors import InputError
from hyperlift.kinematics import FittedMotion, JointLimits
from hyperlift.shapes import Float
from hyperlift.skeletons import H36M_17
from hyperlift.wild.keypoints import LiftedPerson


@dataclass(frozen=True, eq=False)
class RigidPeople:
    """People whose joints are those of a fit."""

    people: Sequence[LiftedPerson]
    """In the order in which they came; somebody who was never seen stays as they were."""
    fits: Mapping[int, FittedMotion]
    """By person; somebody who was never seen has none."""
    record: Mapping[str, Any]
    """For ``meta``: what was asked, and what each fit moved."""

    @property
    def sentences(self) -> list[str]:
        """One a person, for people."""
        return fit_sentences(self.people, self.fits)


def fit_sentences(people: Sequence[LiftedPerson], fits: Mapping[int, FittedMotion]) -> list[str]:
    """What each fit moved, or that there was nothing to fit."""
    return [
        f"p{person.id}: {fits[person.id].report.sentence}"
        if person.id in fits
        else f"p{person.id}: no joint was seen in any frame; there is nothing to fit"
        for person in people
    ]


def check_skeleton(skeleton: str) -> None:
    """Refuse joints that have no rest pose, before the long work.

    Raises:
        InputError: another skeleton than Human3.6M's 17 joints.
    """
    if skeleton != H36M_17.name:
        raise InputError(f"rigid bones and angles are known for {H36M_17.name} only, and these joints are {skeleton}")


def fit_people(
    people: Sequence[LiftedPerson],
    skeleton: str,
    camera_matrix: Float[np.ndarray, "3 3"] | None,
    limits: JointLimits | None = None,
    cutoff_hz: float | None = USUAL_CUTOFF_HZ,
) -> RigidPeople:
    """Fit rigid bones to everybody who was seen.

    Args:
        people: placed in metres.
        skeleton: name of that of their joints.
        camera_matrix: for the keypoints of those who have them.
        limits: of joint angles.
        cutoff_hz: of the smoothing.

    Raises:
        InputError: another skeleton, somebody is not placed or has times that do not rise, or nobody was ever seen.
    """
    check_skeleton(skeleton)
    rigid, fits = [], {}
    for person in people:
        if person.joints_m is not None and not (np.isfinite(person.joints_m).all(-1) & person.valid).any():
            rigid.append(person)
            continue
        try:
            found = rigid_person(person, camera_matrix, limits=limits, cutoff_hz=cutoff_hz)
        except InputError as error:
            raise InputError(f"p{person.id}: {error}") from error
        rigid.append(found.person)
        fits[person.id] = found.fitted
    if not fits:
        raise InputError("nobody was seen in any frame; there is nothing to fit rigid bones to")
    record = {
        "cutoff_hz": cutoff_hz,
        "limits_deg": None if limits is None else _in_degrees(limits),
        "people": {f"p{number}": _record(fitted) for number, fitted in fits.items()},
    }
    return RigidPeople(rigid, fits, record)


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
