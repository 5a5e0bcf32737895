"""Where people stand in pictures and pages."""

import numpy as np
import pytest
from rigid_motions import lifted, without
from staged_people import person, staged

from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.rendering.staging import LANE_M, share_lanes, stage_people, stand_upright
from hyperlift.skeletons.joint_sets import H36M_17


def test_upright_stands_on_the_floor_at_reference_size():
    joints_m = stand_upright(person(0, 0, 9, 0.0, scale=0.01).pose_norm, 30.0, H36M_17)
    np.testing.assert_allclose(bone_lengths(joints_m, H36M_17).sum(-1), REFERENCE_BONE_SUM_M)
    np.testing.assert_allclose(joints_m[:, H36M_17.indices(["RAnkle", "LAnkle"]), 2], 0, atol=1e-9)
    assert (joints_m[:, H36M_17.index("Head"), 2] > joints_m[:, H36M_17.root, 2]).all()
    np.testing.assert_allclose(joints_m[:, H36M_17.root, :2], 0, atol=1e-12)


def test_lanes_follow_the_picture_and_are_shared_over_time():
    people = [person(0, 0, 50, x_px=600), person(1, 10, 90, x_px=100), person(2, 60, 95, x_px=900)]
    assert share_lanes(people) == [1, 0, 1]
    assert share_lanes([person(0, 0, 50, 600), person(1, 50, 60, 100)]) == [1, 0]


def test_people_stand_a_lane_apart():
    people = staged(person(0, 0, 5, 10), person(1, 0, 5, 500), person(2, 0, 5, 300))
    x = {p.id: float(p.world_m[0, H36M_17.root, 0]) for p in people}
    assert [x[0], x[2], x[1]] == pytest.approx([-LANE_M, 0, LANE_M])


def test_a_person_in_one_frame():
    (alone,) = staged(person(4, 7, 7, 0.0))
    assert np.isfinite(alone.world_m).all()


def test_the_best_places_that_anybody_has():
    """Who has none where others have one is left out by name; who has no pose either is nowhere, but present."""
    there, before, nowhere = lifted(0, 5), without(lifted(1, 5), "world_m"), without(lifted(2, 5), "pose_norm")
    nowhere = without(nowhere, "world_m", "joints_m")
    stage = stage_people([there, before, nowhere], H36M_17)
    assert (stage.space, stage.left_out, [one.id for one in stage.people]) == ("world_m", (1,), [0, 2])
    np.testing.assert_array_equal(stage.people[0].world_m, there.world_m)
    assert stage.placed
    stage = stage_people([before, nowhere], H36M_17)
    assert (stage.space, stage.left_out) == ("joints_m", ())
    ankles_m = stage.people[0].world_m[:, H36M_17.indices(["LAnkle", "RAnkle"]), 2]
    assert np.percentile(ankles_m, 5) == pytest.approx(0.08)
    assert not stage_people([without(before, "joints_m")], H36M_17).placed
    assert stage_people([], H36M_17).people == []
