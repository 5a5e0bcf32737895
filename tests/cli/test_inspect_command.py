"""``hyperlift inspect`` tells what it takes a file for, and lifts nothing."""

from pathlib import Path

import keypoint_writers as write
import numpy as np
import pytest

from hyperlift.cli.main import main
from hyperlift.skeletons.joint_sets import COCO_17

ROOT = Path(__file__).resolve().parents[2]


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, str]:
    assert main(["inspect", *map(str, arguments)]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_keypoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    body = write.distinct(COCO_17)
    hidden = body.copy()
    hidden[COCO_17.index("LWrist")] = np.nan
    path = write.alphapose(tmp_path, {0: [(body, 3)], 4: [(hidden, 3), (body + [60.0, 0.0, 0.0], 5)]})
    said = told(capsys, path)
    assert said["what"] == "2D keypoints of AlphaPose"
    assert said["joints"] == "17 of coco17"
    assert said["frames"] == "frames 0–4; people in 2 of the 2 in the file"
    assert said["people"] == "3 detections, up to 2 in a frame; 2 track numbers"
    assert said["missing"] == "LWrist 33%"
    assert said["doubts"] == "none; give --video-size or --video for more checks"
    assert "picture" in told(capsys, path, "--video-size", "1000x800")


def test_a_file_with_doubts(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    people = [(write.distinct(COCO_17), 0), (write.distinct(COCO_17, 400.0), 0)]
    said = told(capsys, write.alphapose(tmp_path, dict.fromkeys(range(6), people)))
    assert "track numbers are not used" in said["doubt"]
    assert said["people"].endswith("no track numbers")


def test_video_and_poses(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    said = told(capsys, ROOT / "examples" / "multiperson.mp4")
    assert said["what"].startswith("a video (")
    assert said["frames"].startswith("100 in ")
    keypoints = ROOT / "examples" / "sports2d_demo.alphapose.json"
    lift = ["lift", str(keypoints), "--video-size", "1768x994", "--fps", "30", "--out", str(tmp_path), "--no-render"]
    assert main([*lift, "--no-flip"]) == 0
    capsys.readouterr()
    said = told(capsys, tmp_path / "pose3d.npz")
    assert said["what"] == "3D poses that hyperlift lift wrote"
    assert said["joints"] == "17 of h36m17"


@pytest.mark.parametrize(("name", "message"), [("gone.json", "no such file"), ("notes.txt", "layout is unknown")])
def test_what_cannot_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, message: str):
    (tmp_path / "notes.txt").write_text("hello")
    assert main(["inspect", str(tmp_path / name)]) == 2
    assert message in capsys.readouterr().err
