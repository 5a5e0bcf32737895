import json

import numpy as np
import pytest

from hyperlift.skeletons.joint_sets import COCO_17
from hyperlift.tracking.association import Target, body_sizes, given_id_cost, pose_distances
from hyperlift.tracking.tracker import Tracker

FPS = 30.0


def body(x: float, y: float, height: float = 100.0) -> np.ndarray:
    """A standing figure whose box is 40 x 100 at height 100; its middle is at x, y."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.5, 0.5, (len(COCO_17), 2)) * [0.4 * height, height]
    points -= (points.min(0) + points.max(0)) / 2
    points *= np.array([0.4, 1.0]) * height / np.ptp(points, axis=0)
    return np.concatenate([points + [x, y], np.full((len(COCO_17), 1), 0.8)], axis=1)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(pose_distances(one[None, :, :2], other[None, :, :2])[0, 0])


def test_distance_is_in_body_sizes_and_ignores_a_few_wild_joints():
    size = np.hypot(40, 100)
    assert body_sizes(body(7, 9)[None, :, :2])[0] == pytest.approx(size)
    assert distance(body(0, 0), body(10, 0)) == pytest.approx(10 / size)
    moved = body(10, 0)
    moved[:5, :2] += 500
    wide = np.linalg.norm(np.ptp(moved[:, :2], axis=0))
    assert distance(body(0, 0), moved) == pytest.approx(10 / wide)
    moved[:5] = [np.nan, np.nan, 0]
    assert distance(body(0, 0), moved) == pytest.approx(10 / size)


@pytest.mark.parametrize("seed", range(5))
def test_distance_is_the_median_of_what_is_shared(seed: int):
    rng = np.random.default_rng(seed)
    poses, others = rng.uniform(0, 100, (3, 9, 2)), rng.uniform(0, 100, (2, 9, 2))
    poses[rng.uniform(size=(3, 9)) < 0.4] = np.nan
    others[rng.uniform(size=(2, 9)) < 0.2] = np.nan
    for pose, row in zip(poses, pose_distances(poses, others), strict=True):
        for other, found in zip(others, row, strict=True):
            lengths = np.linalg.norm(pose - other, axis=1)
            size = max(np.linalg.norm(np.nanmax(p, 0) - np.nanmin(p, 0)) for p in (pose, other))
            few = np.isfinite(lengths).sum() < 3
            assert found == (np.inf if few else pytest.approx(np.nanmedian(lengths) / size))


def test_nothing_is_known_without_shared_joints():
    hidden = body(0, 0)
    hidden[2:] = [np.nan, np.nan, 0]
    assert distance(body(0, 0), hidden) == np.inf


def test_crossing_people_keep_their_ids():
    """They meet at frame 20 in one spot; whoever is told apart by place alone mixes them up."""
    tracker = Tracker()
    assert tracker.update(0.0, [body(100, 0), body(300, 0)]) == [0, 1]
    for frame in range(1, 41):
        poses = [body(300 - 5 * frame, 0), body(100 + 5 * frame, 2)]  # in the other order
        assert tracker.update(frame / FPS, poses) == [1, 0]


def moved(x: float, frames: int, height: float = 100.0) -> int | None:
    """The id that somebody gets who stood at 0 with id 0 and is seen again at x."""
    tracker = Tracker()
    tracker.update(0.0, [body(0, 0)])
    return tracker.update(frames / FPS, [body(x, 0, height)])[0]


def test_nobody_gets_a_body_that_they_cannot_have_reached():
    assert moved(60, 1) == 1  # more than half a body in a thirtieth of a second
    assert moved(60, 6) == 0
    assert moved(100, 25) == 1  # hidden for long: still somebody else
    assert moved(0, 1, height=170) == 1  # at the same place and much nearer to the camera
    assert moved(0, 15, height=170) == 0


def test_whoever_is_unseen_for_a_second_comes_back_as_somebody_else():
    assert moved(0, 30) == 0
    assert moved(0, 31) == 1


def test_the_nearer_of_two_is_taken_and_the_other_left():
    tracker = Tracker()
    tracker.update(0.0, [body(0, 0), body(30, 0)])
    assert tracker.update(1 / FPS, [body(28, 0)]) == [1]


def test_further_people_of_one_frame():
    """The bundled detector asks twice: who of those it knows is there, and who else."""
    tracker = Tracker()
    tracker.update(0.0, [body(0, 0), body(300, 0)])
    now_s = 1 / FPS
    assert tracker.update(now_s, [body(2, 0), body(900, 0)], start_new=False) == [0, None]
    assert tracker.update(now_s, [body(1, 0), body(301, 0), body(900, 0)]) == [2, 1, 3]  # 0 has been seen already
    assert [target.id for target in tracker.targets] == [0, 1, 2, 3]


def test_a_cost_of_ones_own_decides():
    """Here whoever stands at the same height is the same, wherever else."""

    def height_cost(targets, time_s, keypoints_px, given_ids):
        return np.array([[abs(t.keypoints_px[0, 1] - pose[0, 1]) for pose in keypoints_px] for t in targets])

    tracker = Tracker(height_cost)
    tracker.update(0.0, [body(0, 0), body(0, 50)])
    assert tracker.update(1 / FPS, [body(10, 50.5), body(900, 0.5), body(0, 9)]) == [1, 0, 2]


def test_given_ids_are_accepted_wherever_the_bodies_are():
    tracker = Tracker(given_id_cost)
    assert tracker.update(0.0, [body(0, 0), body(50, 0)], [7, 3]) == [0, 1]
    assert tracker.update(1 / FPS, [body(0, 0), body(50, 0), body(90, 0)], [3, 7, 9]) == [1, 0, 2]
    assert tracker.update(1.5, [body(0, 0), body(50, 0)], [7, 9]) == [3, 4]  # unseen for more than a second


def test_the_expected_box_moves_on_and_opens_at_once_and_closes_slowly():
    person = Target(0, 0.0, body(0, 0), None)
    assert person.extent_px == pytest.approx(100)
    for frame in range(1, 40):
        person.update(frame / FPS, body(3 * frame, 0), None)
    middle, extent = person.expected(41 / FPS)
    np.testing.assert_allclose(middle, [3 * 41, 0], atol=0.01)
    assert extent == pytest.approx(100)
    person.update(40 / FPS, body(120, 0, 150), None)
    assert person.extent_px >= 0.88 * 150
    opened = person.extent_px
    person.update(41 / FPS, body(123, 0), None)
    assert 100 < person.extent_px < opened


def test_a_restored_tracker_goes_on_to_the_last_bit():
    rng = np.random.default_rng(0)
    tracker, again = Tracker(), Tracker()
    for frame in range(30):
        people = [body(100 + 5 * frame, 0), body(300 - 4 * frame, 3)] + rng.normal(0, 1, (2, 17, 3))
        people[rng.uniform(size=(2, 17)) < 0.2] = [np.nan, np.nan, 0]
        again.restore(json.loads(json.dumps(tracker.state())))
        assert tracker.update(frame / FPS, people, [5, None]) == again.update(frame / FPS, people, [5, None])
        assert json.dumps(tracker.state()) == json.dumps(again.state())
