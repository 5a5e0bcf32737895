"""A few of the kills of ``make faults``, which kills every kind of work 200 times."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(not hasattr(os, "fork") or not Path("/proc/self/stat").exists(), reason="processes of Linux")
def test_nothing_is_torn_or_lost_and_the_next_run_ends():
    command = [sys.executable, str(HERE), "--kills", "9", "--only", "lift,animate,foreign-lock"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1] / "lib")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "| lift |" in ended.stdout
