import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic_h36m import camera_motion_m
from tiny_store import write_store
from wild_people import write_flat_lifter

from hyperlift import __version__
from hyperlift.cli import main as console

ROOT = Path(__file__).resolve().parents[2]

WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "safetensors", "onnx"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


def test_commands_are_listed(capsys):
    assert console.main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: hyperlift COMMAND")
    assert f"HyperLift {__version__}" in said
    assert "\n  lift " in said
    assert "--version" in said
    assert console.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hyperlift ")


def test_an_unknown_command(capsys):
    assert console.main(["lfit"]) == 2
    said = capsys.readouterr().err
    assert "unknown command 'lfit'; known: lift" in said
    assert said.endswith("; did you mean lift?\n")
    assert console.main(["quux"]) == 2
    assert "did you mean" not in capsys.readouterr().err
    assert console.main(["--verison"]) == 2
    assert "unknown option '--verison'" in (said := capsys.readouterr().err)
    assert said.endswith("; did you mean --version?\n")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["lift", "v.mp4", "--out", "o", "--heigth", "1.8"], "--height"),
        (["view", "pose3d.npz", "--vidoe=v.mp4"], "--video"),
        (["live", "--evry-frame"], "--every-frame"),
        (["evaluate", "--evaluate", "a.safetensors", "--jsno", "s.json"], "--json"),
    ],
)
def test_a_misspelt_option(capsys, arguments, meant):
    assert console.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"hyperlift {arguments[0]}: error: unrecognized arguments: --")
    assert said.endswith(f"; did you mean {meant}? (see --help)\n")
    assert said.count("\n") == 1


def run_without_torch(command: str, arguments: list[str]) -> subprocess.CompletedProcess:
    code = f"{WITHOUT}\nfrom hyperlift.cli.main import run; sys.exit(run({command!r}, {arguments!r}))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


RUN = ["--config", "run.yaml"]
CHECKPOINT = ["--evaluate", "a.safetensors"]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("train", RUN),
        ("distill", [*RUN, "--distill_cfg", "d.yaml"]),
        ("export", [*CHECKPOINT, "--deployment", "a.onnx"]),
        ("attention", CHECKPOINT),
        ("evaluate", CHECKPOINT),
    ],
)
def test_what_needs_torch_says_so_without_it(command, arguments):
    result = run_without_torch(command, arguments)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "this command needs torch, which is not installed; pip install 'hyperlift[train]'" in result.stderr


@pytest.mark.parametrize("command", console.COMMANDS)
def test_every_command_says_without_torch_what_it_takes(command):
    result = run_without_torch(command, ["--help"])
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("usage: ")


def test_lifting_works_without_torch(tmp_path):
    arguments = ["--keypoints", str(ROOT / "examples/sports2d_demo.alphapose.json"), "--video-size", "1768x994"]
    arguments += ["--fps", "30", "--no-render", "--person", "p1", "--out", str(tmp_path)]
    result = run_without_torch("lift", arguments)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "pose3d.npz").exists()


def test_an_onnx_lifter_is_scored_without_torch(tmp_path):
    write_flat_lifter(tmp_path / "flat.onnx", n_frames=9)
    lifter = ["--onnx", str(tmp_path / "flat.onnx")]
    store = write_store(tmp_path / "store")
    result = run_without_torch("evaluate", [*lifter, "--data", str(store), "--json", str(tmp_path / "store.json")])
    assert result.returncode == 0, result.stderr
    scores = json.loads((tmp_path / "store.json").read_text())["overall"]
    assert scores["frames"] == 54
    # The lifter answers the projection with depth 0, and the store's projection is exact: depth is all its error.
    truth_mm = np.load(store / "test" / "truth_mm.npy")
    assert scores["p1_mm"] == pytest.approx(np.abs(truth_mm[..., 2] - truth_mm[:, :1, 2]).mean(), rel=1e-4)
    joints_m = camera_motion_m(40, np.random.default_rng(0)).astype(np.float32)
    keypoints = np.concatenate([joints_m[..., :2] / joints_m[..., 2:] * 800 + [320, 240], np.ones((40, 17, 1))], -1)
    view = {"kp": keypoints.astype(np.float32), "cam": joints_m, "K": np.eye(3), "wh": np.array([640, 480], np.int32)}
    np.savez(tmp_path / "bench.npz", **{f"a@0/{key}": array for key, array in view.items()})
    result = run_without_torch("evaluate", [*lifter, "--bench", str(tmp_path / "bench.npz")])
    assert result.returncode == 0, result.stderr
    assert "1 views, 40 frames" in result.stdout


@pytest.mark.parametrize("within", [None, RuntimeError("Error calling __set_name__")])
def test_an_early_interrupt_is_one_line(monkeypatch, capsys, within: Exception | None):
    def interrupt(name):
        if within is not None:
            raise within from KeyboardInterrupt()
        raise KeyboardInterrupt

    monkeypatch.setattr(console, "import_module", interrupt)
    assert console.run("lift", []) == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_a_defect_keeps_its_traceback(monkeypatch):
    def broken(name):
        raise RuntimeError("a defect")

    monkeypatch.setattr(console, "import_module", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        console.run("lift", [])
