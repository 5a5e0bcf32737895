"""What a fresh process loads before it lifts: nothing that only other work needs."""

import os
import subprocess
import sys

import pytest

HEAVY = ("PIL", "av", "jaxtyping", "matplotlib", "onnx", "scipy", "torch", "yaml")
LIFT = """
import sys
from hyperlift import Lifter
import numpy as np
stream = Lifter("small", threads=1).stream(1920, 1080, 25.0, lookahead=0)
pose = stream.push(np.random.default_rng(0).uniform([100, 100, 1], [900, 900, 1], (17, 3)))
assert np.isfinite(pose.pose_norm).all()
print(*(name for name in {heavy} if name in sys.modules))
"""
HELP = """
import sys
from hyperlift.cli.main import main
try:
    main(["lift", "--help"])
except SystemExit:
    pass
print(*(name for name in {heavy} if name in sys.modules))
"""


@pytest.mark.parametrize("code", [LIFT, HELP], ids=["lift", "help"])
def test_a_fresh_process_waits_for_no_package_it_does_not_need(code):
    done = subprocess.run(
        [sys.executable, "-c", code.format(heavy=HEAVY)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.splitlines()[-1].split() == []
