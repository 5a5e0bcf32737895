"""Tracks against the bodies that made them, which the confidence of a toe remembers."""

from collections.abc import Callable

import numpy as np
import pytest
from wild_people import standing

from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.timestamps import even_times
from hyperlift.skeletons.joint_sets import BODY_25
from hyperlift.tracking.tracks import Track, track_people

TOE = BODY_25.index("LBigToe")
Place = Callable[[float], tuple[float, float]]
"""Seconds to the x of the hips in pixels and the size of the person (1: 170 px tall)."""


def body(
    number: int, x: float, size: float, time_s: float, stride: float, generator: np.random.Generator
) -> np.ndarray:
    """Somebody who walks: legs and arms swing once a second."""
    keypoints = standing(BODY_25, 0.0, 0.0)
    keypoints[TOE, :2] = 15, 88
    swing = stride * np.sin(2 * np.pi * time_s + number)
    for side, sign in (("L", 1), ("R", -1)):
        for joint, reach in (("Knee", 15), ("Ankle", 30), ("Elbow", -8), ("Wrist", -20)):
            keypoints[BODY_25.index(side + joint), 0] += sign * swing * reach
    keypoints[:, :2] = size * keypoints[:, :2] + [x, 300.0]
    keypoints[:, :2] += generator.normal(0, 1.5 * size, (len(BODY_25), 2))
    keypoints[TOE, 2] = 0.5 + number / 100
    return keypoints


def recording(
    places: list[Place],
    time_s: np.ndarray,
    number: Callable[[int, float], int | None],
    hidden: Callable[[int, float], bool] = lambda body, time_s: False,
    seed: int = 0,
    stride: float = 1.0,
) -> Detections:
    """What a detector tells of these bodies; ``number`` is its track number for a body at a time."""
    generator = np.random.default_rng(seed)
    frames = {}
    for frame, now in enumerate(time_s.tolist()):
        people = [
            Detection(body(b, *place(now), now, stride, generator), number(b, now))
            for b, place in enumerate(places)
            if not hidden(b, now)
        ]
        frames[frame] = [people[i] for i in generator.permutation(len(people))]
    return Detections(source="made-up", tool="test", skeleton=BODY_25, frames=frames)


def bodies(track: Track) -> set[int]:
    return {round(100 * (confidence - 0.5)) for confidence in track.keypoints_px[:, TOE, 2].tolist()}


def to_the_right(time_s: float) -> tuple[float, float]:
    return 100 + 130 * time_s, 1.0


def to_the_left(time_s: float) -> tuple[float, float]:
    return 600 - 120 * time_s, 1.0


MEETING_S = 2.0


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("fps", [15.0, 60.0])
@pytest.mark.parametrize("late_s", [-0.1, 0.0, 0.1])
@pytest.mark.parametrize("stride", [0.0, 1.0])
def test_the_detector_exchanges_its_numbers_at_a_crossing(seed: int, fps: float, late_s: float, stride: float):
    def number(body: int, time_s: float) -> int:
        return body if time_s < MEETING_S + late_s else 1 - body

    time_s = even_times(int(4 * fps), fps)
    detections = recording([to_the_right, to_the_left], time_s, number, seed=seed, stride=stride)
    tracks = track_people(detections, time_s)
    assert [track.id for track in tracks] == [0, 1]
    for track in tracks:
        mine = np.round(100 * (track.keypoints_px[:, TOE, 2] - 0.5)) == track.id
        # In a frame or two they coincide and differ by the noise alone.
        together = np.abs(time_s[track.frame] - MEETING_S) < 1.5 / fps
        assert mine[~together].all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("numbered", [True, False])
def test_a_crossing_with_one_body_hidden_behind_the_other(seed: int, numbered: bool):
    """0.3 s of occlusion, after which the detector has exchanged its numbers, or never had any."""
    generator = np.random.default_rng(seed)
    steps = generator.uniform(1 / 45, 1 / 20, 130)  # a variable frame rate
    time_s = np.cumsum(steps) - steps[0]

    def number(body: int, now: float) -> int | None:
        return (body if now < MEETING_S else 1 - body) if numbered else None

    def hidden(body: int, now: float) -> bool:
        return body == 1 and abs(now - MEETING_S) < 0.15

    tracks = track_people(recording([to_the_right, to_the_left], time_s, number, hidden, seed), time_s)
    assert sorted(map(sorted, map(bodies, tracks))) == [[0], [1]]


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize(("absence_s", "people"), [(0.3, 1), (0.9, 1), (2.0, 2)])
def test_an_occlusion(absence_s: float, people: int, numbered: bool):
    time_s = even_times(180, 30.0)

    def hidden(body: int, now: float) -> bool:
        return body == 0 and 2 <= now < 2 + absence_s

    places = [to_the_right, lambda time_s: (800.0, 1.0)]
    tracks = track_people(recording(places, time_s, lambda b, _: b if numbered else None, hidden), time_s)
    of_the_walker = [track for track in tracks if bodies(track) == {0}]
    assert len(of_the_walker) == people
    assert [bodies(track) for track in tracks if track not in of_the_walker] == [{1}]


@pytest.mark.parametrize("seed", range(3))
def test_people_who_meet_and_turn_back_keep_their_bodies(seed: int):
    """They slow down, stand half overlapped, and walk back: as lines they look like a crossing."""

    def towards_and_back(sign: float) -> Place:
        return lambda time_s: (350 - sign * (30 + 60 * np.sqrt(0.15 + (time_s - MEETING_S) ** 2)), 1.0)

    time_s = even_times(120, 30.0)
    detections = recording([towards_and_back(1), towards_and_back(-1)], time_s, lambda b, _: b, seed=seed)
    tracks = track_people(detections, time_s)
    assert sorted(map(sorted, map(bodies, tracks))) == [[0], [1]]


@pytest.mark.parametrize("seed", range(3))
def test_a_number_that_slips_to_a_body_close_by_is_cut(seed: int):
    """Only one of two people who stand shoulder to shoulder is detected, first the one, then the other."""
    time_s = even_times(120, 30.0)
    places = [lambda now: (300.0, 1.0), lambda now: (352.0, 1.0)]
    detections = recording(places, time_s, lambda *_: 7, lambda b, now: b == (0 if now >= 2 else 1), seed, stride=0.2)
    assert [bodies(track) for track in track_people(detections, time_s)] == [{0}, {1}]


def test_a_number_that_slips_to_a_body_far_behind_is_cut():
    """At the same place in the picture, but half as large."""
    time_s = even_times(120, 30.0)
    places = [lambda now: (300.0, 1.0), lambda now: (300.0, 0.5)]
    detections = recording(places, time_s, lambda *_: 7, lambda b, now: b == (0 if now >= 2 else 1), stride=0.2)
    assert [bodies(track) for track in track_people(detections, time_s)] == [{0}, {1}]


@pytest.mark.parametrize("seed", range(4))
def test_a_wild_dance_is_one_person(seed: int):
    """Fast turns (peaks of 4 m/s and 30 m/s²) and a noisy detector are no reason to cut."""
    generator = np.random.default_rng(seed)
    phases = generator.uniform(0, 2 * np.pi, 2)

    def dance(now: float) -> tuple[float, float]:
        return 300 + 60 * np.sin(7 * now + phases[0]), 1 + 0.15 * np.sin(5 * now + phases[1])

    time_s = even_times(150, 30.0)
    detections = recording([dance], time_s, lambda *_: 0, seed=seed, stride=2.0)
    assert [len(track.frame) for track in track_people(detections, time_s)] == [150]
