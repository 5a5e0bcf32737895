"""From a file's pixels to what a listener reads."""

import re
import threading
from pathlib import Path

import numpy as np
import pytest
from live_client import frames_until_end, get, joints_m, listening, session_of
from pipeline_recordings import SpotDetector, write_spots

from hyperlift.detection.registry import make_detector
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.live import capture
from hyperlift.live.source import Camera, CameraAddress, VideoFile
from hyperlift.pipeline.lifter import Lifter
from hyperlift.pipeline.options import LiftOptions
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.video.reading import Frame, read_frames
from hyperlift.video.writing import write_mp4

MULTIPERSON = Path(__file__).resolve().parents[2] / "examples" / "multiperson.mp4"
FRAMES, LOOK_AHEAD = 10, 3


@pytest.fixture(scope="module")
def lifter():
    return Lifter("small", threads=1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """The beginning of the bundled video, smaller."""
    path = tmp_path_factory.mktemp("clip") / "people.mp4"
    with write_mp4(path, 544, 960, 60.0) as video:
        for frame in read_frames(MULTIPERSON, (544, 960)):
            if frame.index == FRAMES:
                break
            video.add(frame.rgb)
    return path


@pytest.fixture(scope="module")
def heard(clip, lifter):
    """What two listeners read of one session: one from the beginning, one after the end."""
    lift = LiftOptions(detector="movenet-fast", min_confidence=0.0)
    with session_of(VideoFile(clip), lifter, lift=lift, every_frame=True, look_ahead=LOOK_AHEAD) as running:
        first = frames_until_end(running.server.url)
        late = frames_until_end(running.server.url)
        assert running.session.wait(10)
        return first, late


def shape(joints: np.ndarray) -> np.ndarray:
    """All distances between joints over the sum of the bones: the same however a pose is turned, shifted, enlarged."""
    return np.linalg.norm(joints[:, None] - joints[None], axis=-1) / bone_lengths(joints[None], H36M_17).sum()


def test_frames_come_in_order_and_none_is_missing(heard):
    frames, _ = heard
    assert [frame["index"] for frame in frames] == list(range(FRAMES))
    np.testing.assert_allclose([frame["time_s"] for frame in frames], np.arange(FRAMES) / 60, atol=1e-3)
    assert {frame["dropped"] for frame in frames} == {0}
    assert {frame["floor"] for frame in frames} == {"provisional"}, "a sixth of a second says little"


def test_poses_are_those_that_a_stream_gives(clip, lifter, heard):
    detector = make_detector("movenet-fast", fps=60.0, threads=1)
    found = [(frame.time_s, detector.detect(frame.rgb, frame.index)) for frame in read_frames(clip)]
    ids = {person.track_id for _, people in found for person in people}
    compared = 0
    for number in ids:
        stream = lifter.stream(544, 960, 60.0, LOOK_AHEAD, skeleton="coco17")
        poses = []
        for time_s, people in found:
            mine = [person.keypoints_px for person in people if person.track_id == number]
            pose = stream.push(mine[0] if mine else None, time_s)
            poses += [] if pose is None else [pose]
        for pose in [*poses, *stream.flush()]:
            shown = {person["id"]: person for person in heard[0][pose.index]["people"]}
            if not np.isfinite(pose.pose_norm).all():
                continue
            # The detector numbers people as they come, and so does whoever follows them here.
            assert np.abs(shape(joints_m(shown[number])) - shape(pose.pose_norm)).max() < 5e-4
            assert [shown[number]["valid"] >> joint & 1 for joint in range(17)] == list(pose.valid)
            compared += 1
    assert len(ids) >= 2
    assert compared >= 2 * FRAMES


def test_people_have_their_size_and_stand_on_a_floor(heard):
    for person in heard[0][-1]["people"]:
        joints = joints_m(person)
        assert bone_lengths(joints[None], H36M_17).sum() == pytest.approx(REFERENCE_BONE_SUM_M, rel=0.1)
        assert joints[H36M_17.index("Head"), 2] > joints[H36M_17.indices(["LAnkle", "RAnkle"]), 2].max() + 0.8
        # So early up is known to 8 degrees, which is 0.7 m where they are five metres apart.
        assert -0.7 < joints[:, 2].min() < 1.2


def test_the_stations_of_a_frame_lie_in_order(heard):
    courses = np.array([frame["course"] for frame in heard[0]])
    assert (np.diff(courses, axis=1) >= 0).all()
    assert (np.diff(courses, axis=0) >= 0).all()
    # The look-ahead ends when the frame that it waits for is detected.
    np.testing.assert_allclose(courses[: FRAMES - LOOK_AHEAD, 3], courses[LOOK_AHEAD:, 2], atol=0.02)


def test_who_listens_late_gets_the_same_past(heard):
    first, late = heard
    assert late == first


@pytest.fixture
def spots(tmp_path):
    return write_spots(tmp_path / "spot.mp4", np.linspace(150, 450, 40), fps=25.0)


def test_a_listener_that_leaves_stops_nobody(spots, lifter):
    with session_of(VideoFile(spots), lifter, detector=SpotDetector(), every_frame=True) as running:
        with listening(running.server.url) as events:
            seen = [next(events)[0] for _ in range(3)]
        assert seen[0] == "past"
        frames = frames_until_end(running.server.url)
        assert [frame["index"] for frame in frames] == list(range(40))
        assert get(running.server.url)[0] == 200


def test_a_file_waits_for_the_first_listener(spots, lifter):
    with session_of(VideoFile(spots), lifter, detector=SpotDetector()) as running:
        assert not running.session.wait(0.5)
        assert running.session.summary() == "0 frames"


def test_no_thread_is_left(spots, lifter):
    before = set(threading.enumerate())
    with (
        session_of(VideoFile(spots), lifter, detector=SpotDetector(), every_frame=True) as running,
        listening(running.server.url) as events,
    ):
        next(events)
        running.session.stop()  # in the middle, with somebody listening
    assert set(threading.enumerate()) <= before


class Broken(SpotDetector):
    """Refuses the third picture."""

    def detect(self, frame_rgb, index):
        if index == 2:
            raise InputError("frame 2 is broken")
        return super().detect(frame_rgb, index)


def test_what_breaks_in_a_thread_is_raised_to_who_waits_and_told_to_the_page(spots, lifter):
    with session_of(VideoFile(spots), lifter, detector=Broken(), every_frame=True) as running:
        with listening(running.server.url) as events:
            reason = next(data["reason"] for event, data in events if event == "end")
        assert reason == "Nothing more comes; the terminal says why."
        with pytest.raises(InputError, match="frame 2 is broken"):
            running.session.wait(10)


class Announcing(SpotDetector):
    """Tells of every picture that it is asked for."""

    def __init__(self):
        super().__init__()
        self.asked = threading.Semaphore(0)

    def detect(self, frame_rgb, index):
        self.asked.release()
        return super().detect(frame_rgb, index)


def test_the_next_picture_is_looked_at_while_one_is_lifted(spots, lifter):
    detector, lifted = Announcing(), 0
    with session_of(VideoFile(spots), lifter, detector=detector, every_frame=True, start=False) as running:
        lift = running.session.people.lift

        def when_the_next_one_came(seen):
            nonlocal lifted
            for _picture in range(2 if lifted == 0 else lifted < 39):
                assert detector.asked.acquire(timeout=60)
            lifted += 1
            return lift(seen)

        running.session.people.lift = when_the_next_one_came
        running.session.start()
        frames = frames_until_end(running.server.url)
    assert [frame["index"] for frame in frames] == list(range(40))


class Hanging:
    """A camera that gives one picture and no other."""

    name, width, height, fps, metadata, waits = "hanging", 64, 48, 25.0, {}, False

    def __init__(self):
        self.closed = threading.Event()

    def frames(self):
        yield Frame(0, 0.0, np.zeros((48, 64, 3), np.uint8))
        self.closed.wait(60)

    def close(self):
        self.closed.set()


def test_what_breaks_while_the_camera_hangs_is_told_at_once(lifter, monkeypatch):
    monkeypatch.setattr(capture, "_PATIENCE_S", 0.1)
    with session_of(Hanging(), lifter, detector=SpotDetector(), start=False) as running:

        def broken(seen):
            raise InputError("this cannot be lifted")

        running.session.people.lift = broken
        running.session.start()
        with pytest.raises(InputError, match="this cannot be lifted"):
            running.session.wait(30)


def test_a_camera_cannot_be_made_to_wait(lifter):
    camera = Camera(CameraAddress("lavfi", "testsrc2=size=320x240:rate=50,realtime"), "0")
    try:
        with (
            pytest.raises(InputError, match="`every_frame` is for video files, and camera 0 does not wait"),
            session_of(camera, lifter, every_frame=True),
        ):
            pass
    finally:
        camera.close()


def test_a_camera_that_shows_people(clip, lifter):
    """FFmpeg plays the clip as a camera would give it: at its pace, whether or not anybody has time."""
    camera = Camera(CameraAddress("lavfi", f"movie={clip},setpts=12*PTS,realtime"), "0")
    with session_of(
        camera, lifter, detector=make_detector("movenet-fast", fps=5.0, threads=1), look_ahead=0
    ) as running:
        frames = frames_until_end(running.server.url)
        with pytest.raises(InputError, match="camera 0: gives no more pictures"):
            running.session.wait(60)
    indices = [frame["index"] for frame in frames]
    assert indices == sorted(set(indices))
    # Every picture was shown or dropped.
    dropped = int(re.search(r"(\d+) dropped", running.session.summary())[1])
    assert len(frames) + dropped == FRAMES
    assert len(frames[-1]["people"]) >= 2


def test_look_ahead_that_the_lifter_cannot_give(spots, lifter):
    with pytest.raises(InputError, match="lookahead is 500"), session_of(VideoFile(spots), lifter, look_ahead=500):
        pass
