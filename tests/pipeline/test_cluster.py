"""The Ray example on a local cluster with two workers."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from wild_people import alphapose_entry, write_alphapose, write_flat_lifter

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "cluster"

# Keypoint files stand for videos, so that no network has to look at pictures.
RUN = """
import json, sys
from dataclasses import asdict
from pathlib import Path
import ray
from lift_on_ray import lift_all
from hyperlift.pipeline.options import LiftOptions
from hyperlift.pipeline.options import RecordingJob

folder = Path(sys.argv[1])
options = LiftOptions(picture_size=(640, 480), fps=25.0)
jobs = [
    RecordingJob(
        source=path, out=folder / "out" / path.stem, model=str(folder / "flat.onnx"), options=options, render=False
    )
    for path in sorted(folder.glob("*.json"))
]
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
print(json.dumps([[result.source.stem, result.outcome, result.message] for result in lift_all(jobs, 1)]))
"""


def test_two_workers(tmp_path: Path):
    pytest.importorskip("ray", reason="needs the extra 'cluster'")
    write_flat_lifter(tmp_path / "flat.onnx")
    for name in ("a", "b", "c"):
        write_alphapose(tmp_path / f"{name}.json", [alphapose_entry(f, 200.0 + f) for f in range(12)])
    (tmp_path / "c.json").write_text("no keypoints")
    first, second = _run(tmp_path), _run(tmp_path)
    assert {name: outcome for name, outcome, _ in first} == {"a": "lifted", "b": "lifted", "c": "failed"}
    assert {name: outcome for name, outcome, _ in second} == {"a": "skipped", "b": "skipped", "c": "failed"}
    assert "c.json" in next(message for name, _, message in first if name == "c")
    assert np.load(tmp_path / "out" / "b" / "pose3d.npz")["p0/joints_m"].shape == (12, 17, 3)


def _run(folder: Path) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder)], cwd=EXAMPLE, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])
