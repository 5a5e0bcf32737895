"""Short trainings take exactly the steps they are told, by the library's Trainer, and are kept when they are done."""

from itertools import pairwise

import pytest
import short_runs
import torch
from short_runs import Recipe
from tiny_store import write_store
from torch import nn


@pytest.fixture
def clips(tmp_path):
    return short_runs.open_stores([write_store(tmp_path / "store", clips=12)], "camera")


class Scaled(nn.Module):
    """A network that is no HyperLifter, and notes what it is fed."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))
        self.steps, self.factors = [], []

    def forward(self, pose2d_norm):
        self.steps.append(tuple(pose2d_norm.shape[:2]))
        self.factors.append(float(self.factor.detach()))
        return self.factor * pose2d_norm


@pytest.mark.parametrize(("steps", "batch", "epochs"), [(4, 3, 1), (8, 3, 2), (6, 12, 6), (3, 50, 3)])
def test_as_many_steps_as_told_in_as_few_epochs_as_there_are_clips_for(clips, steps, batch, epochs):
    recipe = Recipe(steps=steps, clips=batch, crop=5)
    assert recipe.config(clips).epochs == epochs
    model = Scaled()
    short_runs.fit(model, clips, recipe, seed=0)
    assert model.steps == [(min(batch, 12), 5)] * steps


def test_the_network_is_the_average_of_its_weights_over_the_run(clips):
    model = Scaled()
    fitted, seconds = short_runs.fit(model, clips, Recipe(steps=3, clips=2, lr=0.1, warmup=0), seed=0)
    after = [*model.factors[1:], float(model.factor.detach())]
    expected = after[0]  # the first weights as they are, then a growing memory
    for count, weight in enumerate(after[1:], 1):
        expected += (weight - expected) * 5 / (count + 5)
    assert float(fitted.get_parameter("factor").detach()) == pytest.approx(expected)
    assert all(a != b for a, b in pairwise(after))
    assert not fitted.training
    assert seconds > 0


def test_a_finished_run_is_not_repeated(tmp_path):
    calls = []

    def make():
        calls.append(1)
        return {"mm": 12.5}

    for identity in ("a", "a", "b"):
        assert short_runs.kept(tmp_path / "out", "one, seed 0", identity, make) == {"mm": 12.5}
    assert len(calls) == 2
