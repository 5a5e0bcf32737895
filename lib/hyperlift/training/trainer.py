"""The training loop; the loss of a step and the validation are arguments."""

import io
import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from hyperlift.contract import LifterSpec
from hyperlift.datasets.clips import BatchSampler
from hyperlift.errors import InputError
from hyperlift.files.atomic import atomic_file
from hyperlift.models.checkpoint import Checkpoint, load_weights, save_checkpoint
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.training.config import TrainConfig
from hyperlift.training.distributed import (
    SINGLE_PROCESS,
    Ranks,
    average_buffers,
    average_gradients,
    sum_over_ranks,
    wait_for_all,
)
from hyperlift.training.resume_state import read_resume, resume_optimizer
from hyperlift.training.sinks import JsonLines, Sink
from hyperlift.video.prefetch import ahead

_LOG = logging.getLogger(__name__)

TensorBatch = tuple[Tensor, Tensor]

CompleteRecord = Callable[[Mapping[str, Any], str], Mapping[str, Any]]
"""Maps the record of an older run, and the name of its file, to a record with all current keys."""

RESUME_SUFFIX = ".resume.pt"
TIMING_KEYS = ("clips_per_s", "seconds")
"""Keys of an epoch's record that differ between equal runs."""


@runtime_checkable
class LossStep(Protocol):
    """The loss of a training step; supervised training and distillation differ only here."""

    def __call__(self, model: nn.Module, pose2d: Tensor, label: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss, and its terms for the log."""
        ...


@dataclass(frozen=True)
class RunFolder:
    """The files of a run."""

    path: Path

    @property
    def log(self) -> Path:
        """One JSON object per epoch."""
        return self.path / "log.jsonl"

    @property
    def record(self) -> Path:
        """Configuration, environment and seed."""
        return self.path / "config.json"

    @property
    def curves(self) -> Path:
        """Plot of the log."""
        return self.path / "curves.png"

    def checkpoint(self, which: str) -> Path:
        """``best`` or ``last``."""
        return self.path / f"{which}.safetensors"

    @property
    def resume(self) -> Path:
        """State after the last epoch, from which a run resumes exactly."""
        return self.path / f"last{RESUME_SUFFIX}"

    @property
    def work(self) -> list[Path]:
        """Existing results of the run."""
        files = (self.resume, self.checkpoint("last"), self.checkpoint("best"), self.log)
        return [file for file in files if file.exists()]


class Trainer:
    """Trains a lifter, in one process or in several started by ``torchrun``.

    The order of clips, mirroring and stochastic depth depend only on seed and epoch, so that a resumed run equals an
    uninterrupted one bit for bit (on a CPU with the same number of threads). Several processes split each batch; except
    for stochastic depth, their gradient is that of one process with the whole batch.

    Args:
        model: the network, on its device.
        sampler: training batches.
        step: computes the loss, a mean over clips. If it is a module (on the device of the model), its parameters are
            trained too and are part of the resume state.
        config: settings of the optimisation.
        seed: seed of stochastic depth.
        folder: destination of checkpoints, log and resume state. None: nothing is written, and ``model`` may be any
            lifting network, not only a ``HyperLifter``.
        spec: contract of the network, saved in checkpoints.
        run: resolved configuration, saved in checkpoints.
        validate: returns the errors of a network after an epoch; the lowest first value selects the best epoch.
        sinks: receive the record of each epoch, in addition to the log of the run folder.
        ranks: rank of this process.
        progress: show a progress bar.
        complete: adds missing keys to the record of an older run before it is compared with ``run``.
        average: averaged weights to validate and save, instead of those of ``config.ema``.
    """

    def __init__(
        self,
        *,
        model: nn.Module,
        sampler: BatchSampler,
        step: LossStep,
        config: TrainConfig,
        seed: int,
        folder: RunFolder | None,
        spec: LifterSpec,
        run: Mapping[str, Any],
        validate: Callable[[nn.Module], Mapping[str, float]] | None = None,
        sinks: Sequence[Sink] = (),
        ranks: Ranks = SINGLE_PROCESS,
        progress: bool = True,
        complete: CompleteRecord = lambda record, source: record,
        average: AveragedModel | None = None,
    ) -> None:
        self.model, self.sampler, self.step, self.config = model, sampler, step, config
        self.seed, self.folder, self.spec, self.run_config = seed, folder, spec, run
        self.validate, self.ranks, self.progress, self.complete = validate, ranks, progress, complete
        self.sinks: tuple[Sink, ...] = (*([] if folder is None else [JsonLines(folder.log)]), *sinks)
        self.device = next(model.parameters()).device
        self._half = in_bfloat16(config, self.device)
        modules = [module for module in (model, step) if isinstance(module, nn.Module)]
        trained = [[p for p in module.parameters() if p.requires_grad] for module in modules]
        groups = [{"params": parameters} for parameters in trained if parameters]
        self.optimizer = torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay, fused=True)
        if average is None and config.ema:
            average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
        self.average = average
        self.network: nn.Module = DistributedDataParallel(model) if ranks.world > 1 else model
        if config.compile:
            self.network = cast(nn.Module, torch.compile(self.network))
        self.epoch = 0
        self.best = float("inf")

    @property
    def fitted(self) -> nn.Module:
        """The network that is validated and saved: the moving average if there is one."""
        return self.model if self.average is None else self.average.module

    def fit(self) -> Mapping[str, Any]:
        """Train up to the last epoch; returns the last record of the log.

        Raises:
            InputError: the loss became infinite or NaN.
        """
        record: dict[str, Any] = {}
        if self.ranks.first and self.folder is not None and not self.folder.resume.exists():
            self._save_state(self.folder)  # so that a run interrupted in its first epoch can resume
        while self.epoch < self.config.epochs:
            record = self._train_epoch()
            self.epoch += 1
            last = self.epoch == self.config.epochs
            if self.ranks.first:
                if self.validate is not None and (last or self.epoch % self.config.validate_every == 0):
                    record["validation"] = dict(self.validate(self.fitted))
                self._save(record)
            wait_for_all(self.ranks)
        return record

    def _train_epoch(self) -> dict[str, Any]:
        # Stochastic depth uses the global generator of torch; seeding it here makes an epoch depend on its number only.
        entropy = [self.seed, self.epoch] + [self.ranks.rank] * (self.ranks.world > 1)
        torch.manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
        self.model.train()
        steps = len(self.sampler)
        sums: defaultdict[str, float] = defaultdict(float)
        started = time.perf_counter()
        lr = self.config.lr
        with tqdm(
            total=self.sampler.clips_per_epoch,
            desc=f"epoch {self.epoch + 1}/{self.config.epochs}",
            unit="clip",
            disable=not (self.progress and self.ranks.first),
        ) as bar:
            batches = (self.to_tensors(*batch) for batch in self.sampler.epoch(self.epoch))
            for number, (inputs, labels) in enumerate(ahead(batches, depth=1)):
                lr = self.config.learning_rate(self.epoch * steps + number, steps)
                terms = self.update(inputs, labels, lr)
                for name, value in terms.items():
                    sums[name] += value
                bar.update(len(inputs))
                bar.set_postfix(loss=f"{terms['loss'] / terms['clips']:.4f}", refresh=False)
        seconds = time.perf_counter() - started
        sums = defaultdict(float, sum_over_ranks(sums, self.ranks, self.device))
        clips = sums.pop("clips")
        means = {name: value / clips for name, value in sums.items()}
        return {"epoch": self.epoch + 1, "lr": lr, **means, "clips_per_s": clips / seconds, "seconds": seconds}

    def to_tensors(self, inputs: np.ndarray, labels: np.ndarray) -> TensorBatch:
        """Convert a batch to tensors; for a GPU they are in page-locked memory, so that copies are asynchronous."""
        tensors = torch.from_numpy(inputs), torch.from_numpy(labels)
        return (tensors[0].pin_memory(), tensors[1].pin_memory()) if self.device.type == "cuda" else tensors

    def update(self, inputs: Tensor, labels: Tensor, lr: float) -> dict[str, float]:
        """Run one optimiser step on a batch; returns sums of the loss terms over the clips of this process.

        Raises:
            InputError: the loss is not finite; the weights are unchanged.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        sums: defaultdict[str, float] = defaultdict(float)
        whole = len(inputs)
        inputs, labels = (tensor.to(self.device, non_blocking=True) for tensor in (inputs, labels))
        ours = range(self.ranks.rank, whole, self.ranks.world)
        parts = [ours[p[0] : p[-1] + 1] for p in np.array_split(np.arange(len(ours)), self.config.accumulate) if len(p)]
        parts = parts or [range(0)]
        for number, part in enumerate(parts):
            # The mean over a part is weighted by its number of clips; DDP averages over the processes.
            weight = len(part) * self.ranks.world / whole
            more_to_come = number + 1 < len(parts)
            with self.network.no_sync() if more_to_come and self.ranks.world > 1 else nullcontext():  # type: ignore[operator]
                # A process without a clip of a short last batch still takes part, with weight 0.
                chosen = slice(part.start, part.stop, part.step) if part else slice(1)
                for name, value in self._backward(inputs[chosen], labels[chosen], weight).items():
                    sums[name] += value * len(part)
            sums["clips"] += len(part)
        if isinstance(self.step, nn.Module):
            # DistributedDataParallel averages only the gradients of the network.
            average_gradients(self.step.parameters(), self.ranks)
            average_buffers(self.step, self.ranks)
        if self.config.clip_gradient:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_gradient)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return dict(sums)

    def _backward(self, pose2d: Tensor, label: Tensor, weight: float) -> dict[str, float]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            loss, terms = self.step(self.network, pose2d, label)
        numbers = torch.stack([term.detach().float() for term in (loss, *terms.values())])
        (loss * weight).backward()
        # One synchronisation with the GPU per step, during the backward pass.
        values = dict(zip(("loss", *terms), numbers.tolist(), strict=True))
        if not np.isfinite(values["loss"]):
            raise InputError(
                f"the loss became {values['loss']} in epoch {self.epoch + 1}; the weights were not updated. "
                "Lower training.lr, set training.clip_gradient, or look for broken clips"
            )
        return values

    def _save(self, record: dict[str, Any]) -> None:
        if self.folder is not None:
            self._save_checkpoints(self.folder, record)
        for sink in self.sinks:
            sink.write(record)
        if self.folder is not None:
            # Last: a run interrupted before this line repeats the epoch and replaces its records.
            self._save_state(self.folder)

    def _save_state(self, folder: RunFolder) -> None:
        state = {
            "epoch": self.epoch,
            "best": self.best,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "step": self.step.state_dict() if isinstance(self.step, nn.Module) else None,
            "run": json.dumps(self.run_config),
            "seed": self.seed,
        }
        content = io.BytesIO()  # the error of torch for a full disk does not name the cause
        torch.save(state, content)
        with atomic_file(folder.resume) as partial:
            partial.write_bytes(content.getbuffer())

    def _save_checkpoints(self, folder: RunFolder, record: dict[str, Any]) -> None:
        fitted = self.fitted
        assert isinstance(fitted, HyperLifter), "other networks are trained without a folder"
        # Only the log holds timings, so that equal trainings write equal checkpoints.
        metrics = {name: value for name, value in record.items() if name not in TIMING_KEYS}
        checkpoint = Checkpoint(model=fitted, spec=self.spec, run=self.run_config, metrics=metrics)
        save_checkpoint(folder.checkpoint("last"), checkpoint)
        score = next(iter(record.get("validation", {}).values()), None)
        if score is not None and score < self.best:
            self.best = score
            save_checkpoint(folder.checkpoint("best"), checkpoint)

    def resume(self, path: Path) -> None:
        """Go on where a run stopped.

        Args:
            path: ``last.resume.pt``, or the ``.safetensors`` beside it.

        Raises:
            InputError: no such state, or one of another configuration or seed.
        """
        path = resume_file(path)
        state = read_resume(path, self.device)
        epoch, best, seed, record = state["epoch"], state["best"], state["seed"], state["run"]
        differing = differing_keys(self.complete(record, str(path)), self.run_config)
        if differing:
            raise InputError(f"{path}: belongs to another configuration; it differs in {', '.join(differing)}")
        if seed != self.seed:
            raise InputError(f"{path}: was trained with seed {seed}, not {self.seed}; give `seed` {seed}")
        load_weights(self.model, state["model"], str(path))
        if isinstance(self.step, nn.Module):
            load_weights(self.step, state["step"], str(path))
        resume_optimizer(self.optimizer, self.model, state, path)
        if self.average is not None:
            load_weights(self.average, state["average"], str(path))
        self.epoch, self.best = epoch, best
        _LOG.info("resumed after epoch %d", epoch)


def in_bfloat16(config: TrainConfig, device: torch.device) -> bool:
    """Whether a run on this device multiplies in bfloat16."""
    if device.type == "cuda":
        return config.amp
    if config.amp_on_cpu == "native":
        return any(known for name, known in torch.cpu.get_capabilities().items() if name.endswith("bf16"))
    return config.amp_on_cpu


def resume_file(path: Path) -> Path:
    """Path of a resume state: ``path`` itself, or the one beside a ``.safetensors``.

    Raises:
        InputError: the file does not exist.
    """
    if path.suffix == ".safetensors":
        path = path.with_suffix("").with_suffix(RESUME_SUFFIX)
    if not path.is_file():
        raise InputError(f"{path}: no such resume state; -r takes the last{RESUME_SUFFIX} of a run")
    return path


def differing_keys(before: Mapping[str, Any], now: Mapping[str, Any], where: str = "") -> list[str]:
    """Dotted names of the keys whose values differ between two nested mappings, with both values."""
    names = []
    for key in before.keys() | now.keys():
        a, b = before.get(key), now.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            names += differing_keys(a, b, f"{where}{key}.")
        elif a != b:
            names.append(f"{where}{key} ({a} before, {b} now)")
    return sorted(names)
