import subprocess
import sys
from pathlib import Path

import synthetic_3dhp

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    command = [sys.executable, str(ROOT / "tools" / "convert_mpi_inf_3dhp.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_script_converts_and_refuses_in_one_line(tmp_path):
    folder = synthetic_3dhp.write(tmp_path / "files")
    done = run("--dt_root", folder, "--out", tmp_path / "store", "--n_frames", 27, "--stride", 9, "--test_stride", 27)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["test", "train"]
    absent = run("--dt_root", tmp_path / "nowhere", "--out", tmp_path / "other")
    assert absent.returncode == 2
    assert absent.stderr.count("\n") == 1
    assert "data_test_3dhp.npz: there is no such file" in absent.stderr
    assert not (tmp_path / "other").exists()
