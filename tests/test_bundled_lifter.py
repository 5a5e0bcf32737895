"""What ships: the bundled ONNX lifter, the checkpoint it was made from, and how good it is."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from shared_data import shared_path

from hyperlift.evaluation.benchmark_file import SKELETON, BenchFile, lift_bench, score_bench
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, bone_lengths
from hyperlift.geometry.flip import FlipAveraged
from hyperlift.lifting.windows import lift_windows
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.predictor import TorchPredictor
from hyperlift.runtime.loading import BUNDLED, BUNDLED_STREAMS, load_lifter
from hyperlift.runtime.stream import OnnxStream
from hyperlift.skeletons.joint_sets import H36M_17

ROOT = Path(__file__).resolve().parents[1]

MLP_N_MPJPE_MM, MLP_PA_MPJPE_MM = 84.7, 56.8
"""A plain per-frame MLP after six minutes on one core."""


@pytest.mark.parametrize("name", BUNDLED)
def test_the_onnx_file_is_the_checkpoint(name):
    checkpoint = load_checkpoint(ROOT / f"checkpoint/wild/{name}.safetensors")
    lifter = load_lifter(name)
    assert lifter.spec.name == name
    assert lifter.spec == checkpoint.spec
    assert "mocap.cs.cmu.edu" in lifter.spec.credit
    rng = np.random.default_rng(0)
    for clips, frames in [(1, 1), (2, 40), (1, 81)]:
        pose2d = rng.uniform(-0.5, 0.5, (clips, frames, 17, 3)).astype(np.float32)
        pose2d[..., 2] = np.abs(pose2d[..., 2]) + 0.5
        assert np.abs(lifter(pose2d) - TorchPredictor(checkpoint.model)(pose2d)).max() < 1e-4


@pytest.mark.parametrize("name", BUNDLED_STREAMS)
def test_a_bundled_stream_is_its_checkpoint(name):
    """Frame by frame, for longer than it remembers."""
    checkpoint = load_checkpoint(ROOT / f"checkpoint/wild/{name}.safetensors")
    lifter = load_lifter(name, threads=1)
    assert isinstance(lifter, OnnxStream)
    assert lifter.spec.name == name
    assert lifter.spec == checkpoint.spec
    assert lifter.spec.longest_clip is None  # no windows where it lifts recordings
    rng = np.random.default_rng(0)
    pose2d = rng.uniform(-0.5, 0.5, (2, 2 * lifter.stream.look_back, 17, 3)).astype(np.float32)
    pose2d[..., 2] = np.abs(pose2d[..., 2]) + 0.5
    assert np.abs(lifter(pose2d) - TorchPredictor(checkpoint.model)(pose2d)).max() < 1e-4


def test_bundled_data_carries_its_credit():
    notice = (ROOT / "NOTICE").read_text()
    assert "The data used in this project was obtained from mocap.cs.cmu.edu" in " ".join(notice.split())
    assert "BSD 3-Clause" in notice
    for file in (*BUNDLED.values(), *BUNDLED_STREAMS.values()):
        assert resources.files("hyperlift").joinpath("weights", file).is_file()
    for name in (*BUNDLED, *BUNDLED_STREAMS):
        assert "funding from NSF EIA-0196217" in (ROOT / f"checkpoint/wild/{name}.md").read_text()


@pytest.mark.parametrize("name", [*BUNDLED, *BUNDLED_STREAMS])
def test_it_beats_a_per_frame_mlp_on_the_benchmark(name):
    bench, lifter = BenchFile(shared_path("data/mocapbench/test.npz")), load_lifter(name)
    if name in BUNDLED_STREAMS:
        bench.names = bench.names[::8]  # frame by frame they take longer
    flipped = FlipAveraged(lifter, SKELETON)
    poses = lift_bench(bench, lambda pose: lift_windows(flipped, pose, lifter.spec.n_frames))
    scores = score_bench(bench, poses)
    assert scores.n_mpjpe_mm < MLP_N_MPJPE_MM
    assert scores.pa_mpjpe_mm < MLP_PA_MPJPE_MM
    bones = np.concatenate([bone_lengths(pose, H36M_17).sum(-1) for pose in poses.values()])
    assert abs(np.median(bones) / REFERENCE_BONE_SUM_M - 1) < 0.1
