"""What people type and hand in: no output folder, no command, a picture, a GIF, an address, the same again."""

import re
from pathlib import Path

import pytest
from PIL import Image

from hyperlift.cli.main import main
from hyperlift.files.atomic import atomic_file
from hyperlift.motion.motion import load_motion
from hyperlift.video.reading import read_frames

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--no-flip", "--no-render", "--detector", "movenet-fast"]


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    frames = read_frames(ROOT / "examples" / "multiperson.mp4")
    return [Image.fromarray(frame.rgb).resize((544, 960)) for frame, _ in zip(frames, range(3), strict=False)]


def test_a_picture_without_command_and_folder(
    tmp_path: Path, pictures: list[Image.Image], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    pictures[0].save("still.jpg")
    assert main(["still.jpg", *QUICK]) == 0
    motion = load_motion("still.hyperlift/pose3d.npz")
    assert (len(motion.people), motion.frames) == (3, 1)
    capsys.readouterr()

    written = {path: path.stat().st_mtime_ns for path in Path("still.hyperlift").iterdir()}
    assert main(["lift", "still.jpg", *QUICK]) == 0
    assert "still.hyperlift is complete" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in Path("still.hyperlift").iterdir()} == written


def test_a_gif(tmp_path: Path, pictures: list[Image.Image]):
    with atomic_file(tmp_path / "walk.gif") as path:
        pictures[0].save(path, format="GIF", save_all=True, append_images=pictures[1:], duration=40)
    assert main(["lift", str(tmp_path / "walk.gif"), *QUICK]) == 0
    motion = load_motion(tmp_path / "walk.hyperlift" / "pose3d.npz")
    assert motion.frames == 3
    assert motion.meta["fps"] == 25.0


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "https://example.com/a.mp4",
            "https://example.com/a.mp4: is an address, .* curl -LO https://example.com/a.mp4",
        ),
        ("rtsp://camera/1", "ffmpeg -i rtsp://camera/1"),
        ("/dev/video0", "hyperlift live --source /dev/video0"),
        ("gone.mp4", "gone.mp4: no such video"),
    ],
)
def test_what_is_no_file(source: str, message: str, capsys: pytest.CaptureFixture[str]):
    assert main(["lift", source]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert re.search(message, error)


def test_a_misspelt_command_is_no_file(capsys: pytest.CaptureFixture[str]):
    assert main(["lfit"]) == 2
    assert "did you mean lift?" in capsys.readouterr().err
