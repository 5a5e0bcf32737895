"""Entries of a file: order, marks for missing joints, confidences of other kinds, entries that cannot be read."""

import numpy as np
import pytest

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detections
from hyperlift.keypoints.formats.collector import PeopleCollector
from hyperlift.skeletons.joint_sets import COCO_17


def person(x: float, confidence: float = 0.5) -> np.ndarray:
    return np.stack([np.full(17, x), np.arange(17.0) + 1, np.full(17, confidence)], axis=-1)


def gathered(*people: np.ndarray) -> Detections:
    everybody = PeopleCollector()
    for frame, keypoints in enumerate(people):
        everybody.add_frame(frame)
        everybody.add(frame, keypoints)
    return everybody.detections("s.json", "t", COCO_17)


def test_many_come_out_in_the_order_of_frames_and_then_of_the_file():
    everybody = PeopleCollector()
    numbers = np.random.default_rng(0).integers(0, 50, 10_000)
    for count, frame in enumerate(numbers.tolist()):
        everybody.add(frame, person(count + 1.5))
    people = everybody.detections("s.json", "t", COCO_17).people
    expected = np.argsort(numbers, kind="stable") + 1.5
    np.testing.assert_array_equal(people.keypoints_px[:, 0, 0], expected)
    assert len(people) == 50


@pytest.mark.parametrize("mark", [(0.0, 0.0), (-1.0, -1.0), (np.nan, np.nan), (np.nan, 5.0)])
def test_marks_of_missing_joints(mark: tuple[float, float]):
    keypoints = person(1.5)
    keypoints[3, :2] = mark
    keypoints[4, 2] = 1.5
    found = gathered(keypoints)
    ((one,),) = found.frames.values()
    assert np.isnan(one.keypoints_px[3, :2]).all()
    assert one.keypoints_px[3, 2] == 0.0
    assert one.keypoints_px[4].tolist() == [1.5, 5.0, 1.0]
    assert found.notes == ()


def test_confidences_of_a_hundred_are_parts_of_it():
    keypoints = person(1.5, 80.0)
    keypoints[0, 2] = 1.0
    found = gathered(keypoints, person(2.5, 97.5))
    assert found.people.keypoints_px[0, :2, 2] == pytest.approx([0.01, 0.8])
    assert found.people.keypoints_px[1, 0, 2] == 0.975
    assert found.notes == ("confidences reach 97.5: taken as parts of 100",)


def test_confidences_that_are_always_0_are_none():
    keypoints = person(1.5, 0.0)
    keypoints[2, :2] = 0.0
    found = gathered(keypoints)
    assert found.people.keypoints_px[0, :4, 2].tolist() == [1.0, 1.0, 0.0, 1.0]
    assert found.notes == ("all confidences are 0: taken as not known, every point counts as seen",)


def test_somebody_without_a_joint_is_nobody():
    found = gathered(person(1.5), np.zeros((17, 3)))
    assert [len(people) for people in found.frames.values()] == [1, 0]


def test_an_entry_that_cannot_be_read_is_left_out_and_told():
    everybody = PeopleCollector()
    for frame in range(3):
        with everybody.entry():
            if frame == 1:
                raise InputError("s.json, entry 1: is wrong")
            everybody.add(frame, person(1.5))
    found = everybody.detections("s.json", "t", COCO_17)
    assert list(found.frames) == [0, 2]
    assert found.notes == ("1 of 3 entries cannot be read and are left out; the first: s.json, entry 1: is wrong",)


def test_a_file_of_unreadable_entries_is_refused_with_the_first():
    everybody = PeopleCollector()
    everybody.add(0, person(1.5))
    for number in range(2):
        with everybody.entry():
            raise InputError(f"fault {number}")
    with pytest.raises(InputError, match="fault 0"):
        everybody.detections("s.json", "t", COCO_17)


def test_frames_whose_numbers_are_known_in_the_end():
    everybody = PeopleCollector()
    for place in (0, 1, 2, 0):
        everybody.add_frame(place)
        everybody.add(place, person(place + 1.5))
    everybody.renumber([7, None, 3])
    people = everybody.detections("s.json", "t", COCO_17).people
    assert people.person_frame.tolist() == [3, 7, 7]
    assert people.keypoints_px[:, 0, 0].tolist() == [3.5, 1.5, 1.5]
    assert list(people) == [3, 7]
