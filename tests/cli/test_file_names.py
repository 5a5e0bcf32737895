"""Names of files that are no text, and outputs that take little: the work is done, and what is said can be shown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pipeline_recordings import write_spots
from wild_people import alphapose_entry, write_alphapose, write_flat_lifter

from hyperlift.errors import printable, valid_unicode
from hyperlift.pipeline.options import LiftOptions, RecordingJob
from hyperlift.pipeline.recording_job import is_done, run_job

LIFT = [sys.executable, "-m", "hyperlift", "lift"]
BAD, LINES, RED = "bad\udcff", "new\nline", "\x1b[31mred"
ENCODINGS = [
    {"PYTHONIOENCODING": "utf-8:strict"},
    {"PYTHONIOENCODING": "ascii:strict"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


def lifted(arguments: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
    """Exit code and what was printed, which must be text in the narrowest sense."""
    done = subprocess.run([*LIFT, *arguments], env=os.environ | environment, capture_output=True, check=False)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert not any(c in out + err for c in "\x1b\0"), "no command for the terminal"
    return done.returncode, out, err


def strict_json(path: Path) -> object:
    content = json.loads(path.read_bytes().decode("utf-8"))
    json.dumps(content, ensure_ascii=False).encode("utf-8")  # no half of a character either
    return content


@pytest.mark.parametrize(
    ("name", "environment"), [*zip((BAD, LINES, RED), ENCODINGS, strict=True)], ids=["bad", "lines", "red"]
)
def test_every_kind_of_result(tmp_path: Path, name: str, environment: dict[str, str]):
    keypoints = write_alphapose(tmp_path / f"{name}.json", [alphapose_entry(f, 200.0 + f, idx=0) for f in range(12)])
    lifter = str(write_flat_lifter(tmp_path / "flat.onnx"))
    out = tmp_path / f"out {name}"
    arguments = [str(keypoints), "--out", str(out), "--model", lifter, "--video-size", "640x480", "--fps", "25"]
    kinds = ["--json", "--csv", "--angles", "--view", "--bvh", "--glb", "--trc", "--c3d"]
    code, said, err = lifted([*arguments, *kinds], environment)
    assert code == 0, err
    report = strict_json(out / "report.json")
    assert isinstance(report, dict)
    for file in report["outputs"]:
        assert (out / file).is_file()
        assert f"{printable(out)}/{file}" in said.splitlines()
    assert report["made_from"]["source"]["name"] == valid_unicode(keypoints.name)
    for file in ("pose3d.json", "pose3d.meta.json"):
        strict_json(out / file)
    meta = json.loads(str(np.load(out / "pose3d.npz")["meta"]))
    assert meta["source"] == valid_unicode(keypoints.name)
    code, _, err = lifted([*arguments, "--person", "7"], environment)
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = lifted([str(tmp_path / f"absent {name}.json"), *arguments[1:]], environment)
    assert (code, err.count("\n")) == (2, 1)
    assert printable(f"absent {name}.json") in err


def test_a_folder_goes_on(tmp_path: Path):
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in (BAD, LINES):
        write_spots(videos / "spot.mp4", [np.nan] * 3).rename(videos / f"{name}.mp4")
    (videos / f"{RED}.mp4").write_bytes(b"no video")
    arguments = [str(videos), "--out", str(tmp_path / "out"), "--no-render", "--detector", "movenet-fast"]
    code, said, err = lifted(arguments, ENCODINGS[0])
    assert code == 1, err
    assert "0 lifted, 0 skipped, 3 failed" in said
    assert "Traceback" not in err
    for name in (BAD, LINES, RED):
        assert f"failed   {printable(videos / f'{name}.mp4')} (" in said
    listed = strict_json(tmp_path / "out" / "jobs.json")
    assert isinstance(listed, list)
    assert {Path(job["source"]).stem for job in listed} == {valid_unicode(name) for name in (BAD, LINES, RED)}


def test_a_job_of_such_a_name_is_known_again(tmp_path: Path):
    keypoints = write_alphapose(tmp_path / f"{BAD}.json", [alphapose_entry(f, 200.0 + f, idx=0) for f in range(12)])
    lifter = str(write_flat_lifter(tmp_path / "flat.onnx"))
    options = LiftOptions(picture_size=(640, 480), fps=25.0)
    job = RecordingJob(source=keypoints, out=tmp_path / f"{BAD}", model=lifter, options=options, render=False)
    run_job(job)
    assert is_done(job)


def test_what_cannot_be_shown_becomes_an_escape():
    assert printable("a\nb\t\x1b[0m\udcffé\u2028日\ud800") == "a\\nb\\t\\x1b[0m\\xffé\\u2028日\\ud800"
    assert valid_unicode("a\n\udcffé\ud800") == "a\n\\xffé\\ud800"
