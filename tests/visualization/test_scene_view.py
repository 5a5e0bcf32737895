from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.motion import Person
from hyperlift.motion.staging import LANE_M, share_lanes, stage_people, stand_upright
from hyperlift.skeletons import H36M_17
from hyperlift.visualization.scene_view import Floor, SceneView


def person(number: int, first: int, last: int, x_px: float | int, scale: float = 1.0) -> Person:
    """Stands still: every joint on a line of its own, the ankles lowest (camera axes: y down)."""
    frame = np.arange(first, last + 1)
    pose = np.zeros((len(frame), len(H36M_17), 3))
    pose[..., 1] = np.linspace(0, -0.8, len(H36M_17))
    pose[:, H36M_17.indices(["RAnkle", "LAnkle"]), 1] = 0.9
    pose[:, H36M_17.index("RWrist"), 0] = -0.5
    keypoints = np.full((len(frame), len(H36M_17), 3), float(x_px))
    return Person.of(
        id=number,
        frame=frame,
        time_s=frame / 30,
        pose_norm=pose * scale,
        valid=np.ones(pose.shape[:2], bool),
        keypoints_px=keypoints,
    )


def staged(*people: Person) -> Sequence[Person]:
    return stage_people(people, H36M_17).people


def test_upright_stands_on_the_floor_at_reference_size():
    joints_m = stand_upright(person(0, 0, 9, 0.0, scale=0.01).pose_norm, 30.0, H36M_17)
    np.testing.assert_allclose(bone_lengths(joints_m, H36M_17).sum(-1), REFERENCE_BONE_SUM_M)
    np.testing.assert_allclose(joints_m[:, H36M_17.indices(["RAnkle", "LAnkle"]), 2], 0, atol=1e-9)
    assert (joints_m[:, H36M_17.index("Head"), 2] > joints_m[:, H36M_17.root, 2]).all()
    np.testing.assert_allclose(joints_m[:, H36M_17.root, :2], 0, atol=1e-12)


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


def test_lanes_follow_the_picture_and_are_shared_over_time():
    people = [person(0, 0, 50, x_px=600), person(1, 10, 90, x_px=100), person(2, 60, 95, x_px=900)]
    assert share_lanes(people) == [1, 0, 1]
    assert share_lanes([person(0, 0, 50, 600), person(1, 50, 60, 100)]) == [1, 0]


def test_people_stand_a_lane_apart():
    people = staged(person(0, 0, 5, 10), person(1, 0, 5, 500), person(2, 0, 5, 300))
    x = {p.id: float(p.world_m[0, H36M_17.root, 0]) for p in people}
    assert [x[0], x[2], x[1]] == pytest.approx([-LANE_M, 0, LANE_M])
    assert Floor.under(people).right_m > LANE_M


def test_a_person_in_one_frame():
    (alone,) = staged(person(4, 7, 7, 0.0))
    assert np.isfinite(alone.world_m).all()
