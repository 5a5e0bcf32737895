import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from ctrl_c import hear_ctrl_c
from live_client import frames_until_end, get
from pipeline_recordings import write_spots

from hyperlift.cli.main import run as hyperlift

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def video(tmp_path) -> Path:
    return write_spots(tmp_path / "spot.mp4", np.linspace(100, 500, 8), fps=25.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "97"], "camera 97: there is no /dev/video97"),
        (["--source", "absent.mp4"], "absent.mp4: no such video"),
        (["--source", "text.mp4"], "text.mp4: is not a video"),
        (["--source", "/dev/null"], "camera /dev/null: cannot be opened"),
        (["--source", "."], ".: is a folder"),
        (["--source", "spot.mp4", "--port", "70000"], "--port is 70000"),
        (["--source", "spot.mp4", "--camera-fps", "30"], "--camera-size and --camera-fps are for cameras"),
        (["--source", "0", "--camera-size", "large"], "--camera-size is 'large'"),
        (["--source", "spot.mp4", "--look-ahead", "-1"], "lookahead is -1"),
        (["--source", "spot.mp4", "--height", "17"], "--height is 17"),
        (["--source", "spot.mp4", "--model", "absent.onnx"], "absent.onnx"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, monkeypatch, capsys, video, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no video")
    before = set(threading.enumerate())
    port = [] if "--port" in arguments else ["--port", "0"]
    assert hyperlift("live", [*arguments, *port, "--no-open"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert set(threading.enumerate()) <= before


def test_a_busy_port_is_one_line(capsys, video):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert hyperlift("live", ["--source", str(video), "--port", str(port), "--no-open"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"--port {port}: is used by another program; choose another, or 0 for any free one" in error


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows")
@pytest.mark.parametrize("listens", [True, False])
def test_ctrl_c_ends_it_and_says_what_was(video, listens):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "hyperlift", "live", "--source", str(video), "--every-frame"]
    command += ["--no-open", "--port", "0", "--threads", "1", "--no-picture"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = subprocess.Popen(command, **pipes, env=environment, preexec_fn=hear_ctrl_c)
    assert running.stdout is not None
    url = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", running.stdout.readline())[0]
    if listens:
        frames = frames_until_end(url)
        assert [frame["index"] for frame in frames] == list(range(8))
        assert b"spot.mp4" in get(url)[1]
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=120)
    assert (running.returncode, error) == (0, "")
    assert out.splitlines()[-1].startswith("8 frames, " if listens else "0 frames")


def test_it_needs_no_torch(video):
    blocked = "import sys; sys.modules.update({name: None for name in ('torch', 'safetensors', 'onnx')}); "
    # Everything is imported and opened before the look-ahead is refused.
    arguments = ["--source", str(video), "--port", "0", "--look-ahead", "900"]
    code = f"{blocked} from hyperlift.cli.main import run; sys.exit(run('live', {arguments!r}))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert result.returncode == 2
    assert "lookahead is 900" in result.stderr
