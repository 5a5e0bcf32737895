"""A real video, assumed lens, assumed height: does the world that comes out obey what is known of worlds?"""

import numpy as np
import pytest
from shared_data import shared_path

from hyperlift.body.person import Person
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.timestamps import even_times
from hyperlift.lifting.lift import lift_people, track_people
from hyperlift.placement.lens import choose_intrinsics
from hyperlift.placement.place import place_people
from hyperlift.runtime.loading import load_lifter
from hyperlift.skeletons.joint_sets import H36M_17

FEET = H36M_17.indices(["LAnkle", "RAnkle"])


@pytest.fixture(scope="module")
def people() -> dict[int, Person]:
    detections = read_keypoints(shared_path("data/wild/sports2d_demo.alphapose.json"))
    lifter, time_s = load_lifter(threads=1), even_times(230, 30.0)
    tracks = track_people(detections, 1768, 994, time_s, 0.05)
    lifted = lift_people(FlipAveraged(lifter, H36M_17), lifter.spec, tracks, 1768, 994, time_s)
    placed, placement = place_people(lifted, lifter.spec, choose_intrinsics(1768, 994))
    assert abs(placement.world.roll_deg) < 5  # the camera looks straight ahead
    assert abs(placement.world.pitch_deg) < 8
    return {person.id: person for person in placed}


def test_a_man_hops_under_gravity(people: dict[int, Person]):
    """Four hops on a roof: between take-off and landing the body falls with 9.8 m/s², if its size is right."""
    man = people[0]
    ankles_m = man.world_m[:, FEET, 2].min(1)
    in_air = ankles_m > np.quantile(ankles_m, 0.15) + 0.06
    edges = np.flatnonzero(np.diff(np.r_[False, in_air, False].astype(int)))
    falls = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= 6 and last < 100:
            height_m = man.world_m[first:last, :, 2].mean(1)
            falls.append(2 * np.polyfit(man.time_s[first:last], height_m, 2)[0])
    assert len(falls) >= 3
    assert -11 < np.median(falls) < -8


def test_a_woman_walks_steadily_along_the_floor(people: dict[int, Person]):
    woman = people[1]
    middle = slice(20, 150)  # wholly in the picture
    velocity = np.gradient(woman.world_m[:, H36M_17.root], woman.time_s, axis=0)[middle]
    speed = np.linalg.norm(velocity[:, :2], axis=-1)
    assert 0.9 < speed.mean() < 1.6
    assert speed.std() < 0.25
    assert np.abs(velocity[:, 2]).mean() < 0.2
    # The lower ankle of every frame, 8 cm above the floor when it rests.
    low_m = woman.world_m[middle][:, FEET, 2].min(1)
    assert abs(np.median(low_m) - 0.077) < 0.05
    assert low_m.std() < 0.06


def test_the_roof_is_above_the_ground_and_the_man_lands_on_it(people: dict[int, Person]):
    roof_m = np.median(people[0].world_m[:, FEET, 2])
    landed_m = np.median(people[2].world_m[:, FEET, 2])
    assert 1.4 < roof_m < 2.6
    assert abs(landed_m - 0.1) < 0.15
    assert np.nanmedian(people[0].reprojection_px) < 12
