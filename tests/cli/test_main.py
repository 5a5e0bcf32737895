import subprocess
import sys
from pathlib import Path

import pytest

from hyperlift.cli import main as console

ROOT = Path(__file__).resolve().parents[2]

WITHOUT = "import sys; sys.modules.update({name: None for name in ('torch', 'safetensors', 'onnx')}); "


def test_commands_are_listed(capsys):
    assert console.main([]) == 0
    assert "lift" in capsys.readouterr().out
    assert console.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hyperlift ")


def test_an_unknown_command(capsys):
    assert console.main(["lfit"]) == 2
    assert "unknown command 'lfit'; known: lift" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "evaluate", "export"])
def test_what_needs_torch_says_so_without_it(command):
    code = f"{WITHOUT} from hyperlift.cli.main import run; sys.exit(run({command!r}, ['--help']))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "this command needs torch; pip install" in result.stderr


def test_lifting_works_without_torch(tmp_path):
    arguments = ["--keypoints", str(ROOT / "examples/sports2d_demo.alphapose.json"), "--video-size", "1768x994"]
    arguments += ["--fps", "30", "--no-render", "--person", "p1", "--out", str(tmp_path)]
    code = f"{WITHOUT} from hyperlift.cli.main import run; sys.exit(run('lift', {arguments!r}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "pose3d.npz").exists()


def test_an_early_interrupt_is_one_line(monkeypatch, capsys):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(console, "import_module", interrupt)
    assert console.run("lift", []) == 130
    assert capsys.readouterr().err.count("\n") == 1
