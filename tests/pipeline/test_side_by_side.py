"""Decoding beside detection: the same numbers and the same errors as one after the other, and no thread left over."""

import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from pipeline_recordings import SpotDetector, write_spots
from shared_data import shared_path
from wild_people import write_flat_lifter

import hyperlift
from hyperlift.detection.detector import detect_video
from hyperlift.detection.registry import make_detector
from hyperlift.errors import InputError
from hyperlift.pipeline.options import LiftOptions
from hyperlift.pipeline.recording_source import open_recording
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.video.writing import write_mp4


@pytest.fixture(autouse=True)
def no_thread_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


@pytest.fixture
def lifter(tmp_path: Path) -> hyperlift.Lifter:
    return hyperlift.Lifter(write_flat_lifter(tmp_path / "flat.onnx"), threads=1)


def test_keypoints_and_poses_are_those_of_one_after_the_other(tmp_path: Path):
    recording = shared_path("data/wild/multiperson_cam01.mp4")
    facts, clip = video_facts(recording), tmp_path / "clip.mp4"
    with write_mp4(clip, *facts.size, facts.fps) as video:
        for frame in islice(read_frames(recording), 8):
            video.add(frame.rgb)
    lifter, options = hyperlift.Lifter("nano", threads=1), LiftOptions(detector="movenet-fast")
    recorded = open_recording(clip, None, options)

    one_by_one = detect_video(
        read_frames(clip), make_detector("movenet-fast", fps=recorded.fps, threads=1), source=str(clip)
    )
    side_by_side = lifter.detect(recorded, options=options)
    assert list(side_by_side.frames) == list(one_by_one.frames) == list(range(8))
    assert any(one_by_one.frames.values())
    for frame, people in one_by_one.frames.items():
        others = side_by_side.frames[frame]
        assert [person.track_id for person in others] == [person.track_id for person in people]
        assert [p.keypoints_px.tobytes() for p in others] == [p.keypoints_px.tobytes() for p in people]

    expected = lifter.lift_detections(one_by_one, recorded, options=options).people
    people = lifter.lift(clip, options=options).people
    assert [person.id for person in people] == [person.id for person in expected]
    for ours, theirs in zip(people, expected, strict=True):
        assert ours.joints_m is not None
        assert theirs.joints_m is not None
        assert ours.joints_m.tobytes() == theirs.joints_m.tobytes()
        assert ours.pose_norm.tobytes() == theirs.pose_norm.tobytes()


def test_a_damaged_video_is_told_in_the_same_words(tmp_path: Path, lifter: hyperlift.Lifter):
    video = write_spots(tmp_path / "v.mp4", np.linspace(100, 500, 60).tolist())
    content = bytearray(video.read_bytes())
    pictures = content.index(b"mdat") + 8
    content[pictures + (len(content) - pictures) // 8 :] = bytes(
        len(content) - pictures - (len(content) - pictures) // 8
    )
    video.write_bytes(content)
    with pytest.raises(InputError) as alone:
        list(read_frames(video))
    with pytest.raises(InputError) as beside:
        lifter.lift(video, detector=SpotDetector())
    assert "damaged" in str(alone.value)
    assert str(beside.value) == str(alone.value)


@pytest.mark.parametrize(("error", "told"), [(KeyboardInterrupt, KeyboardInterrupt), (MemoryError, InputError)])
def test_what_stops_the_detector_stops_the_decoder(tmp_path: Path, lifter: hyperlift.Lifter, error: type, told: type):
    class Stopped(SpotDetector):
        def detect(self, frame_rgb, index):
            if index == 5:
                raise error
            return super().detect(frame_rgb, index)

    video, detector = write_spots(tmp_path / "v.mp4", [300.0] * 40), Stopped()
    with pytest.raises(told):
        lifter.lift(video, detector=detector)
    assert detector.looked_at == [0, 1, 2, 3, 4]
