"""Short trainings that compare networks: by the library's Trainer, each kept in a file when it is done."""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch
from timing import Seconds
from torch import nn
from torch.optim.swa_utils import AveragedModel

from hyperlift.contract import LabelSpace, LifterSpec
from hyperlift.datasets.clips import BatchSampler, Clips, JoinedClips, LabelConvention, open_clips
from hyperlift.evaluation.benchmark_file import BenchFile, lift_bench, score_bench
from hyperlift.files.atomic import atomic_file
from hyperlift.lifting.windows import lift_windows
from hyperlift.models.predictor import TorchPredictor
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.training.config import TrainConfig
from hyperlift.training.pose_losses import LossWeights
from hyperlift.training.supervised import SupervisedStep
from hyperlift.training.trainer import LossStep, Trainer

POSES = LossWeights(position=1.0, temporal_consistency=0.0, velocity=0.0)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained: a cosine after a short rise."""

    steps: int
    clips: int
    """A step."""
    lr: float = 1e-3
    warmup: int = 50
    """Steps."""
    crop: int | None = None
    """Neighbouring frames of a clip; None takes all of it."""
    epochs: int | None = None
    """None: as few as the number of clips allows."""
    loss: LossWeights = field(default=POSES)

    def sampler(self, clips: Clips, seed: int) -> BatchSampler:
        an_epoch = self.steps // self._epochs(clips) * self.clips
        return BatchSampler(clips, self.clips, seed, flip=True, clips_per_epoch=an_epoch, crop_frames=self.crop)

    def config(self, clips: Clips) -> TrainConfig:
        return TrainConfig(
            epochs=self._epochs(clips), batch_size=self.clips, lr=self.lr, schedule="cosine",
            warmup_steps=self.warmup, clip_gradient=1.0,
        )  # fmt: skip

    def _epochs(self, clips: Clips) -> int:
        whole = (n for n in range(1, self.steps) if self.steps % n == 0 and self.steps // n * self.clips <= len(clips))
        return self.epochs or next(whole, self.steps)


def open_stores(stores: Sequence[Path], space: LabelSpace, split: str = "train") -> JoinedClips:
    """The clips of several stores."""
    return JoinedClips([open_clips(store / split, LabelConvention(space, True)) for store in stores])


def fit(
    model: nn.Module, clips: Clips, recipe: Recipe, seed: int, step: LossStep | None = None
) -> tuple[nn.Module, float]:
    """Train; returns the network, ready to lift, and the seconds of processor time that it took.

    Without ``step`` the pose losses are minimised, and the weights are a growing average.
    """
    trainer = Trainer(
        model=model,
        sampler=recipe.sampler(clips, seed),
        step=step or SupervisedStep(recipe.loss, H36M_17),
        config=recipe.config(clips),
        seed=seed,
        folder=None,
        spec=LifterSpec(name="short"),
        run={},
        progress=False,
        average=None if step else AveragedModel(model, avg_fn=_growing_average, use_buffers=True),
    )
    with (spent := Seconds()).counted():
        trainer.fit()
    return trainer.fitted.eval(), spent.processor


@dataclass(frozen=True)
class Contender:
    """A network that is compared with others: the weights that it starts with, and what it is trained on and how."""

    make: Callable[[], nn.Module]
    recipe: Recipe
    clips: Clips
    window: int | None
    """Frames of a view that are lifted at once; None: all."""


def compare(
    contenders: Mapping[str, Contender], bench: BenchFile, seeds: int, out: Path
) -> dict[str, list[dict[str, Any]]]:
    """Train all and score them on a benchmark file; a result a seed.

    Seed by seed, so that a benchmark that is stopped early has compared all.
    """
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    for seed, (name, one) in product(range(seeds), contenders.items()):
        torch.manual_seed(seed)
        model = one.make()
        identity = getattr(model, "config", model), one.recipe, len(one.clips), one.window
        results[name].append(kept(out, f"{name}, seed {seed}", identity, partial(_outcome, model, one, seed, bench)))
    return results


def _outcome(model: nn.Module, one: Contender, seed: int, bench: BenchFile) -> dict[str, Any]:
    fitted, seconds = fit(model, one.clips, one.recipe, seed)
    lift = TorchPredictor(fitted)
    scores = score_bench(bench, lift_bench(bench, lambda pose2d_norm: lift_windows(lift, pose2d_norm, one.window)))
    return {**asdict(scores), "cpu_s": seconds, "parameters": sum(p.numel() for p in model.parameters())}


def kept(folder: Path, name: str, identity: object, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``make`` returned for this name and ``identity``, now or in an earlier call of the benchmark."""
    key = zlib.crc32(repr(identity).encode())
    file = folder / f"{name.replace(' ', '-').replace(',', '')}-{key:08x}.json"
    if not file.exists():
        found = make()
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(file) as partial:
            partial.write_text(json.dumps(found))
        shown = ", ".join(f"{key} {value:.1f}" for key, value in found.items() if isinstance(value, float))
        print(f"{name}: {shown}", flush=True)
    return json.loads(file.read_text())


def _growing_average(average: torch.Tensor, new: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
    """An exponential average whose memory is a fifth of the run so far, at most 500 steps."""
    return average + (new - average) * max(5.0 / (float(count) + 5.0), 0.002)
