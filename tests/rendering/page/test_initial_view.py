"""Nobody hides behind somebody else in the page's first picture, as far as an angle around the usual one helps."""

from dataclasses import replace

import numpy as np
import pytest
from placed_people import STANDING_M
from viewed_people import META, walker

from hyperlift.rendering.page.initial_view import AZIMUTH_DEG, initial_azimuth_deg
from hyperlift.rendering.page.write_page import _data
from hyperlift.rendering.staging import Staged, stage_people
from hyperlift.skeletons.joint_sets import H36M_17


def standing_at(*places: tuple[float, float], first: tuple[int, ...] = ()) -> Staged:
    """People who stand still, 30 frames each, from their first frames on."""
    people = []
    for number, place in enumerate(places):
        person = walker(number, 30, first=first[number] if first else 0)
        people.append(replace(person, world_m=np.broadcast_to(STANDING_M + np.array([*place, 0.0]), (30, 17, 3))))
    return stage_people(people, H36M_17)


def seen_apart_m(places: np.ndarray, azimuth_deg: float) -> float:
    """The smallest distance across the picture of an eye far away, by a rotation of the floor about the vertical."""
    cos, sin = np.cos(np.radians(-azimuth_deg)), np.sin(np.radians(-azimuth_deg))
    turned = places @ np.array([[cos, sin], [-sin, cos]])
    return float(np.abs(np.diff(np.sort(turned[:, 0]))).min())


def behind_one_another(distance_m: float) -> np.ndarray:
    """Two people on the line of sight of the usual view."""
    angle = np.radians(AZIMUTH_DEG)
    return np.array([[0.0, 0.0], [-np.sin(angle) * distance_m, np.cos(angle) * distance_m]])


@pytest.mark.parametrize("places", [[(0, 0)], [(0, 0), (2, 0)], [(-2, 0), (0, 0.5), (2, -0.5)]])
def test_people_who_stand_apart_are_seen_from_the_usual_side(places):
    assert initial_azimuth_deg(standing_at(*places)) == AZIMUTH_DEG


def test_people_who_would_hide_each_other_are_seen_from_another_side():
    places = behind_one_another(4.0)
    assert seen_apart_m(places, AZIMUTH_DEG) == pytest.approx(0.0, abs=1e-9)
    chosen = initial_azimuth_deg(standing_at(*places))
    assert abs(chosen - AZIMUTH_DEG) == 15.0, "no further than needed"
    assert seen_apart_m(places, chosen) >= 0.8


def test_where_no_side_is_good_it_is_the_best():
    places = np.array([[0.0, 0.0], [0.3, 0.4], [-0.2, 0.5], [0.1, -0.6]])
    chosen = initial_azimuth_deg(standing_at(*places))
    assert seen_apart_m(places, chosen) >= max(seen_apart_m(places, angle) for angle in (35, 20, 50, 5, 65, 80, -25))


def test_the_first_moment_of_two_people_counts():
    hidden = behind_one_another(4.0)
    aside = (5.0, 0.0)
    assert initial_azimuth_deg(standing_at(hidden[0], hidden[1], first=(0, 40))) == AZIMUTH_DEG, "never there together"
    assert initial_azimuth_deg(standing_at(hidden[0], hidden[1], first=(0, 20))) != AZIMUTH_DEG
    assert initial_azimuth_deg(standing_at(hidden[0], aside, hidden[1], first=(0, 0, 20))) == AZIMUTH_DEG


def test_joints_that_are_missing_do_not_matter():
    staged = standing_at(*behind_one_another(4.0))
    staged.people[0].world_m[:] = np.nan
    staged.people[1].world_m[:, 0] = np.nan
    assert initial_azimuth_deg(staged) == AZIMUTH_DEG, "one of them is never seen"


def test_the_page_knows_it():
    staged = standing_at(*behind_one_another(4.0))
    assert _data(staged, H36M_17, META, None)["azimuth_deg"] == initial_azimuth_deg(staged)
