import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from hyperlift.config.loader import to_mapping
from hyperlift.contract import LifterSpec
from hyperlift.datasets.clips import WHOLE, BatchSampler
from hyperlift.errors import InputError
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.readers import UnforeseenDamage
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.training.config import TrainConfig
from hyperlift.training.pose_losses import LossWeights
from hyperlift.training.resume_state import read_resume
from hyperlift.training.supervised import SupervisedStep, validation_error
from hyperlift.training.trainer import RunFolder, Trainer

CONFIG = TrainConfig(epochs=4, batch_size=4, lr=1e-3, ema=0.9, clip_gradient=1.0, warmup_steps=3)
MODEL = ModelConfig(channels=16, depth=2, heads=2, n_frames=9, drop_path=0.3)
FRAMES = ModelConfig(
    channels=16,
    depth=0,
    heads=2,
    n_frames=9,
    frame_lifter=FrameLifterConfig(channels=24, depth=1, neighbours=(-2, 0, 2)),
)
BOTH = dataclasses.replace(
    MODEL, frame_lifter=FrameLifterConfig(channels=24, depth=1, neighbours=(-2, 0, 2)), smoothing=2
)


class RandomClips:
    """Depth is a fixed linear map of the input, so that there is something to learn."""

    n_frames = 9
    skeleton = H36M_17

    def __init__(self, count: int = 14) -> None:
        rng = np.random.default_rng(0)
        self.inputs = rng.uniform(-1, 1, (count, 9, 17, 3)).astype(np.float32)
        self.labels = self.inputs.copy()
        self.labels[..., 2] = self.inputs[..., 0] * 0.5
        self.labels -= self.labels[:, :, :1]

    def __len__(self) -> int:
        return len(self.inputs)

    def pair(self, clip: int, part: slice = WHOLE) -> tuple[np.ndarray, np.ndarray]:
        return self.inputs[clip, part], self.labels[clip, part]


def trainer(folder, clips=None, config=CONFIG, seed=5, run=None, network=MODEL) -> Trainer:
    clips = clips or RandomClips()
    folder.mkdir(exist_ok=True)
    torch.manual_seed(seed)
    model = HyperLifter(network)
    return Trainer(
        model=model,
        sampler=BatchSampler(clips, config.batch_size, seed, flip=True),
        step=SupervisedStep(
            LossWeights(), H36M_17, config.one_frame, network.frame_lifter.frames if network.frame_lifter else 1
        ),
        config=config,
        seed=seed,
        folder=RunFolder(folder),
        spec=LifterSpec(name="t", n_frames=9),
        run=run or to_mapping(config),
        validate=lambda model: validation_error(model, clips),
        progress=False,
    )


def weights(path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path).model.state_dict()


@pytest.mark.parametrize("how", [{}, {"config": dataclasses.replace(CONFIG, one_frame=True), "network": FRAMES}])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path, how):
    whole = trainer(tmp_path / "whole", **how)
    whole.fit()

    first = trainer(tmp_path / "halves", **how)
    first.config = dataclasses.replace(first.config, epochs=2)
    first.fit()
    second = trainer(tmp_path / "halves", **how)
    torch.rand(100)  # a resumed process has another history of random numbers
    second.resume(tmp_path / "halves" / "last.safetensors")
    second.fit()

    ours, theirs = (weights(tmp_path / name / "last.safetensors") for name in ("whole", "halves"))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    lines = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("whole", "halves")]
    losses = [[json.loads(line)["loss"] for line in log] for log in lines]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 4


def before_the_transformer_was_a_module(state: dict) -> dict:
    """A resume state as it was written then: no prefix, and parameters in the order in which they stood then."""
    model = HyperLifter(BOTH)
    now = [name for name, _ in model.named_parameters()]
    places = [f"transformer.{kind}_position" for kind in ("joint", "frame")]
    then = places + [name for name in now if name not in places]
    moments = {number: state["optimizer"]["state"][now.index(name)] for number, name in enumerate(then)}

    def renamed(weights: dict, prefix: str = "") -> dict:
        ours = [prefix + name for name in then]
        old = {prefix + name.removeprefix("transformer."): weights[prefix + name] for name in then}
        return old | {name: weights[name] for name in weights if name not in ours}

    return {
        **state,
        "model": renamed(state["model"]),
        "average": renamed(state["average"], "module."),
        "optimizer": {**state["optimizer"], "state": moments},
    }


def test_a_run_of_before_the_transformer_was_a_module_goes_on(tmp_path):
    whole = trainer(tmp_path / "whole", network=BOTH)
    whole.fit()
    first = trainer(tmp_path / "halves", network=BOTH)
    first.config = dataclasses.replace(first.config, epochs=2)
    first.fit()
    file = first.folder.resume
    old = before_the_transformer_was_a_module(torch.load(file, weights_only=True))
    assert list(old["model"])[:2] == ["joint_position", "frame_position"]
    torch.save(old, file)
    second = trainer(tmp_path / "halves", network=BOTH)
    second.resume(file)
    second.fit()
    ours, theirs = (weights(tmp_path / name / "last.safetensors") for name in ("whole", "halves"))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("frames", [1, 3])
def test_single_frames_of_clips_teach_all_frames(frames, tmp_path):
    config = TrainConfig(epochs=40, batch_size=4, lr=3e-3, schedule="cosine", one_frame=True)
    mlp = FrameLifterConfig(channels=24, depth=1, neighbours=tuple(range(-2, 3)), frames=frames)
    run = trainer(tmp_path / "a", config=config, network=dataclasses.replace(FRAMES, frame_lifter=mlp))
    before = validation_error(run.model, run.sampler.clips)["mpjpe"]
    assert run.fit()["validation"]["mpjpe"] < 0.7 * before


def test_training_learns_and_keeps_the_best(tmp_path):
    config = TrainConfig(epochs=12, batch_size=4, lr=3e-3, schedule="cosine")
    run = trainer(tmp_path / "a", config=config)
    before = validation_error(run.model, run.sampler.clips)["mpjpe"]
    record = run.fit()
    assert record["validation"]["mpjpe"] < 0.7 * before
    best = load_checkpoint(tmp_path / "a" / "best.safetensors").metrics
    log = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    assert best["validation"]["mpjpe"] == min(line["validation"]["mpjpe"] for line in log)


def test_a_loss_that_is_not_finite_stops_before_the_update(tmp_path):
    clips = RandomClips()
    clips.labels[3, 2, 1, 0] = np.nan
    run = trainer(tmp_path / "a", clips)
    seen = []
    original = run.step

    def step(model, pose2d, label):
        seen.append({name: p.detach().clone() for name, p in model.named_parameters()})
        return original(model, pose2d, label)

    run.step = step
    with pytest.raises(InputError, match="the loss became nan in epoch 1"):
        run.fit()
    assert all(torch.equal(seen[-1][name], p) for name, p in run.model.named_parameters())
    assert not (tmp_path / "a" / "last.safetensors").exists()


def test_resume_refuses_another_run(tmp_path):
    first = trainer(tmp_path / "a", config=dataclasses.replace(CONFIG, epochs=1))
    first.fit()
    state = tmp_path / "a" / "last.resume.pt"
    with pytest.raises(InputError, match=r"another configuration; it differs in lr \(0\.001 before, 0\.5 now\)"):
        trainer(tmp_path / "b", run={**first.run_config, "lr": 0.5}).resume(state)
    with pytest.raises(InputError, match="seed 5, not 6"):
        trainer(tmp_path / "b", seed=6, run=first.run_config).resume(state)
    with pytest.raises(InputError, match="no such resume state"):
        trainer(tmp_path / "b").resume(tmp_path / "none.safetensors")
    (tmp_path / "text.resume.pt").write_text("hello")
    with pytest.raises(InputError, match=r"text\.resume\.pt: cannot be loaded as weights only"):
        trainer(tmp_path / "b").resume(tmp_path / "text.resume.pt")


DAMAGE = {
    "epoch": -1,
    "seed": 1.5,
    "best": "0",
    "run": "[" * 100_000,
    "model": {"a": 1},
    "average": None,
    "optimizer": {"state": {}, "param_groups": []},
}


@pytest.mark.parametrize("key", [*DAMAGE, "moments", "settings", "absent"])
def test_a_damaged_resume_state_is_one_line(tmp_path, key):
    one = dataclasses.replace(CONFIG, epochs=1)
    first = trainer(tmp_path / "a", config=one)
    first.fit()
    path = first.folder.resume
    state = torch.load(path, weights_only=True)
    if key == "moments":
        state["optimizer"]["state"][0]["exp_avg"] = torch.zeros(3)
    elif key == "settings":
        state["optimizer"]["param_groups"][0]["betas"] = "abc"
    elif key == "absent":
        del state["epoch"]
    else:
        state[key] = DAMAGE[key]
    torch.save(state, path)
    with pytest.raises(InputError, match=r"last\.resume\.pt") as caught:
        trainer(tmp_path / "a", config=one).resume(path)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, UnforeseenDamage)


def test_mutated_resume_states_are_one_line_or_read(tmp_path):
    first = trainer(tmp_path / "a", config=dataclasses.replace(CONFIG, epochs=1))
    first.fit()
    whole = first.folder.resume.read_bytes()
    rng = np.random.default_rng(0)
    for number in range(60):
        mutant = bytearray(whole[: rng.integers(len(whole))] if number % 10 == 0 else whole)
        for at in rng.integers(min(len(mutant), 12_000), size=2):
            mutant[at] = rng.integers(256)
        (tmp_path / "m.resume.pt").write_bytes(mutant)
        try:
            read_resume(tmp_path / "m.resume.pt")
        except UnforeseenDamage:
            raise
        except InputError:
            pass


def test_every_clip_comes_once_an_epoch_and_the_order_is_the_seeds():
    clips = RandomClips(10)
    clips.inputs[...] = np.arange(10)[:, None, None, None]
    sampler = BatchSampler(clips, 4, seed=1, flip=False)

    def order(sampler, epoch):
        return np.concatenate([inputs[:, 0, 0, 1] for inputs, _ in sampler.epoch(epoch)]).tolist()

    assert sorted(order(sampler, 0)) == list(range(10))
    assert order(sampler, 0) == order(BatchSampler(clips, 4, seed=1, flip=False), 0)
    assert order(sampler, 0) != order(sampler, 1)
    assert order(sampler, 0) != order(BatchSampler(clips, 4, seed=2, flip=False), 0)
    assert len(sampler) == 3


def test_flipped_clips_stay_pairs():
    clips = RandomClips(40)
    for inputs, labels in BatchSampler(clips, 40, seed=0, flip=True).epoch(0):
        expected = inputs[..., 0] * 0.5
        assert np.allclose(np.abs(labels[..., 2]), np.abs(expected - expected[:, :, :1]), atol=1e-6)
        assert not np.array_equal(np.sort(inputs[:, 0, 0, 0]), np.sort(clips.inputs[:, 0, 0, 0]))
    assert not np.array_equal(clips.inputs[0], np.zeros_like(clips.inputs[0]))


def test_schedules():
    exponential = TrainConfig(lr=1.0, lr_decay=0.5)
    assert [exponential.learning_rate(step, 2) for step in range(5)] == [1.0, 1.0, 0.5, 0.5, 0.25]
    cosine = TrainConfig(lr=1.0, schedule="cosine", epochs=2, warmup_steps=2)
    assert cosine.learning_rate(0, 4) == 0.5
    assert cosine.learning_rate(4, 4) == pytest.approx(0.5)
    assert cosine.learning_rate(7, 4) == pytest.approx(0.5 * (1 + math.cos(math.pi * 7 / 8)))


def test_oracle_and_scaled_oracle_have_known_errors():
    clips = RandomClips()

    class Oracle(torch.nn.Module):
        def __init__(self, scale: float) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor(scale))

        def forward(self, pose2d):
            label = pose2d.clone()
            label[..., 2] = pose2d[..., 0] * 0.5
            return self.scale * label

    assert all(value < 1e-6 for value in validation_error(Oracle(1.0), clips).values())
    doubled = validation_error(Oracle(2.0), clips)
    assert doubled["n_mpjpe"] < 1e-6
    assert doubled["mpjpe"] == pytest.approx(np.linalg.norm(clips.labels, axis=-1).mean(), rel=1e-5)


def test_only_the_named_parameters_are_trained(tmp_path):
    run = trainer(tmp_path / "a", config=dataclasses.replace(CONFIG, epochs=1, ema=None))
    for name, parameter in run.model.named_parameters():
        parameter.requires_grad_(name.startswith("transformer.head"))
    before = {name: p.detach().clone() for name, p in run.model.named_parameters()}
    run.fit()
    changed = {name for name, p in run.model.named_parameters() if not torch.equal(p, before[name])}
    assert changed
    assert all(name.startswith("transformer.head") for name in changed)


def test_numbers_for_sinks_are_flat():
    from hyperlift.training.sinks import numbers

    record = {"epoch": 3, "loss": 1, "validation": {"mpjpe": 0.5}, "note": "text"}
    assert numbers(record) == {"loss": 1.0, "validation/mpjpe": 0.5}


def test_costs_are_counted():
    from hyperlift.training.environment import cost_of

    model = HyperLifter(ModelConfig(channels=16, depth=1, heads=2, n_frames=9))
    cost = cost_of(model)
    assert cost.parameters == sum(p.numel() for p in model.parameters())
    tokens = 9 * 17
    linear = tokens * (3 * 16 + 3 * (4 * 16 * 16 + 2 * 16 * 32) + 16 * 3)
    attention = 2 * 16 * (2 * 9 * 17 * 17 + 17 * 9 * 9)
    handing_back = 9 * 17 * 17 * 16
    assert cost.macs == linear + attention + handing_back
