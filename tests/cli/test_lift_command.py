import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from shared_data import shared_path
from wild_people import alphapose_entry, standing, write_alphapose, write_flat_lifter, write_openpose

from hyperlift.cli.main import run as hyperlift
from hyperlift.motion.formats.poses_npz import read_poses
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17
from hyperlift.skeletons.mapping import to_h36m
from hyperlift.video.writing import write_mp4

main = partial(hyperlift, "lift")


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lifter(tmp_path: Path) -> Path:
    return write_flat_lifter(tmp_path / "flat.onnx")


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    return write_alphapose(tmp_path / "walk.json", [alphapose_entry(f, 100.0 + f, idx=4) for f in range(20)])


def test_poses_and_video(tmp_path: Path, lifter: Path, walk: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    args = [
        "--keypoints",
        str(walk),
        "--video-size",
        "640x480",
        "--fps",
        "30",
        "--out",
        str(out),
        "--onnx",
        str(lifter),
    ]
    assert main(args) == 0
    assert {path.name for path in out.iterdir()} == {"pose3d.npz", "pose3d.mp4", "report.json"}
    printed = capsys.readouterr().out
    assert str(out / "pose3d.npz") in printed
    assert str(out / "pose3d.mp4") in printed
    (person,), meta = read_poses(out / "pose3d.npz")
    assert person.id == 4
    assert person.frame.tolist() == list(range(20))
    assert np.abs(person.pose_norm[:, H36M_17.root]).max() == 0
    assert meta["source"] == "walk.json"
    assert meta["model"]["name"] == "flat"


def test_chosen_person_of_openpose_without_picture(tmp_path: Path, lifter: Path):
    folder = write_openpose(tmp_path / "people", {frame: [100.0 + frame, 400.0] for frame in range(20)})
    args = [
        "--keypoints",
        str(folder),
        "--video-size",
        "640x480",
        "--fps",
        "30",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*args, "--onnx", str(lifter), "--no-render", "--no-flip", "--person", "1"]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"pose3d.npz", "report.json"}
    people, _ = read_poses(tmp_path / "out" / "pose3d.npz")
    assert [person.id for person in people] == [1]


def test_size_and_rate_from_the_video(tmp_path: Path, lifter: Path, walk: Path):
    with write_mp4(tmp_path / "v.mp4", 640, 480, 24.0) as video:
        for _ in range(20):
            video.add(np.zeros((480, 640, 3), np.uint8))
    args = ["--keypoints", str(walk), "--video", str(tmp_path / "v.mp4"), "--out", str(tmp_path / "out")]
    assert main([*args, "--onnx", str(lifter)]) == 0
    _, meta = read_poses(tmp_path / "out" / "pose3d.npz")
    assert (meta["video_size"], meta["fps"]) == ([640, 480], 24.0)


def test_named_skeleton_format_and_warnings(tmp_path: Path, lifter: Path, capsys: pytest.CaptureFixture[str]):
    points = np.stack([to_h36m(standing(COCO_17, 100.0 + frame), COCO_17) for frame in range(20)])
    np.save(tmp_path / "k.npy", points)
    args = ["--keypoints", str(tmp_path / "k.npy"), "--video-size", "640x480", "--fps", "30", "--no-render"]
    args += ["--onnx", str(lifter)]
    assert main([*args, "--out", str(tmp_path / "none")]) == 2
    assert "name them (--skeleton)" in capsys.readouterr().err
    assert main([*args, "--out", str(tmp_path / "out"), "--skeleton", "h36m17", "--format", "array"]) == 0
    assert "warning" not in capsys.readouterr().err
    points[..., 1] = 480 - points[..., 1]
    np.save(tmp_path / "k.npy", points)
    assert main([*args, "--out", str(tmp_path / "out"), "--skeleton", "h36m17"]) == 0
    assert "warning: " in (warning := capsys.readouterr().err)
    assert "y seems to point up" in warning


def _entries(change: dict) -> str:
    return json.dumps([{**alphapose_entry(frame, 100.0), **change} for frame in range(20)])


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (None, {}, "no such file or folder"),
        ("[]", {}, "nobody is in it"),
        (_entries({"keypoints": [0] * 51}), {}, "nobody is in it"),
        (_entries({"keypoints": [float("nan")] * 51}), {}, "nobody is in it"),
        (_entries({"keypoints": [float("inf")] * 51}), {}, "infinite or absurdly far"),
        (_entries({"keypoints": [1.0] * 52}), {}, "52 numbers for a person"),
        (_entries({}), {"--fps": "0"}, "frame rate is 0"),
        (_entries({}), {"--fps": "-30"}, "frame rate is -30"),
        (_entries({}), {"--fps": "fast"}, "--fps is 'fast'"),
        (_entries({}), {"--fps": "nan"}, "frame rate is nan"),
        (_entries({}), {"--video-size": "1920"}, "--video-size is '1920'"),
        (_entries({}), {"--video-size": "0x480"}, "must be positive"),
        (_entries({}), {"--video-size": "64x48"}, "check --video-size"),
        (
            _entries({}),
            {"--video-size": None},
            "give it (--video-size), or the video (--video)",
        ),
        (_entries({}), {"--fps": None}, "give it (--fps), or the video (--video)"),
        (
            _entries({}),
            {"--fps": None, "--video-size": None},
            "give both (--video-size, --fps), or the video",
        ),
        (None, {"--keypoints": str(ROOT / "README.md")}, "this layout is unknown; give "),
        (None, {"--keypoints": str(ROOT / "README.md")}, "; or a video (.3gp, .avi, "),
        (_entries({}), {"--video": "gone.mp4"}, "no such video"),
        (_entries({}), {"--person": "9"}, "choose from p0"),
        (_entries({}), {"--onnx": "gone.onnx"}, "gone.onnx: no such file"),
        (_entries({}), {"--min-confidence": "2"}, "--min-confidence is 2"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path,
    lifter: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    options: dict,
    message: str,
):
    if content is not None:
        (tmp_path / "k.json").write_text(content)
    given = {"--keypoints": str(tmp_path / "k.json"), "--video-size": "640x480", "--fps": "30"}
    given |= {"--out": str(tmp_path / "out"), "--onnx": str(lifter), **options}
    arguments = [f"{name}={value}" for name, value in given.items() if value is not None]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert "error: " in error
    assert not (tmp_path / "out").exists()


def test_contradicting_size(tmp_path: Path, lifter: Path, walk: Path, capsys: pytest.CaptureFixture[str]):
    with write_mp4(tmp_path / "v.mp4", 64, 48, 30.0) as video:
        video.add(np.zeros((48, 64, 3), np.uint8))
    args = ["--keypoints", str(walk), "--video", str(tmp_path / "v.mp4"), "--video-size", "640x480"]
    assert main([*args, "--out", str(tmp_path / "out"), "--onnx", str(lifter)]) == 2
    assert "v.mp4 has 64x48; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "size", "fps"), [("multiperson_cam01", "1088x1920", "60"), ("sports2d_demo", "1768x994", "30")]
)
@pytest.mark.parametrize("suffix", [".alphapose.json", "_openpose"])
def test_real_recordings(tmp_path: Path, lifter: Path, name: str, size: str, fps: str, suffix: str):
    keypoints = shared_path(f"data/wild/{name}{suffix}")
    args = ["--keypoints", str(keypoints), "--video-size", size, "--fps", fps, "--out", str(tmp_path / "out")]
    assert main([*args, "--onnx", str(lifter), "--no-render"]) == 0
    people, _ = read_poses(tmp_path / "out" / "pose3d.npz")
    assert [person.id for person in people] == [0, 1, 2]
    for person in people:
        assert (np.diff(person.frame) == 1).all()
        assert np.isfinite(person.pose_norm).all()


def test_bundled_example(tmp_path: Path, lifter: Path):
    """The man before his jump, the woman who walks past, the man after landing."""
    example = ROOT / "examples" / "sports2d_demo.alphapose.json"
    args = [
        "--keypoints",
        str(example),
        "--video-size",
        "1768x994",
        "--fps",
        "30",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*args, "--onnx", str(lifter), "--no-render"]) == 0
    people, _ = read_poses(tmp_path / "out" / "pose3d.npz")
    assert [(p.id, int(p.frame[0]), int(p.frame[-1])) for p in people] == [
        (0, 0, 168),
        (1, 40, 202),
        (2, 190, 225),
    ]


def test_a_single_frame_is_drawn(tmp_path: Path, lifter: Path):
    folder = write_openpose(tmp_path / "people", {7: [100.0]})
    args = [
        "--keypoints",
        str(folder),
        "--video-size",
        "640x480",
        "--fps",
        "30",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*args, "--onnx", str(lifter)]) == 0
    assert (tmp_path / "out" / "pose3d.mp4").stat().st_size > 0


def test_the_script_never_imports_torch():
    check = "import sys, hyperlift.cli.lift; sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0
    helped = subprocess.run(
        [sys.executable, "infer_wild.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "--keypoints" in helped.stdout
