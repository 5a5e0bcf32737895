from dataclasses import replace

import numpy as np
import pytest
from shared_data import shared_path
from wild_people import standing

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detection, Detections
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.timestamps import even_times
from hyperlift.skeletons.joint_sets import BODY_25
from hyperlift.tracking.tracks import Track, track_people

FPS = 30.0
TIMES = even_times(2000, FPS)


def recording(frames: dict[int, list[tuple[float, int | None]]]) -> Detections:
    """People given by the x of their hips and their track number, in shuffled order."""
    generator = np.random.default_rng(5)
    people = {
        frame: [
            Detection(standing(BODY_25, x) + generator.normal(0, [1, 1, 0], (len(BODY_25), 3)), track_id)
            for x, track_id in generator.permutation(np.array(persons, dtype=object).reshape(-1, 2)).tolist()
        ]
        for frame, persons in frames.items()
    }
    return Detections(source="made-up", tool="test", skeleton=BODY_25, frames=people)


def course(track: Track) -> np.ndarray:
    """x of the hips."""
    return track.keypoints_px[:, BODY_25.index("MidHip"), 0]


def test_shuffled_people_keep_apart():
    tracks = track_people(recording({f: [(100 + f, None), (300 - f, None), (500.0, None)] for f in range(60)}), TIMES)
    assert [len(track.frame) for track in tracks] == [60, 60, 60]
    starts = sorted(float(course(track)[0]) for track in tracks)
    np.testing.assert_allclose(starts, [100, 300, 500], atol=5)
    for track in tracks:
        assert np.abs(np.diff(course(track))).max() < 8


def test_people_who_cross_keep_their_course():
    """They walk through one another at 6 px a frame; in the middle both boxes coincide."""
    tracks = track_people(recording({f: [(100 + 6.0 * f, None), (460 - 6.0 * f, None)] for f in range(61)}), TIMES)
    assert len(tracks) == 2
    for track in tracks:
        steps = np.diff(course(track))
        assert (np.sign(np.median(steps)) * steps > 0).mean() > 0.9


def test_short_absence_is_one_track_long_absence_two():
    frames = {f: [(200.0, None)] for f in range(100) if not 20 <= f < 40 and not 50 <= f < 85}
    tracks = track_people(recording(frames), TIMES)
    assert [(int(track.frame[0]), int(track.frame[-1])) for track in tracks] == [(0, 49), (85, 99)]
    assert [track.id for track in tracks] == [0, 1]


def test_numbers_of_the_detector_are_kept():
    tracks = track_people(recording({f: [(100.0, 7), (400.0, 3)] for f in range(30)}), TIMES)
    assert {track.id: round(float(course(track)[0]), -1) for track in tracks} == {7: 100, 3: 400}


def test_numbers_that_change_places_are_not_followed():
    swapped = {f: [(100.0, 0), (500.0, 1)] if f < 30 else [(500.0, 0), (100.0, 1)] for f in range(60)}
    tracks = track_people(recording(swapped), TIMES)
    assert [(track.id, len(track.frame)) for track in tracks] == [(0, 60), (1, 60)]
    for track in tracks:
        assert np.ptp(course(track)) < 10


def test_a_number_that_jumps_to_another_body_is_cut():
    tracks = track_people(recording({f: [(100.0 if f < 30 else 500.0, 4)] for f in range(60)}), TIMES)
    assert [(track.id, int(track.frame[0]), int(track.frame[-1])) for track in tracks] == [(4, 0, 29), (5, 30, 59)]


def test_ids_of_the_tracker_itself_are_accepted():
    """Where another tracker's numbers would be overruled; jumps are still cut."""
    detections = recording({f: [(100.0 if f < 30 else 500.0, 4), (300.0, 2)] for f in range(60)})
    tracks = track_people(replace(detections, tracked=True), TIMES)
    assert [(track.id, int(track.frame[0]), int(track.frame[-1])) for track in tracks] == [
        *((2, 0, 59), (4, 0, 29), (5, 30, 59)),
    ]
    far = recording({f: [(100.0 if f < 30 else 500.0, 4)] for f in range(60) if not 30 <= f < 42})
    assert [track.id for track in track_people(far, TIMES)] == [4, 5]
    assert [track.id for track in track_people(replace(far, tracked=True), TIMES)] == [4]


def test_a_number_that_slips_for_two_frames_comes_back():
    tracks = track_people(recording({f: [(500.0 if f in (30, 31) else 100.0, 4)] for f in range(60)}), TIMES)
    assert [(track.id, len(track.frame)) for track in tracks] == [(4, 58)]


def test_one_number_twice_in_a_frame():
    detections = recording({f: [(100.0, 0)] for f in range(30)})
    weak = standing(BODY_25, 400.0) * [1, 1, 0.3]
    frames = {frame: [*people, Detection(weak, 0)] for frame, people in detections.frames.items()}
    (track,) = track_people(Detections(source="t", tool="t", skeleton=BODY_25, frames=frames), TIMES)
    assert np.ptp(course(track)) < 10


def test_ghosts_are_dropped():
    frames = {f: [(100.0, None)] + ([(500.0, None)] if f in (20, 21) else []) for f in range(60)}
    assert len(track_people(recording(frames), TIMES)) == 1


def test_a_single_picture_is_a_recording():
    (track,) = track_people(recording({12: [(100.0, None)]}), TIMES)
    assert track.frame.tolist() == [12]


def test_only_ghosts():
    with pytest.raises(InputError, match="made-up: nobody is seen in 3 frames"):
        track_people(recording({f: [(100.0 + 40 * f, None)] for f in range(0, 2000, 50)}), TIMES)


@pytest.mark.parametrize("suffix", [".alphapose.json", "_openpose"])
def test_real_crossing(suffix: str):
    """The man jumps (lost in mid-air), the woman walks past below him, he lands: three people, never mixed
    up."""
    tracks = track_people(read_keypoints(shared_path(f"data/wild/sports2d_demo{suffix}")), TIMES)
    assert [(t.id, int(t.frame[0]), int(t.frame[-1])) for t in tracks] == [
        (0, 0, 168),
        (1, 40, 202),
        (2, 190, 225),
    ]


def test_detector_without_numbers_is_followed_as_with_them():
    with_numbers = track_people(
        read_keypoints(shared_path("data/wild/multiperson_cam01.alphapose.json")), even_times(100, 60.0)
    )
    without = track_people(read_keypoints(shared_path("data/wild/multiperson_cam01_openpose")), even_times(100, 60.0))
    assert len(with_numbers) == len(without) == 3
    for track in with_numbers:
        nose = track.keypoints_px[:, 0, 0]
        others = [np.nanmax(np.abs(other.keypoints_px[:, 0, 0] - nose)) for other in without]
        assert min(others) < 0.1  # one of them is the same person in every frame
