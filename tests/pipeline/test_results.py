"""The folder of a job: nothing of the user's is lost, and old results stand until new ones are complete."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pipeline_recordings import SpotDetector, write_spots
from wild_people import alphapose_entry, write_alphapose, write_flat_lifter, write_openpose

from hyperlift.errors import InputError
from hyperlift.files.locks import LOCK_NAME, folder_lock
from hyperlift.files.swap import SWAP_NAME
from hyperlift.pipeline import recording_job
from hyperlift.pipeline.folder_jobs import job_result
from hyperlift.pipeline.options import LiftOptions, RecordingJob
from hyperlift.pipeline.recording_job import is_done, run_job
from hyperlift.pipeline.results import Results


@pytest.fixture
def job(tmp_path: Path) -> RecordingJob:
    keypoints = write_alphapose(tmp_path / "walk.json", [alphapose_entry(f, 200.0 + f, idx=0) for f in range(20)])
    return RecordingJob(
        source=keypoints,
        out=tmp_path / "out",
        model=str(write_flat_lifter(tmp_path / "flat.onnx")),
        options=LiftOptions(picture_size=(640, 480), fps=25.0),
        render=False,
    )


@pytest.fixture
def spot_job(tmp_path: Path, job: RecordingJob, monkeypatch: pytest.MonkeyPatch) -> RecordingJob:
    monkeypatch.setattr("hyperlift.pipeline.lifter.make_detector", lambda name, **options: SpotDetector())
    return replace(job, source=write_spots(tmp_path / "spot.mp4", [300.0] * 12), options=LiftOptions(flip=False))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def put(folder: Path, **files: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def another(job: RecordingJob) -> RecordingJob:
    return replace(job, options=replace(job.options, height_m=1.9))


def fits_its_files(folder: Path) -> bool:
    results = Results.of(folder)
    return results.complete and all(results.holds(name) for name in results.files)


# Files of others


@pytest.mark.parametrize("name", ["angles.csv", "pose3d.npz", "pose3d.meta.json", "report.json", "pose3d_p3.bvh"])
def test_files_that_no_run_wrote_are_refused_by_name(job: RecordingJob, name: str, monkeypatch: pytest.MonkeyPatch):
    job = replace(job, angles=True, bodies=("bvh",), formats=("npz", "csv"))
    put(job.out, **{name: '{"theirs": 1}', "notes.txt": "theirs"})
    with monkeypatch.context() as patched:
        patched.setattr(recording_job, "Lifter", None)  # before the work
        with pytest.raises(InputError, match=rf"{name} is not as an earlier run wrote it.*\(`overwrite=True`\)"):
            run_job(job)
    assert content(job.out) == {name: b'{"theirs": 1}', "notes.txt": b"theirs"}
    run_job(replace(job, overwrite=True))
    assert fits_its_files(job.out)
    assert (job.out / "notes.txt").read_text() == "theirs"
    assert (content(job.out)[name] == b'{"theirs": 1}') == name.endswith(".bvh"), "nobody is p3: nothing took its place"


def test_files_of_other_names_are_nobodys_business(job: RecordingJob):
    theirs = {"angles.csv": "a", "pose3d_p7.bvh": "b", "keypoints.json": "[]", "pose3d_pX.bvh": "c", "pose3d.mp4": "d"}
    put(job.out, **theirs)
    run_job(job)
    run_job(another(job))
    assert {name: (job.out / name).read_text() for name in theirs} == theirs


def test_a_result_that_was_edited_is_refused(job: RecordingJob):
    job = replace(job, formats=("npz", "csv"))
    run_job(job)
    with (job.out / "pose3d.csv").open("a") as table:
        table.write("my remark\n")
    before = content(job.out)
    for next_job in (another(job), replace(job, formats=("npz",))):
        with pytest.raises(InputError, match=r"pose3d\.csv is not as an earlier run wrote it"):
            run_job(next_job)
        assert content(job.out) == before
    report = run_job(replace(job, formats=("npz",), overwrite=True))
    assert report.removed == ("pose3d.csv", "pose3d.meta.json")


def test_an_edited_report_is_refused(job: RecordingJob):
    run_job(job)
    report = json.loads((job.out / "report.json").read_text())
    (job.out / "report.json").write_text(json.dumps({**report, "remark": "good"}))
    with pytest.raises(InputError, match=r"report\.json is not as"):
        run_job(another(job))
    run_job(replace(another(job), overwrite=True))


def test_keypoints_that_were_edited_are_refused(spot_job: RecordingJob):
    job = spot_job
    run_job(job)
    put(job.out, keypoints__json=(job.out / "keypoints.json").read_text().replace("299.5", "289.5"))
    edited = (job.out / "keypoints.json").read_bytes()
    with pytest.raises(InputError, match=r"keypoints\.json is not as"):
        run_job(job)
    assert (job.out / "keypoints.json").read_bytes() == edited
    assert "detect" in run_job(replace(job, overwrite=True)).stages_s


def test_keypoints_may_be_lifted_into_their_own_folder(spot_job: RecordingJob):
    """They are an input then: no swap removes them."""
    run_job(spot_job)
    keypoints = spot_job.out / "keypoints.json"
    before = keypoints.read_bytes()
    job = replace(spot_job, source=keypoints, video=spot_job.source)
    run_job(job)
    assert is_done(job)
    assert keypoints.read_bytes() == before
    assert fits_its_files(job.out)
    keypoints.write_text(before.decode().replace("299.5", "289.5"))  # corrected by hand
    run_job(job)
    assert keypoints.read_bytes() != before
    assert "keypoints.json" not in Results.of(job.out).files


def test_a_source_in_the_place_of_a_result_is_refused(job: RecordingJob):
    job.out.mkdir()
    source = job.source.rename(job.out / "pose3d.json")
    with pytest.raises(InputError, match=r"pose3d\.json: would overwrite what it is made from"):
        run_job(replace(job, source=source, formats=("npz", "json"), overwrite=True))


def test_links_and_folders(job: RecordingJob, tmp_path: Path):
    put(tmp_path, precious="keep")
    job.out.mkdir()
    (job.out / "pose3d.npz").symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match=r"pose3d\.npz is not as"):
        run_job(job)
    run_job(replace(job, overwrite=True))
    assert (tmp_path / "precious").read_text() == "keep"
    (job.out / "pose3d_p0.bvh").mkdir()
    with pytest.raises(InputError, match=r"pose3d_p0\.bvh: is a folder; move it away"):
        run_job(replace(job, bodies=("bvh",), overwrite=True))


# Reports of version 1


def as_version_1(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    del report["files"], report["report_sha256"], report["detected_from"]
    (folder / "report.json").write_text(
        json.dumps({**report, "version": 1, "made_from": {"source": ["walk.json", 1, 2]}})
    )
    for path in folder.iterdir():
        os.utime(path, (1000, 1000))


def test_results_of_version_1_are_ours(job: RecordingJob):
    job = replace(job, formats=("npz", "csv"), bodies=("bvh",))
    run_job(job)
    as_version_1(job.out)
    assert not is_done(job)
    report = run_job(replace(job, formats=("npz",), bodies=()))
    assert set(report.removed) == {"pose3d.csv", "pose3d.meta.json", "pose3d_p0.bvh"}
    assert fits_its_files(job.out)


def test_what_is_newer_than_a_report_of_version_1_was_edited(job: RecordingJob):
    run_job(job)
    as_version_1(job.out)
    os.utime(job.out / "pose3d.npz", (1010, 1010))
    with pytest.raises(InputError, match=r"pose3d\.npz is not as"):
        run_job(job)


def test_keypoints_of_version_1_are_replaced(spot_job: RecordingJob):
    run_job(spot_job)
    report = json.loads((spot_job.out / "report.json").read_text())
    report["outputs"] = ["pose3d.npz", "report.json"]
    (spot_job.out / "report.json").write_text(json.dumps(report))
    put(spot_job.out, **{".keypoints.json.made_from": "[]"})
    as_version_1(spot_job.out)
    run_job(spot_job)
    assert fits_its_files(spot_job.out)
    assert not (spot_job.out / ".keypoints.json.made_from").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": ["../precious", "report.json"]},
        {"outputs": [["pose3d.npz"], "report.json"]},
        {"outputs": None},
        {"version": 99},
        {"format": ["hyperlift-report"]},
    ],
)
def test_a_report_that_was_made_to_have_files_removed(job: RecordingJob, tmp_path: Path, change: dict):
    put(tmp_path, precious="keep")
    put(job.out, report__json=json.dumps({"format": "hyperlift-report", "version": 1} | change))
    with pytest.raises(InputError, match=r"report\.json is not as"):
        run_job(job)
    run_job(replace(job, overwrite=True))
    assert (tmp_path / "precious").read_text() == "keep"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "1" * 5000, "[]", '"a"', '{"format": "hyperlift-report", "version": 2}']
)
def test_a_report_that_is_none(job: RecordingJob, text: str):
    put(job.out, report__json=text)
    assert not is_done(job)
    with pytest.raises(InputError, match=r"report\.json is not as"):
        run_job(job)


# Old results stand


@pytest.mark.parametrize("at", ["save", "render", "view", "publish"])
def test_old_results_stand_until_the_new_ones_are_complete(job: RecordingJob, at: str, monkeypatch: pytest.MonkeyPatch):
    job = replace(job, view=at == "view", render=at == "render")
    run_job(job)
    before = content(job.out)

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if at == "publish":
            patched.setattr("hyperlift.files.swap.sync_tree", fail)
        else:
            patched.setattr(f"hyperlift.motion.motion.Motion.{at}", fail)
        with pytest.raises((OSError, InputError), match="No space left"):
            run_job(another(job))
    assert content(job.out) == before
    assert {path.name for path in job.out.iterdir()} == set(before), "nothing is left behind"
    assert is_done(job)


def test_people_who_are_not_there_any_more_vanish_with_the_swap(job: RecordingJob, tmp_path: Path):
    entries = [alphapose_entry(f, x + f, idx=i) for f in range(20) for i, x in enumerate((200.0, 400.0))]
    both = replace(job, source=write_alphapose(tmp_path / "two.json", entries), bodies=("bvh", "trc"))
    run_job(both)
    report = run_job(replace(both, options=replace(both.options, people=(0,))))
    assert report.removed == ("pose3d_p1.bvh", "pose3d_p1.trc")
    assert fits_its_files(job.out)


SWAPPING = """
import os, signal, sys
import hyperlift.files.swap
from pathlib import Path
import json
calls, die_at = 0, int(sys.argv[2])
def counted(call):
    def step(*args, **kwargs):
        global calls
        calls += 1
        if calls == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)
    return step
hyperlift.files.swap.sync = counted(hyperlift.files.swap.sync)
Path.unlink = counted(Path.unlink)
from hyperlift.cli.main import run
raise SystemExit(run("lift", json.loads(sys.argv[1])))
"""


def test_a_kill_in_the_swap_is_completed_by_the_next_run(job: RecordingJob):
    job = replace(job, formats=("npz", "csv"))
    arguments = [str(job.source), "--video-size", "640x480", "--fps", "25", "--model", job.model, "--no-render"]
    next_job = replace(another(job), formats=("npz",))
    next_arguments = [*arguments, "--out", str(job.out), "--height", "1.9"]
    unsettled = 0
    for die_at in (1, 3, 5):
        run_job(replace(job, overwrite=True))
        before = content(job.out)
        command = [sys.executable, "-c", SWAPPING, json.dumps(next_arguments), str(die_at)]
        killed = subprocess.run(command, capture_output=True, check=False)
        assert killed.returncode == -9, killed.stderr
        assert not is_done(next_job)
        after = {name: data for name, data in content(job.out).items() if name != LOCK_NAME}
        assert after == before or "report.json" not in after
        unsettled += (job.out / SWAP_NAME).exists()
        assert job_result(next_job).outcome == ("skipped" if unsettled else "lifted")
        assert fits_its_files(job.out)
        assert {path.name for path in job.out.iterdir()} == {"pose3d.npz", "report.json"}
    assert unsettled


# Inputs that change


def change_during(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    lift = recording_job._write

    def write(*args, **kwargs):
        change()
        return lift(*args, **kwargs)

    monkeypatch.setattr(recording_job, "_write", write)


@pytest.mark.parametrize("which", ["source", "intrinsics", "model"])
def test_an_input_that_is_replaced_meanwhile(
    job: RecordingJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
):
    put(tmp_path, intrinsics__yaml="fx: 600\nfy: 600\ncx: 320\ncy: 240\n")
    intrinsics = tmp_path / "intrinsics.yaml"
    job = replace(job, options=replace(job.options, intrinsics=intrinsics))
    run_job(job)
    before = content(job.out)
    path = {"source": job.source, "intrinsics": intrinsics, "model": Path(job.model)}[which]
    state = path.stat()

    def replaced() -> None:
        path.write_bytes(path.read_bytes().replace(b"6", b"7"))
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))

    with monkeypatch.context() as patched:
        change_during(patched, replaced)
        with pytest.raises(InputError, match=f"{path.name}: changed while it was being lifted"):
            run_job(job)
    assert content(job.out) == before
    assert not is_done(job), "not even to the new source"


def test_an_input_that_is_only_touched_meanwhile(job: RecordingJob, monkeypatch: pytest.MonkeyPatch):
    change_during(monkeypatch, lambda: os.utime(job.source, (1, 1)))
    run_job(job)
    assert is_done(job)


def test_a_video_that_is_replaced_during_detection(spot_job: RecordingJob, monkeypatch: pytest.MonkeyPatch):
    """What was found may be of either: it is not gone on from."""
    job = spot_job

    class Replacing(SpotDetector):
        def detect(self, frame_rgb: np.ndarray, index: int):
            if index == 5:
                write_spots(job.source.with_name("other.mp4"), [200.0] * 12).rename(job.source)
            return super().detect(frame_rgb, index)

        def state(self) -> None:
            """Nothing."""

        def restore(self, state: None) -> None:
            """From anywhere."""

    monkeypatch.setattr("hyperlift.pipeline.lifter.make_detector", lambda name, **options: Replacing())
    with pytest.raises(InputError, match=r"spot\.mp4: changed while"):
        run_job(job)
    assert not job.out.exists()


def test_options_count_by_content(job: RecordingJob, tmp_path: Path):
    put(tmp_path, a__yaml="fx: 600\nfy: 600\ncx: 320\ncy: 240\n")
    with_lens = replace(job, options=replace(job.options, intrinsics=tmp_path / "a.yaml"))
    run_job(with_lens)
    put(tmp_path, b__yaml=(tmp_path / "a.yaml").read_text())
    assert is_done(replace(job, options=replace(job.options, intrinsics=tmp_path / "b.yaml")))
    put(tmp_path, a__yaml="fx: 700\nfy: 700\ncx: 320\ncy: 240\n")
    assert not is_done(with_lens)


def test_the_version_counts(job: RecordingJob, monkeypatch: pytest.MonkeyPatch):
    run_job(job)
    monkeypatch.setattr("hyperlift.__version__", "99.0")
    assert not is_done(job)


def test_a_folder_of_keypoints_counts_by_its_files(job: RecordingJob, tmp_path: Path):
    folder = tmp_path / "frames"
    write_openpose(folder, {frame: [100.0 + frame] for frame in range(12)})
    job = replace(job, source=folder, out=folder / "out")
    run_job(job)
    assert is_done(job), "its own results, which lie in it, do not count"
    last = max(folder.glob("*.json"))
    for change in (lambda: last.write_text(last.read_text().replace("1", "2")), last.unlink):
        change()
        assert not is_done(job)
        run_job(job)
        assert is_done(job)


# One at a time


def test_a_second_run_is_refused_or_waits(job: RecordingJob):
    with folder_lock(job.out):
        with pytest.raises(InputError, match=r"writes into it since .*\(`wait=True`\)"):
            run_job(job)
        result = job_result(job)
        assert (result.outcome, str(os.getpid()) in result.message) == ("failed", True)
    waiting = threading.Thread(target=run_job, args=[replace(job, wait=True)])
    with folder_lock(job.out):
        waiting.start()
        assert not (job.out / "report.json").exists()
    waiting.join()
    assert is_done(job)


def test_ctrl_c_removes_the_lock(job: RecordingJob, monkeypatch: pytest.MonkeyPatch):
    def interrupted() -> None:
        raise KeyboardInterrupt

    run_job(job)
    before = content(job.out)
    change_during(monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_job(another(job))
    assert content(job.out) == before
    assert {path.name for path in job.out.iterdir()} == set(before)


def test_a_damaged_result_is_made_again(job: RecordingJob):
    run_job(job)
    (job.out / "pose3d.npz").write_bytes(b"half")
    assert not is_done(job)
