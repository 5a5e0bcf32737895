import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from ctrl_c import hear_ctrl_c
from pipeline_recordings import write_spots
from wild_people import alphapose_entry, write_alphapose, write_flat_lifter

from hyperlift.cli.main import run as hyperlift
from hyperlift.errors import InputError
from hyperlift.pipeline.folder_jobs import jobs_for, run_jobs, videos_in
from hyperlift.pipeline.options import LiftOptions, RecordingJob

main = partial(hyperlift, "lift")


def test_videos_below_a_folder(tmp_path: Path):
    for name in ("b.mp4", "a/c.MOV", "a/.hidden.mp4", ".trash/d.mp4", "notes.txt", "a/c.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in videos_in(tmp_path)] == ["a/c.MOV", "a/c.mp4", "b.mp4"]
    jobs = jobs_for(tmp_path, tmp_path / "out", RecordingJob(source=tmp_path, out=tmp_path / "out"))
    assert [str(job.out.relative_to(tmp_path / "out")) for job in jobs] == ["a/c.MOV", "a/c.mp4", "b.mp4"]
    (tmp_path / "out" / "b.mp4").mkdir(parents=True)
    (tmp_path / "out" / "b.mp4" / "pose3d.mp4").touch()
    again = jobs_for(tmp_path, tmp_path / "out", RecordingJob(source=tmp_path, out=tmp_path / "out"))
    assert again == jobs, "drawings of an earlier run are no input"
    with pytest.raises(InputError, match="among the videos"):
        jobs_for(tmp_path, tmp_path, RecordingJob(source=tmp_path, out=tmp_path))


def test_a_folder_without_videos(tmp_path: Path):
    with pytest.raises(InputError, match="holds no video"):
        videos_in(tmp_path)


@pytest.fixture
def jobs(tmp_path: Path) -> list[RecordingJob]:
    """Keypoint files stand for videos here: what a job reads is its own affair."""
    model = str(write_flat_lifter(tmp_path / "flat.onnx"))
    options = LiftOptions(picture_size=(640, 480), fps=25.0)
    found = []
    for name in ("one", "two", "three"):
        path = write_alphapose(tmp_path / f"{name}.json", [alphapose_entry(f, 200.0 + f) for f in range(12)])
        found.append(RecordingJob(source=path, out=tmp_path / "out" / name, model=model, options=options, render=False))
    return found


def test_one_failure_stops_nothing_else(jobs: list[RecordingJob]):
    jobs[1].source.write_text("no keypoints")
    told = []
    results = run_jobs(jobs, 2, told.append)
    assert [result.outcome for result in results] == ["lifted", "failed", "lifted"]
    assert "two.json" in results[1].message
    assert len(told) == 3
    assert not (jobs[1].out / "report.json").exists()
    np.load(jobs[2].out / "pose3d.npz")


def test_what_is_done_is_skipped(jobs: list[RecordingJob]):
    assert [result.outcome for result in run_jobs(jobs[:2], 1)] == ["lifted", "lifted"]
    before = [(job.out / "pose3d.npz").stat().st_mtime_ns for job in jobs[:2]]
    assert [result.outcome for result in run_jobs(jobs, 2)] == ["skipped", "skipped", "lifted"]
    assert [(job.out / "pose3d.npz").stat().st_mtime_ns for job in jobs[:2]] == before


def test_a_job_whose_process_dies_fails_alone(jobs: list[RecordingJob], tmp_path: Path):
    """A source that never ends to be read keeps the first job busy until its process is killed."""
    os.mkfifo(tmp_path / "endless.json")
    stuck = replace(jobs[0], source=tmp_path / "endless.json")
    killer = threading.Thread(target=_kill_child_once)
    killer.start()
    results = run_jobs([stuck, jobs[1]], 1)
    killer.join()
    assert [result.outcome for result in results] == ["failed", "lifted"]
    assert "exit code -9" in results[0].message


def _kill_child_once() -> None:
    while not (children := multiprocessing.active_children()):
        time.sleep(0.05)
    os.kill(children[0].pid, signal.SIGKILL)


def test_at_least_one_job(jobs: list[RecordingJob]):
    with pytest.raises(InputError, match="`jobs` is 0"):
        run_jobs(jobs, 0)


def test_the_command_goes_on_after_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    videos = tmp_path / "videos"
    videos.mkdir()
    write_spots(videos / "empty.mp4", [np.nan] * 5)
    (videos / "broken.mp4").write_bytes(b"no video")
    arguments = [str(videos), "--out", str(tmp_path / "out"), "--jobs", "2", "--no-render"]
    assert main(arguments) == 1
    printed = capsys.readouterr().out
    assert "0 lifted, 0 skipped, 2 failed" in printed
    listed = json.loads((tmp_path / "out" / "jobs.json").read_text())
    assert {Path(job["source"]).name: job["outcome"] for job in listed} == {
        "broken.mp4": "failed",
        "empty.mp4": "failed",
    }
    assert "nobody is in it" in printed
    assert "broken.mp4 (is not a video" in printed
    assert main(arguments) == 1, "its own list is replaced"


@pytest.mark.parametrize("content", ['{"mine": 1}', '[{"source": "a", "mine": 1}]', "[1]", "no JSON"])
def test_a_list_of_somebody_else_stays(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]):
    videos, listed = tmp_path / "videos", tmp_path / "out" / "jobs.json"
    for folder in (videos, listed.parent):
        folder.mkdir()
    (videos / "broken.mp4").write_bytes(b"no video")
    listed.write_text(content)
    arguments = [str(videos), "--out", str(listed.parent), "--no-render"]
    assert main(arguments) == 2
    assert "jobs.json: is no list of videos that an earlier run wrote" in capsys.readouterr().err
    assert listed.read_text() == content
    assert os.listdir(listed.parent) == ["jobs.json"]
    assert main([*arguments, "--overwrite"]) == 1
    assert "broken.mp4" in listed.read_text()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_ended_command_leaves_nobody_working(tmp_path: Path, end: signal.Signals):
    """A video that never ends to be read keeps two workers busy; Ctrl-C in a terminal reaches all of the group."""
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("a.mp4", "b.mp4"):
        write_spots(videos / name, [300.0] * 3000)
    command = [sys.executable, "-m", "hyperlift", "lift", str(videos), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [*command, "--jobs", "2"], stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=hear_ctrl_c
    )
    deadline = time.monotonic() + 60
    while len(_group(process.pid)) < 4 and time.monotonic() < deadline:  # command, two workers, a resource tracker
        time.sleep(0.1)
    time.sleep(2)
    if end == signal.SIGINT:
        os.killpg(process.pid, end)
    else:
        process.send_signal(end)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    deadline = time.monotonic() + 20
    while _group(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _group(process.pid)


def _group(leader: int) -> list[int]:
    """The living processes of a process group."""
    living = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == leader and fields[0] != "Z":
                living.append(int(path.parent.name))
    return living
