"""What users really hand in: every mistake is one line and exit code 2, and nothing half-written is left behind."""

import os
import resource
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pipeline_recordings import write_spots
from shared_data import shared_path
from video_files import patch_track_matrix
from wild_people import alphapose_entry, write_alphapose, write_flat_lifter

from hyperlift.cli.main import run as hyperlift
from hyperlift.motion.formats.poses_npz import read_poses
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.video.writing import write_mp4

main = partial(hyperlift, "lift")


@pytest.fixture
def lifter(tmp_path: Path) -> str:
    return str(write_flat_lifter(tmp_path / "flat.onnx"))


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    assert "error: " in error
    return error


def test_not_a_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "letter.mp4").write_text("Dear Sir or Madam")
    error = refused([str(tmp_path / "letter.mp4"), "--out", str(tmp_path / "out")], capsys)
    assert "letter.mp4: is not a video" in error
    assert not (tmp_path / "out").exists()


def test_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "v.mp4").touch()
    assert "empty" in refused([str(tmp_path / "v.mp4"), "--out", str(tmp_path / "out")], capsys)
    assert not (tmp_path / "out").exists()


def test_a_truncated_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    whole = write_spots(tmp_path / "v.mp4", np.linspace(100, 500, 100)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 6 // 10])
    error = refused([str(tmp_path / "cut.mp4"), "--out", str(tmp_path / "out")], capsys)
    assert "cut off" in error
    assert not (tmp_path / "out").exists()


def test_no_person_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    video = write_spots(tmp_path / "v.mp4", [np.nan] * 6)
    error = refused([str(video), "--out", str(tmp_path / "out")], capsys)
    assert "nobody is in it" in error
    assert {path.name for path in (tmp_path / "out").iterdir()} == {".keypoints.json.journal"}, (
        "what was looked at is kept, nothing else"
    )


def test_two_videos(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    one, two = (write_spots(tmp_path / name, [100.0] * 3) for name in ("one.mp4", "two.mp4"))
    assert "two videos" in refused([str(one), "--video", str(two), "--out", str(tmp_path / "out")], capsys)


def test_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert "nothing to lift" in refused(["--out", str(tmp_path / "out")], capsys)


def test_a_folder_of_videos_on_one_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "videos").mkdir()
    video = write_spots(tmp_path / "videos" / "v.mp4", [100.0] * 3)
    error = refused([str(tmp_path / "videos"), "--video", str(video), "--out", str(tmp_path / "out")], capsys)
    assert "is a folder of videos" in error


def test_keypoints_of_another_video_size(tmp_path: Path, lifter: str, capsys: pytest.CaptureFixture[str]):
    keypoints = write_alphapose(tmp_path / "k.json", [alphapose_entry(f, 1500.0) for f in range(20)])
    video = write_spots(tmp_path / "v.mp4", [300.0] * 20)
    error = refused([str(keypoints), "--video", str(video), "--out", str(tmp_path / "out"), "--model", lifter], capsys)
    assert "outside a picture of 640x480" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_an_unwritable_folder(tmp_path: Path, lifter: str, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "locked").mkdir(mode=0o500)
    keypoints = write_alphapose(tmp_path / "k.json", [alphapose_entry(f, 300.0) for f in range(20)])
    arguments = [str(keypoints), "--video-size", "640x480", "--fps", "25", "--model", lifter]
    assert "not writable" in refused([*arguments, "--out", str(tmp_path / "locked" / "out")], capsys)


def test_a_file_where_the_folder_should_be(tmp_path: Path, lifter: str, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "out").touch()
    keypoints = write_alphapose(tmp_path / "k.json", [alphapose_entry(f, 300.0) for f in range(20)])
    arguments = [str(keypoints), "--video-size", "640x480", "--fps", "25", "--model", lifter]
    assert "is no folder" in refused([*arguments, "--out", str(tmp_path / "out")], capsys)


@pytest.mark.parametrize("largest", [2_000, 15_000])
def test_a_full_disk(tmp_path: Path, lifter: str, largest: int):
    """No file of the process may grow beyond a limit: as on a full disk, writing fails in the middle."""
    keypoints = write_alphapose(tmp_path / "k.json", [alphapose_entry(f, 200.0 + f) for f in range(60)])

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    arguments = [str(keypoints), "--video-size", "640x480", "--fps", "25", "--model", lifter, "--csv"]
    done = subprocess.run(
        [sys.executable, "-m", "hyperlift", "lift", *arguments, "--out", str(tmp_path / "out")],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists(), "nothing is left behind"


def test_a_phone_video_that_lies_on_its_side(tmp_path: Path):
    """The rotation flag is respected: lying pictures with the flag give the same people as upright ones."""
    upright, lying = tmp_path / "upright.mp4", tmp_path / "lying.mp4"
    source = shared_path("data/wild/multiperson_cam01.mp4")
    width, height = (side // 4 * 2 for side in video_facts(source).size)
    with write_mp4(upright, width, height, 60.0) as one, write_mp4(lying, height, width, 60.0) as other:
        for frame in read_frames(source, (width, height)):
            if frame.index == 20:
                break
            one.add(frame.rgb)
            other.add(np.ascontiguousarray(np.rot90(frame.rgb)))
    one_16 = 1 << 16
    # A quarter turn clockwise; what leaves the picture on the left is moved back by the stored height.
    patch_track_matrix(lying, [0, one_16, 0, -one_16, 0, 0, width * one_16, 0, 1 << 30])
    assert video_facts(lying).size == (width, height)
    for video in (upright, lying):
        out = str(tmp_path / video.stem)
        assert main([str(video), "--out", out, "--no-render", "--no-flip", "--detector", "movenet-fast"]) == 0
    expected, _ = read_poses(tmp_path / "upright" / "pose3d.npz")
    actual, _ = read_poses(tmp_path / "lying" / "pose3d.npz")
    assert len(actual) == len(expected) == 3
    for person in expected:  # numbers go by who is found first
        apart_m = [np.median(np.linalg.norm(person.joints_m - other.joints_m, axis=-1)) for other in actual]
        assert min(apart_m) < 0.2


def test_one_frame(tmp_path: Path):
    source = shared_path("data/wild/multiperson_cam01.mp4")
    width, height = (side // 2 * 2 for side in video_facts(source).size)
    with write_mp4(tmp_path / "v.mp4", width, height, 30.0) as video:
        video.add(next(read_frames(source, (width, height))).rgb)
    assert main([str(tmp_path / "v.mp4"), "--out", str(tmp_path / "out")]) == 0
    people, _ = read_poses(tmp_path / "out" / "pose3d.npz")
    assert people
    assert all(len(person.frame) == 1 and np.isfinite(person.world_m).all() for person in people)
    assert (tmp_path / "out" / "pose3d.mp4").stat().st_size > 0
