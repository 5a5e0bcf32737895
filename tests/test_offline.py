"""Nothing leaves the machine, and nothing is written but the results: shown on processes of their own."""

import ast
import os
import re
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from hyperlift.runtime.session import onnxruntime
from hyperlift.video.reading import read_frames
from hyperlift.video.writing import write_mp4

ROOT = Path(__file__).resolve().parents[1]
SPORTS = ROOT / "examples/sports2d_demo.alphapose.json"
LIFT_KEYPOINTS = ["lift", "--keypoints", str(SPORTS), "--video-size", "1768x994", "--fps", "30", "--person", "p1"]
LIFT_VIDEO = ["lift", "videos/one.mp4", "--detector", "movenet-fast", "--no-render"]
LIFT_FOLDER = ["lift", "videos", "--detector", "movenet-fast", "--jobs", "2"]
IN_LIBRARY = "from hyperlift import Lifter; Lifter('nano', threads=1)"


def run_at_home(home: Path, code: str, *, trace: Path | None = None) -> None:
    """Run code in a process whose user has an empty home, whose temporary folder is empty too."""
    for name in ("home", "tmp"):
        (home / name).mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPL", "ORT_"))}
    environment |= {
        "HOME": str(home / "home"),
        "USERPROFILE": str(home / "home"),
        "LOCALAPPDATA": str(home / "home"),
        "TMPDIR": str(home / "tmp"),
        "PYTHONPATH": str(ROOT / "lib"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", code]
    if trace is not None:
        command = ["strace", "-f", "-qq", "-e", "trace=%network", "-o", str(trace), *command]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home)
    assert result.returncode == 0, result.stderr


def command(arguments: list[str]) -> str:
    return f"import sys; from hyperlift.cli.main import run; sys.exit(run({arguments[0]!r}, {arguments[1:]!r}))"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def videos(tmp_path) -> Path:
    """The beginning of the bundled video, twice."""
    folder = tmp_path / "videos"
    with write_mp4(folder / "one.mp4", 640, 360, 25.0) as video:
        for frame in islice(read_frames(ROOT / "examples/multiperson.mp4", (640, 360)), 20):
            video.add(frame.rgb)
    shutil.copy(folder / "one.mp4", folder / "two.mp4")
    return folder


@pytest.mark.parametrize("arguments", [LIFT_KEYPOINTS, LIFT_VIDEO, LIFT_FOLDER], ids=["keypoints", "video", "folder"])
def test_a_lift_writes_its_results_and_nothing_else(tmp_path, videos, arguments):
    run_at_home(tmp_path, command([*arguments, "--out", "out"]))
    written = files(tmp_path)
    results = ["out/one.mp4/pose3d.mp4", "out/two.mp4/pose3d.mp4"] if arguments is LIFT_FOLDER else ["out/pose3d.npz"]
    assert set(results) <= set(written)
    assert [path for path in written if not path.startswith(("out/", "videos/"))] == []


def test_the_library_neither(tmp_path):
    run_at_home(tmp_path, IN_LIBRARY)
    assert files(tmp_path) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize(
    "code", [IN_LIBRARY, command([*LIFT_KEYPOINTS, "--no-render", "--out", "out"])], ids=["library", "command"]
)
def test_no_socket_is_opened(tmp_path, code):
    # ONNX Runtime 1.31 sends what it has kept when it ends; a process that has ended has sent nothing.
    run_at_home(tmp_path, code, trace=tmp_path / "trace")
    opened = re.findall(r"socket\((\w+)", (tmp_path / "trace").read_text())
    assert set(opened) <= {"AF_UNIX"}


def test_who_imported_onnx_runtime_first_has_its_reports_stopped():
    """Its switch is read when it is imported; later there is only the function that stops all but the essential."""
    if not hasattr(onnxruntime, "disable_telemetry_events"):
        pytest.skip(f"ONNX Runtime {onnxruntime.__version__} has no such function")
    code = (
        "import onnxruntime, sys; called = []; onnxruntime.disable_telemetry_events = lambda: called.append(1); "
        "import hyperlift.runtime.session; sys.exit(called != [1])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT / "lib")}).returncode
        == 0
    )


def test_onnx_runtime_is_imported_in_one_module_alone():
    """Whoever imports it elsewhere may do so before the switch is turned."""
    importing = []
    for folder in ("lib", "benchmarks", "tools", "deployment", "examples", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if any(name.partition(".")[0] == "onnxruntime" for name in names):
                    importing.append(str(path.relative_to(ROOT)))
    assert set(importing) == {"lib/hyperlift/runtime/session.py"}
