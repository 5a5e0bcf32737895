"""What README.md and the pages of docs/ print as Python runs, and means what it says.

A block runs unless an HTML comment above it, ``<!-- not run: why -->``, says why it cannot.
"""

import re
import shlex
import shutil
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from keypoint_writers import mediapipe_json
from live_client import listening

import hyperlift
from hyperlift.cli.arguments import read_arguments
from hyperlift.cli.main import COMMANDS, options_of
from hyperlift.keypoints.detections import Detection
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17
from hyperlift.training.distillation.config import DistillationConfig, FeatureTerm, OutputTerm
from hyperlift.training.pose_losses import LossWeights
from hyperlift.video.reading import read_frames, video_facts
from hyperlift.video.writing import write_mp4

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(?:^<!-- not run: (?P<why>.+?) -->\n)?^```python\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = {
    name: [match["code"] for match in BLOCK.finditer(path.read_text(encoding="utf-8")) if match["why"] is None]
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "```python" in path.read_text(encoding="utf-8")
    for name in [path.name]
}
FRAMES = 20


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first frames of the bundled video as ``video.mp4``, and with what was lifted from it."""
    folder = tmp_path_factory.mktemp("recording")
    source = ROOT / "examples" / "multiperson.mp4"
    facts = video_facts(source)
    with write_mp4(folder / "video.mp4", facts.width // 2, facts.height // 2, facts.fps) as video:
        for frame in islice(read_frames(source, (facts.width // 2, facts.height // 2)), FRAMES):
            video.add(frame.rgb)
    options = hyperlift.LiftOptions(detector="movenet-fast")
    motion = hyperlift.Lifter("nano").lift(folder / "video.mp4", options=options)
    assert motion.people
    motion.save(folder / "out" / "pose3d.npz")
    return folder


@pytest.fixture
def folder(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with ``examples/``, ``video.mp4`` and ``out/pose3d.npz``."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shutil.copytree(recording, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(page: str, **names: Any) -> dict[str, Any]:
    """Run all blocks of a page, one after the other.

    Args:
        page: its file name.
        names: what the text around the blocks takes for granted.
    """
    for block in PAGES[page]:
        exec(compile(block, page, "exec"), names)
    return names


def test_lifting_from_pixels(folder: Path):
    """README.md, animation.md and lifting.md, which go on with what the README lifted."""
    names = run("README.md")
    motion = names["motion"]
    assert len(motion.people) == 3
    for person in motion.people:
        size_m = np.ptp(person.world_m[..., 2], axis=1).max()
        assert 1.2 < size_m < 2.3, "somebody of 1.70 m who stands or balances, from sole to head or raised hand"
    # Head above feet along z, whatever the tilt of the camera.
    head, foot = H36M_17.index("Head"), H36M_17.index("LAnkle")
    assert all((person.world_m[:, head, 2] > person.world_m[:, foot, 2] + 0.5).all() for person in motion.people)

    names = run("animation.md", **names)
    written = {path.name for path in (folder / "out").iterdir()}
    assert written >= {f"person_p{n}.{kind}" for n in range(3) for kind in ("bvh", "glb")} | {
        "person.trc",
        "angles.csv",
    }
    assert [person.id for person in names["again"].people] == [0, 1, 2]

    (folder / "out" / "demo").mkdir()
    shutil.move(folder / "out" / "pose3d.npz", folder / "out" / "demo" / "pose3d.npz")
    names = run("lifting.md", **names)
    assert names["left_wrist_m"].shape == (100, 3)
    assert (folder / "out" / "people.mp4").stat().st_size > 10_000
    assert [person.id for person in names["motion"].people] == [0, 1, 2]


def test_tracking_and_metres(folder: Path, capsys: pytest.CaptureFixture[str]):
    """tracking.md, and metres.md, which goes on with its tracks."""
    camera = np.concatenate([np.random.default_rng(0).uniform(300, 600, (12, 17, 2)), np.ones((12, 17, 1))], axis=-1)
    names = run("tracking.md", camera=list(camera))
    assert [track.id for track in names["tracks"]] == [0, 1, 2]
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) > 300
    several = [line.split() for line in printed[8:]]
    assert {number for number, *_ in several} >= {"0", "1"}
    indices = [int(index) for _, index, *_ in several]
    assert indices == sorted(indices)
    assert indices[-1] == max(names["detections"].frames) == len(names["time_s"]) - 1 == 225

    names = run("metres.md", **names)
    assert [person.id for person in names["people"]] == [0, 1, 2]
    assert not names["placement"].height.assumed


def detection() -> dict[str, Any]:
    def my_network(frame_rgb: np.ndarray) -> np.ndarray:
        height, width, _ = frame_rgb.shape
        body = np.random.default_rng(0).uniform(0.2, 0.8, (1, len(COCO_17), 3))
        return body * [width, height, 1.0]

    return {"my_network": my_network}


def distillation() -> dict[str, Any]:
    off = FeatureTerm(enabled=False)
    network = HyperLifter(ModelConfig(channels=8, depth=1, heads=2, n_frames=3))
    return {
        "config": DistillationConfig(
            spatial_mimicking=off, temporal_mimicking=off, generation=off, output=OutputTerm(enabled=True)
        ),
        "student": network,
        "teacher": network,
        "loss_weights": LossWeights(),
    }


def keypoints() -> dict[str, Any]:
    body = np.random.default_rng(0).uniform(300, 600, (len(COCO_17), 3)) * [1, 1, 0] + [0, 0, 0.9]
    mediapipe_json(Path(), {frame: [(body, None)] for frame in range(13)}, (1920, 1080))
    return {}


def listener() -> dict[str, Any]:
    """Somebody who opens the page as soon as its address is printed."""

    def told(text: str, **_: object) -> None:
        found = re.search(r"http://\S+?(?=: )", text)
        if found:
            threading.Thread(target=listen, args=(found[0],), daemon=True).start()

    def listen(url: str) -> None:
        with listening(url) as events:
            for kind, _ in events:
                if kind == "end":
                    return

    return {"print": told}


def none() -> dict[str, Any]:
    return {}


PRESETS: dict[str, Callable[[], dict[str, Any]]] = {
    "detection.md": detection,
    "distillation.md": distillation,
    "keypoints.md": keypoints,
    "live.md": listener,
    "onnx.md": none,
    "rendering.md": none,
    "viewer.md": none,
}
MEANT: dict[str, Callable[[dict[str, Any]], bool]] = {
    "detection.md": lambda names: (
        Path("people.json").is_file()
        and len(names["detections"].frames) == FRAMES
        and isinstance(names["mine"].detect(np.zeros((9, 9, 3), np.uint8), 0)[0], Detection)
    ),
    "distillation.md": lambda names: isinstance(names["step"], torch.nn.Module),
    "keypoints.md": lambda names: (
        (names["detections"].tool, names["detections"].skeleton.name) == ("MediaPipe", "mediapipe33")
    ),
    "live.md": lambda names: "frames" in names["session"].summary(),
    "onnx.md": lambda names: names["pose3d"].shape == (1, 81, 17, 3) and names["last"].shape == (4, 17, 3),
    "rendering.md": lambda names: Path("sheet.png").is_file() and names["frame"].rgb.shape == (480, 272, 3),
    "viewer.md": lambda names: Path("walk.html").stat().st_size > 100_000,
}


@pytest.mark.parametrize("page", PRESETS)
def test_page(page: str, folder: Path):
    assert MEANT[page](run(page, **PRESETS[page]()))


def test_every_page_with_python_is_run():
    elsewhere = {"README.md", "animation.md", "lifting.md", "tracking.md", "metres.md"}
    assert set(PAGES) == elsewhere | set(PRESETS)


def command_lines() -> list[str]:
    """The ``hyperlift`` commands in the shell blocks of all pages; lines with an ellipsis are left out."""
    pages = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    blocks = [block for page in pages for block in re.findall(r"```shell\n(.*?)```", page.read_text(), re.DOTALL)]
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return sorted({line for line in lines if line.startswith("hyperlift ") and "…" not in line})


@pytest.mark.parametrize("line", command_lines())
def test_command_line(line: str):
    """Every option of a printed command exists and takes the printed value."""
    _, command, *arguments = shlex.split(line, comments=True)
    if command not in COMMANDS:
        command, arguments = "lift", [command, *arguments]
    read_arguments(options_of(command), arguments)
