"""Cameras, files as if they were cameras, and what is dropped."""

import threading
from pathlib import Path

import numpy as np
import pytest
from pipeline_recordings import write_spots

from hyperlift.errors import InputError
from hyperlift.live.capture import Capture, Clock
from hyperlift.live.source import Camera, CameraAddress, VideoFile, camera_address, open_source

# FFmpeg's own invented camera, at the pace of a real one.
PATTERN = CameraAddress("lavfi", "testsrc2=size=320x240:rate=50:duration=0.4,realtime")


@pytest.mark.parametrize(
    ("source", "platform", "expected"),
    [
        ("0", "linux", ("video4linux2", "/dev/video0", {"video_size": "640x480", "framerate": "30"})),
        ("/dev/video7", "linux", ("video4linux2", "/dev/video7", {"video_size": "640x480", "framerate": "30"})),
        ("1", "darwin", ("avfoundation", "1", {"video_size": "640x480", "framerate": "30"})),
        ("video=My Cam", "win32", ("dshow", "video=My Cam", {"video_size": "640x480", "framerate": "30"})),
    ],
)
def test_how_cameras_are_opened(source, platform, expected):
    address = camera_address(source, (640, 480), 30.0, platform)
    assert (address.format, address.address, dict(address.options)) == expected


def test_a_name_that_is_no_camera_is_a_file():
    assert camera_address("walk.mp4", platform="linux") is None
    assert camera_address("0.mp4", platform="win32") is None


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(InputError, match=r"camera 97: there is no /dev/video97 \(no camera is found|there are"):
        open_source("97")
    with pytest.raises(InputError, match="Windows names its cameras"):
        camera_address("0", platform="win32")
    with pytest.raises(InputError, match="cameras are not known on sunos"):
        camera_address("0", platform="sunos")
    with pytest.raises(InputError, match="camera /dev/null: cannot be opened"):
        open_source("/dev/null")
    with pytest.raises(InputError, match="no such video"):
        open_source(str(tmp_path / "absent.mp4"))
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(InputError, match="is not a video"):
        open_source(str(tmp_path / "text.mp4"))
    with pytest.raises(InputError, match="`camera_size` and `camera_fps` are for cameras"):
        open_source(str(tmp_path / "text.mp4"), fps=30)


def test_a_camera_gives_pictures_until_it_is_gone():
    camera = Camera(PATTERN, "0")
    assert (camera.width, camera.height, camera.fps, camera.waits) == (320, 240, 50.0, False)
    with pytest.raises(InputError, match=r"camera 0: gives no more pictures"):
        list(camera.frames())
    camera.close()


def test_every_picture_of_a_camera_has_its_number_and_time():
    camera = Camera(PATTERN, "0")
    frames = []
    try:
        for frame in camera.frames():
            frames.append(frame)
    except InputError:
        pass
    camera.close()
    assert [frame.index for frame in frames] == list(range(20))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(20) / 50, atol=1e-6)
    assert all(frame.rgb.shape == (240, 320, 3) and frame.rgb.dtype == np.uint8 for frame in frames)
    assert np.ptp(frames[0].rgb) > 200


def test_a_device_without_pictures():
    with pytest.raises(InputError, match="camera 0"):
        Camera(CameraAddress("lavfi", "anullsrc"), "0")
    with pytest.raises(InputError, match="this PyAV has no nosuchformat"):
        Camera(CameraAddress("nosuchformat", "0"), "0")


@pytest.fixture
def video(tmp_path: Path) -> VideoFile:
    return VideoFile(write_spots(tmp_path / "spot.mp4", np.linspace(100, 500, 15), fps=50.0))


def taken_by_somebody_slow(capture: Capture) -> list:
    """The first picture, and then those that are there after the source has ended."""
    capture.start()
    taken = [capture.take()]
    thread = next(thread for thread in threading.enumerate() if thread.name == "live-capture")
    thread.join(60)
    return [*taken, *iter(capture.take, None)]


def test_who_is_slow_gets_the_newest_and_hears_what_was_dropped(video):
    capture = Capture(video, Clock())
    first, last = taken_by_somebody_slow(capture)
    assert last.frame.index == 14
    assert capture.dropped == last.dropped == 15 - 2
    assert last.captured_ms > first.captured_ms


def test_no_frame_is_dropped_when_every_frame_is_wanted(video):
    capture = Capture(video, Clock(), every_frame=True)
    capture.start()
    taken = list(iter(capture.take, None))
    assert [captured.frame.index for captured in taken] == list(range(15))
    assert capture.dropped == 0
    stamps = np.array([captured.captured_ms for captured in taken])
    # Not before they are due.
    assert (stamps - stamps[0] >= 1e3 * (video.times_s - video.times_s[0]) - 1e-3).all()


def test_stopping_in_the_middle_leaves_no_thread(video):
    capture = Capture(video, Clock(), every_frame=True)
    capture.start()
    assert capture.take() is not None
    assert capture.stop()
    assert capture.take() is None


def test_what_breaks_a_source_is_told_to_who_takes():
    camera = Camera(PATTERN, "0")
    capture = Capture(camera, Clock())
    capture.start()
    with pytest.raises(InputError, match="gives no more pictures"):
        list(iter(capture.take, None))
    assert capture.stop()
    camera.close()
