"""Costs that the benchmark reports, against multiplications counted by hand."""

from collections import Counter
from pathlib import Path

import network_cost
import pareto_networks
import pareto_speed
import pytest
import torch

from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig

GROUPS = ModelConfig(
    channels=4,
    heads=2,
    depth=0,
    n_frames=81,
    frame_lifter=FrameLifterConfig(channels=8, depth=1, neighbours=(-1, 0, 1), frames=3),
)


def test_a_frame_lifter_of_three_frames_at_once():
    flop, products = network_cost.work_of(HyperLifter(GROUPS), 3, 81)
    # 243 frames are 81 groups; a group is 3 x 17 x 3 numbers going in and coming out.
    assert products == Counter({(81, 153, 8): 1, (81, 8, 8): 2, (81, 8, 153): 1})
    assert flop == 2 * 81 * (153 * 8 + 2 * 8 * 8 + 8 * 153)


def test_a_transformer():
    channels, frames = 16, 27
    model = HyperLifter(ModelConfig(channels=channels, heads=2, depth=1, n_frames=frames)).eval()
    flop, _ = network_cost.work_of(model, 9, frames)
    linear = 24 * channels**2 + 6 * channels
    over_joints = 2 * (2 * 17) * channels + 17 * channels  # two attentions, and the mean of every hyperedge
    over_time = 2 * frames * channels
    assert flop == pytest.approx(2 * 243 * 17 * (linear + over_joints + over_time))
    # Backwards every product is two: one for its input, one for its weights.
    trained, _ = network_cost.work_of(model, 9, frames, training=True)
    assert 2.9 * flop < trained < 3 * flop


def test_a_cost_is_of_the_exported_file(tmp_path):
    torch.manual_seed(0)
    model = HyperLifter(GROUPS).eval()
    path = network_cost.exported(model, tmp_path)
    made = Path(path).stat().st_mtime_ns
    assert network_cost.exported(model, tmp_path) == path
    assert Path(path).stat().st_mtime_ns == made
    (cost,) = network_cost.measure({"a": network_cost.Timed(model, path)}, 1).values()
    assert cost.parameters == sum(p.numel() for p in model.parameters())
    assert cost.gflops == pytest.approx(2 * cost.macs / (cost.ms * 1e-3) / 1e9)
    assert cost.share > 0


def test_all_contenders_see_as_many_frames_a_step():
    for contender in pareto_networks.networks().values():
        assert contender.contender(8, None).recipe.clips * contender.crop == network_cost.FRAMES
        if contender.config.frame_lifter is not None:
            assert contender.crop % contender.config.frame_lifter.frames == 0
    assert pareto_speed.PLAIN in pareto_speed.networks()
