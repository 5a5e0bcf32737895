"""Detections in arrays: the same to those who look frame by frame."""

import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.keypoints.people_by_frame import PeopleByFrame
from hyperlift.skeletons.joint_sets import COCO_17, HALPE_26


def person(x: float) -> np.ndarray:
    return np.stack([np.full(17, x), np.arange(17.0) + 1, np.full(17, 0.5)], axis=-1)


def detections(frames) -> Detections:
    return Detections(source="s.json", tool="t", skeleton=COCO_17, frames=frames)


def test_a_mapping_and_what_is_gathered_are_the_same():
    frames = {7: [Detection(person(1.0), 4), Detection(person(2.0))], 3: [], 5: [Detection(person(3.0), 0)]}
    gathered = PeopleCollector()
    for frame, people in frames.items():
        gathered.add_frame(frame)
        for one in people:
            gathered.add(frame, one.keypoints_px, one.track_id)
    found = gathered.detections("s.json", "t", COCO_17).people
    assert found.person_frame.tolist() == [5, 7, 7]
    for people in (detections(frames).frames, found):
        assert list(people) == [3, 5, 7]
        assert [[p.track_id for p in people[frame]] for frame in people] == [[], [0], [4, None]]
        assert [float(p.keypoints_px[0, 0]) for p in people[7]] == [1.0, 2.0]
        assert 4 not in people
        assert people.get(4, ()) == ()
        assert len(people) == 3


def test_every_frame_of_a_video():
    people = PeopleByFrame.of({1: [Detection(person(1.0))], 4: [Detection(person(2.0))]}, 17)
    assert [len(people.over(6)[frame]) for frame in range(6)] == [0, 1, 0, 0, 1, 0]
    assert [len(seen) for seen in people.over(3).values()] == [0, 1, 0]
    assert len(people.over(3).keypoints_px) == 1


def test_nobody():
    empty = detections({})
    assert (empty.span, empty.last_frame, list(empty.frames)) == (0, -1, [])
    assert empty.people.keypoints_px.shape == (0, 17, 3)
    assert PeopleCollector().detections("s.json", "t", HALPE_26).people.keypoints_px.shape == (0, 26, 3)
    assert detections({4: []}).times_s(25.0).shape == (5,)


def test_frames_count_from_0():
    with pytest.raises(InputError, match="has a frame -3; frame numbers count from 0"):
        detections({-3: [], 2: []})


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            {0: 1, 999_999_999: 1},
            "2 detections, and the last is in frame 999999999; expected .* below 100000",
        ),
        ({0: 1, 100_000: 1}, "frame 100000; expected frame numbers below 100000 "),
        ({0: 10, 200_000: 9}, "19 detections, and the last is in frame 200000; expected frame numbers below 190000"),
        ({0: 2000, 10_000_000: 1}, "frame 10000000; expected frame numbers below 10000000"),
        ({100_000: 0}, "0 detections, and the last is in frame 100000"),
    ],
)
def test_absurd_frame_numbers_are_named(frames: dict[int, int], message: str):
    seen = {frame: [Detection(person(1.0))] * count for frame, count in frames.items()}
    with pytest.raises(InputError, match=message):
        detections(seen).times_s(30.0)


def test_sparse_frames_that_may_be():
    seen = {frame: [Detection(person(1.0))] * count for frame, count in {0: 10, 199_999: 10}.items()}
    assert len(detections(seen).times_s(30.0)) == 200_000
    with pytest.raises(InputError, match="the frame rate is 9"):
        detections(seen).times_s(1e-320)
