from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from staged_people import person, staged

from hyperlift.body.person import Person
from hyperlift.rendering.pictures.scene_view import Floor, SceneView
from hyperlift.skeletons.joint_sets import H36M_17


def view_of(people: Sequence[Person]) -> SceneView:
    return SceneView(people, Floor.under(people), (100.0, 50.0, 500.0, 450.0))


def test_farther_from_the_camera_is_farther_and_higher_in_the_view():
    view = view_of(staged(person(0, 0, 9, 0.0)))
    near, far = view.project(np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    assert far[2] > near[2]
    assert far[1] < near[1]  # seen from above, the far end of the floor is higher up in the picture
    scales = view.px_per_m(np.array([near[2], far[2]]))
    assert scales[1] < scales[0]


def test_up_stays_up_and_right_stays_right():
    view = view_of(staged(person(0, 0, 9, 0.0)))
    origin, right, up = view.project(np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    assert right[0] > origin[0]
    assert up[1] < origin[1]
    assert up[0] == pytest.approx(origin[0])


def test_everything_is_inside_the_panel():
    people = staged(person(0, 0, 50, 600), person(1, 0, 90, 100))
    view = view_of(people)
    corners = np.concatenate([Floor.under(people).corners_m, *(p.world_m.reshape(-1, 3) for p in people)])
    points = view.project(corners)[:, :2]
    assert (points.min(0) >= [100 - 1e-6, 50 - 1e-6]).all()
    assert (points.max(0) <= [500 + 1e-6, 450 + 1e-6]).all()
    width, height = np.ptp(points, axis=0)
    assert width > 390 or height > 300


def test_view_from_the_side_that_spreads_people():
    """One to the left and far, one to the right and near: seen from the right they would stand one behind the other."""
    spots = {0: [-2.0, 3.0, 0.0], 1: [2.0, -3.0, 0.0]}
    people = [person(0, 0, 9, 0), person(1, 0, 9, 0)]
    for turn in (1.0, -1.0):
        joints_m = {
            number: staged(people[number])[0].world_m + np.multiply(spots[number], [turn, 1, 1]) for number in spots
        }
        view = view_of(staged(*(replace(one, world_m=joints_m[one.id]) for one in people)))
        x = [float(view.project(joints_m[number][0, H36M_17.root])[0]) for number in spots]
        assert abs(x[0] - x[1]) > 200


def test_floor_in_whole_cells_under_the_whole_way():
    walker = staged(person(0, 0, 9, 0.0))[0]
    walker.world_m[:, :, 0] += np.linspace(0, 4.2, 10)[:, None]
    floor = Floor.under([walker])
    assert (floor.left_m, floor.right_m, floor.near_m, floor.far_m, floor.cell_m) == (-1, 5, -1, 1, 1)
    assert len(floor.lines_m) == 7 + 3
    assert np.abs(floor.lines_m[..., 2]).max() == 0
    walker.world_m[:, :, 0] *= 10
    assert Floor.under([walker]).cell_m == 5
    assert Floor.under([]).right_m > 0
