"""Lifted people into metres and a world: ``trajectory`` for what the other stages hand on."""

from collections.abc import Sequence
from dataclasses import replace

from hyperlift.geometry.contract import LifterSpec
from hyperlift.trajectory.intrinsics import Intrinsics
from hyperlift.trajectory.place import Placement, place_people
from hyperlift.trajectory.scale import BodyHeight
from hyperlift.wild.keypoints import LiftedPerson


def place_lifted(
    people: Sequence[LiftedPerson],
    lifter: LifterSpec,
    intrinsics: Intrinsics,
    height: BodyHeight | None = None,
    pitch_deg: float | None = None,
    roll_deg: float | None = None,
) -> tuple[list[LiftedPerson], Placement]:
    """The same people with ``joints_m``, ``root_m``, ``root_std_m``, ``world_m`` and ``reprojection_px``, and what was
    assumed.

    Args:
        people: with their keypoints; at least one.
        lifter: that lifted them.
        intrinsics: of the upright video.
        height: standing height; None assumes an adult's.
        pitch_deg: of the camera, positive looks up; None finds it.
        roll_deg: of the camera, positive is clockwise as seen from behind the camera; None finds it.

    Raises:
        InputError: nobody is there, a person comes without keypoints, or the angles are impossible.
    """
    placement = place_people(people, lifter, intrinsics, height, pitch_deg, roll_deg)
    placed = [
        replace(
            person,
            joints_m=place.joints_m,
            root_m=place.root_m,
            root_std_m=place.root_std_m,
            world_m=place.world_m,
            reprojection_px=place.reprojection_px,
        )
        for person, place in zip(people, placement.people, strict=True)
    ]
    return placed, placement
