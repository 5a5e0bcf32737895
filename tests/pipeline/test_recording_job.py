import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pipeline_recordings import SpotDetector, write_spots
from shared_data import shared_path
from wild_people import alphapose_entry, write_alphapose, write_flat_lifter

from hyperlift.errors import InputError
from hyperlift.keypoints.detections import Detection
from hyperlift.pipeline.options import LiftOptions, RecordingJob
from hyperlift.pipeline.recording_job import is_done, run_job
from hyperlift.runtime.loading import BUNDLED


@pytest.fixture
def job(tmp_path: Path) -> RecordingJob:
    keypoints = write_alphapose(tmp_path / "walk.json", [alphapose_entry(f, 200.0 + f, idx=0) for f in range(30)])
    return RecordingJob(
        source=keypoints,
        out=tmp_path / "out",
        model=str(write_flat_lifter(tmp_path / "flat.onnx")),
        options=LiftOptions(picture_size=(640, 480), fps=25.0),
        formats=("npz", "json", "csv"),
        render=False,
    )


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_every_output_and_a_report(job: RecordingJob):
    report = run_job(job)
    assert (report.people, report.frames) == (1, 30)
    assert files_in(job.out) == {"pose3d.npz", "pose3d.json", "pose3d.csv", "pose3d.meta.json", "report.json"}
    stored = json.loads((job.out / "report.json").read_text())
    assert stored["made_from"]["source"]["name"] == "walk.json"
    for name in stored["outputs"][:-1]:
        content = (job.out / name).read_bytes()
        assert stored["files"][name] == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert set(stored["stages_s"]) == {"lift", "place", "write"}


def test_done_means_complete_and_made_from_the_same(job: RecordingJob):
    assert not is_done(job)
    run_job(job)
    assert is_done(job)
    assert is_done(job.with_threads(1)), "threads change no result"
    assert not is_done(replace(job, options=replace(job.options, height_m=1.8)))
    assert not is_done(replace(job, render=True)), "there is no drawing yet"
    os.utime(job.source, (1, 1))
    assert is_done(job), "the content is the same"
    state = job.source.stat()
    job.source.write_text(job.source.read_text().replace("1", "2"))
    os.utime(job.source, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert job.source.stat().st_size == state.st_size
    assert not is_done(job), "another source, of the same size and the same age"


def test_bodies_are_part_of_what_must_be_there(tmp_path: Path, job: RecordingJob):
    limits = tmp_path / "limits.yaml"
    limits.write_text("unit: degrees\njoints: {Knee: {X: [0, 150]}}")
    run_job(job)
    with_bodies = replace(job, bodies=("bvh",), options=replace(job.options, limits=limits))
    assert not is_done(replace(job, bodies=("bvh",)))
    run_job(with_bodies)
    assert is_done(with_bodies)
    assert not is_done(replace(with_bodies, naming="mixamo"))
    limits.write_text("unit: degrees\njoints: {Knee: {X: [0, 140]}}")
    assert not is_done(with_bodies), "other limits, other bodies"
    run_job(with_bodies)
    (job.out / "pose3d_p0.bvh").unlink()
    assert not is_done(with_bodies)


def test_another_bundled_lifter_of_the_same_name_is_another_one(job: RecordingJob, monkeypatch: pytest.MonkeyPatch):
    small = replace(job, model="small", formats=("npz",))
    run_job(small)
    assert is_done(small)
    # What a later version of the package would bring.
    monkeypatch.setitem(BUNDLED, "small", BUNDLED["nano"])
    assert not is_done(small)


def test_a_missing_result_is_made_again(job: RecordingJob):
    run_job(job)
    (job.out / "pose3d.csv").unlink()
    assert not is_done(job)
    run_job(job)
    assert is_done(job)


def test_a_damaged_report_is_no_report(job: RecordingJob):
    run_job(job)
    (job.out / "report.json").write_text("{")
    assert not is_done(job)


def test_a_mistake_leaves_the_results_of_the_run_before(job: RecordingJob):
    run_job(job)
    before = files_in(job.out)
    with pytest.raises(InputError, match=r"person 9 .*`people`"):
        run_job(replace(job, options=replace(job.options, people=(9,))))
    assert files_in(job.out) == before
    assert is_done(job)


def test_results_of_other_options_do_not_stay_beside_new_ones(job: RecordingJob):
    (job.out).mkdir()
    (job.out / "notes.txt").write_text("not ours")
    assert run_job(job).removed == ()
    report = run_job(replace(job, formats=("npz",), options=replace(job.options, height_m=1.9)))
    assert report.removed == ("pose3d.csv", "pose3d.json", "pose3d.meta.json")
    assert files_in(job.out) == {"pose3d.npz", "report.json", "notes.txt"}
    assert json.loads((job.out / "report.json").read_text())["outputs"] == ["pose3d.npz", "report.json"]


def test_a_page_on_demand(job: RecordingJob):
    run_job(replace(job, view=True))
    assert "<html" in (job.out / "pose3d.html").read_text()[:2000]
    run_job(job)
    assert "pose3d.html" not in files_in(job.out)


def test_gravity_comes_from_everybody(tmp_path: Path, job: RecordingJob):
    """Choosing a person changes what is written, not where that person is."""
    entries = [alphapose_entry(f, x + f, idx=i) for f in range(30) for i, x in enumerate((200.0, 400.0))]
    both = replace(job, source=write_alphapose(tmp_path / "two.json", entries), formats=("npz",))
    run_job(both)
    world_m = np.load(both.out / "pose3d.npz")["p1/world_m"]
    run_job(replace(both, options=replace(both.options, people=(1,))))
    chosen = np.load(both.out / "pose3d.npz")
    assert {name.split("/")[0] for name in chosen.files} == {"meta", "p1"}
    np.testing.assert_array_equal(chosen["p1/world_m"], world_m)


def test_meta_says_how_the_world_comes_from_the_camera(job: RecordingJob):
    run_job(job)
    poses = np.load(job.out / "pose3d.npz")
    meta = json.loads(str(poses["meta"]))
    R, origin_m = np.array(meta["world"]["R"]), np.array(meta["world"]["origin_m"])
    by_hand = (poses["p0/joints_m"] - origin_m) @ R.T + [0, 0, meta["floor_shift_m"]["p0"]]
    assert meta["world"]["formula"].endswith("floor_shift_m of the person]")
    np.testing.assert_allclose(poses["p0/world_m"], by_hand, atol=1e-4)


def test_detection_is_kept_and_used_again(tmp_path: Path):
    """The second run reads the keypoints that the first one found, and gives the same numbers."""
    job = RecordingJob(
        source=_clip(tmp_path / "clip.mp4", 24), out=tmp_path / "out", render=False, options=LiftOptions(flip=False)
    )
    first = run_job(job)
    assert "detect" in first.stages_s
    poses = dict(np.load(job.out / "pose3d.npz"))
    second = run_job(job)
    assert "detect" not in second.stages_s
    again = np.load(job.out / "pose3d.npz")
    for name, array in poses.items():
        np.testing.assert_array_equal(array, again[name])
    third = run_job(replace(job, options=replace(job.options, detector="movenet-fast")))
    assert "detect" in third.stages_s, "another detector looks again"


def test_other_networks_of_rtmlib_look_again(tmp_path: Path, job: RecordingJob, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hyperlift.pipeline.lifter.make_detector", lambda name, **networks: SpotDetector())
    find, pose = tmp_path / "find.onnx", tmp_path / "pose.onnx"
    find.write_bytes(b"finds")
    pose.write_bytes(b"joints")
    options = LiftOptions(detector="rtmlib", det_onnx=find, pose_onnx=pose, flip=False)
    job = replace(job, source=write_spots(tmp_path / "spot.mp4", [300.0] * 12), options=options, formats=("npz",))
    assert "detect" in run_job(job).stages_s
    assert is_done(job)
    assert "detect" not in run_job(job).stages_s
    for network in (find, pose):
        network.write_bytes(b"others, under the same name")
        assert not is_done(job)
        assert "detect" in run_job(job).stages_s
        assert is_done(job)
    elsewhere = tmp_path / "a copy.onnx"
    elsewhere.write_bytes(pose.read_bytes())
    assert "detect" not in run_job(replace(job, options=replace(options, pose_onnx=elsewhere))).stages_s
    assert "detect" in run_job(replace(job, options=replace(options, skeleton="halpe26"))).stages_s


def test_an_interrupted_detection_goes_on(
    tmp_path: Path, job: RecordingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    class Forgiving(SpotDetector):
        def state(self) -> None:
            """Nothing."""

        def restore(self, state: None) -> None:
            """From anywhere."""

    class Failing(Forgiving):
        def detect(self, frame_rgb: np.ndarray, index: int) -> list[Detection]:
            if index == 9:
                raise MemoryError("no memory")
            return super().detect(frame_rgb, index)

    caplog.set_level(logging.INFO)
    xs = [300.0 + 3 * frame for frame in range(16)]
    job = replace(job, source=write_spots(tmp_path / "spot.mp4", xs), options=LiftOptions(flip=False), formats=("npz",))
    detector: SpotDetector = Forgiving()
    monkeypatch.setattr("hyperlift.pipeline.lifter.make_detector", lambda name, **options: detector)
    run_job(replace(job, out=tmp_path / "undisturbed"))

    detector = Failing()
    with pytest.raises(InputError, match=r"spot\.mp4: the detector spot fails in frame 9: no memory"):
        run_job(job)
    assert files_in(job.out) == {".keypoints.json.journal"}
    detector = Forgiving()
    run_job(job)
    assert f"{job.source}: continuing at frame 9 of 16" in caplog.text
    assert detector.looked_at == list(range(9, 16))
    for name in ("keypoints.json", "keypoints.recording.json", "pose3d.npz"):
        assert (job.out / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    assert files_in(job.out) == files_in(tmp_path / "undisturbed")

    write_spots(job.source, [280.0, *xs])
    detector = Failing()
    with pytest.raises(InputError, match="frame 9"):
        run_job(job)
    write_spots(job.source, xs[1:])
    detector = Forgiving()
    run_job(job)
    assert "is of another video, detector or version; detection starts again from frame 0" in caplog.text
    assert detector.looked_at == list(range(15))


def test_killed_at_any_moment_leaves_only_whole_files(tmp_path: Path):
    clip = _clip(tmp_path / "clip.mp4", 40)
    command = [sys.executable, "-m", "hyperlift", "lift", str(clip), "--out", str(tmp_path / "out"), "--json"]
    for wait_s in (1.0, 3.0, 6.0):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for path in (tmp_path / "out").glob("[!.]*") if (tmp_path / "out").exists() else ():
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".npz":
                np.load(path)["meta"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert not [path for path in (tmp_path / "out").iterdir() if "partial" in path.name], "a complete run tidies up"


def _clip(path: Path, frames: int) -> Path:
    """The first frames of a real recording, a third of its size."""
    from hyperlift.video.reading import read_frames, video_facts
    from hyperlift.video.writing import write_mp4

    source = shared_path("data/wild/sports2d_demo.mp4")
    width, height = (side // 6 * 2 for side in video_facts(source).size)
    with write_mp4(path, width, height, 30.0) as video:
        for frame in read_frames(source, (width, height)):
            if frame.index == frames:
                break
            video.add(frame.rgb)
    return path
