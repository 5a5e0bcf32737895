import numpy as np
import pytest
from hyperlift.detection.following import Follower, one_each, pose_distance, square_around, who_is_who

from hyperlift.skeletons import COCO_17

FPS = 30.0


def body(x: float, y: float, height: float = 100.0, score: float = 0.8) -> np.ndarray:
    """A standing figure whose box is 40 x 100 at height 100; its middle is at x, y."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.5, 0.5, (len(COCO_17), 2)) * [0.4 * height, height]
    points -= (points.min(0) + points.max(0)) / 2
    points *= np.array([0.4, 1.0]) * height / np.ptp(points, axis=0)
    return np.concatenate([points + [x, y], np.full((len(COCO_17), 1), score)], axis=1)


def test_distance_is_in_body_sizes_and_ignores_a_few_wild_joints():
    size = np.hypot(40, 100)
    moved = body(10, 0)
    moved[:5, :2] += 500
    assert pose_distance(body(0, 0), body(10, 0), np.zeros(2)) == pytest.approx(10 / size)
    moved[:5, 2] = 0.8
    wide = np.linalg.norm(np.ptp(moved[:, :2], axis=0))
    assert pose_distance(body(0, 0), moved, np.zeros(2)) == pytest.approx(10 / wide)
    assert pose_distance(body(0, 0), body(10, 0), np.array([10.0, 0.0])) == pytest.approx(0)


def test_nothing_is_known_without_shared_joints():
    hidden = body(0, 0)
    hidden[2:, 2] = 0.05
    assert pose_distance(body(0, 0), hidden, np.zeros(2)) == np.inf


def test_the_square_holds_the_person_with_a_margin():
    square = square_around(body(300, 200))
    assert square.side_px == pytest.approx(125)
    assert (square.left_px, square.top_px) == pytest.approx((300 - 62.5, 200 - 62.5))


def test_a_body_found_twice_is_kept_once_at_its_surer_look():
    sure, unsure, other = body(0, 0, score=0.9), body(3, 0, score=0.5), body(60, 0, score=0.4)
    kept = one_each([unsure, other, sure])
    assert [round(float(pose[0, 2]), 1) for pose in kept] == [0.9, 0.4]


def test_crossing_people_keep_their_course():
    """They meet at frame 20 in one spot; whoever is told apart by place alone mixes them up."""
    people = [Follower(0, body(100, 0), 0), Follower(1, body(300, 0), 0)]
    for frame in range(1, 41):
        poses = [body(300 - 5 * frame, 0), body(100 + 5 * frame, 2)]  # in the other order
        pairs = who_is_who(people, poses, frame, FPS)
        for person, pose in pairs.items():
            people[person].take(poses[pose], frame, FPS)
    assert people[0].pose[:, 0].mean() > 280
    assert people[1].pose[:, 0].mean() < 120


def test_nobody_is_handed_a_body_that_they_cannot_have_reached():
    person = Follower(0, body(0, 0), 0)
    assert who_is_who([person], [body(60, 0)], 1, FPS) == {}  # more than half a body in a thirtieth of a second
    assert who_is_who([person], [body(60, 0)], 6, FPS) == {0: 0}
    assert who_is_who([person], [body(100, 0)], 25, FPS) == {}  # hidden for long: still somebody else


def test_the_nearer_of_two_is_taken_and_the_other_left():
    people = [Follower(0, body(0, 0), 0), Follower(1, body(30, 0), 0)]
    assert who_is_who(people, [body(28, 0)], 1, FPS) == {1: 0}


def test_the_square_opens_at_once_and_closes_slowly():
    person = Follower(0, body(0, 0, 100), 0, side_px=125.0)
    person.take(body(0, 0, 150), 1, FPS)
    assert person.side_px >= 150 * 1.1 - 1e-6
    opened = person.side_px
    person.take(body(0, 0, 100), 2, FPS)
    assert 125 < person.side_px < opened
