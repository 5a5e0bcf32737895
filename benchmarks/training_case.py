"""The trainer of one size of network, and the clocks of its steps and of its matrix products."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import torch
from network_cost import work_of
from runner import ROOT
from store import write_store

from hyperlift.config.loader import load_config
from hyperlift.contract import LifterSpec
from hyperlift.datasets.clips import BatchSampler, LabelConvention, open_clips
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.training.config import RunConfig
from hyperlift.training.supervised import SupervisedStep
from hyperlift.training.trainer import Trainer

Size = Literal["tiny", "small", "full"]
Precision = Literal["float32", "bfloat16"]
CONFIGS = {"tiny": "wild/demo_tiny", "small": "pose3d/train_h36m_small", "full": "pose3d/train_h36m"}
BATCH = {"cpu": {"tiny": 16, "small": 2, "full": 1}, "cuda": {"tiny": 512, "small": 64, "full": 32}}
STEPS = {"cpu": {"tiny": 10, "small": 1, "full": 1}, "cuda": {"tiny": 20, "small": 20, "full": 10}}
"""Steps a repetition."""
GEMM_S = 0.05


@dataclass(frozen=True)
class Setup:
    """Where and how steps are run."""

    device: str = "cpu"
    threads: int = 1
    batch: int | None = None
    """Clips a step, for every size; None: ``BATCH``."""
    compile: bool = False


class Case:
    """The trainer of one size, and the clocks."""

    def __init__(self, size: Size, precision: Precision, setup: Setup, folder: Path) -> None:
        self.size, self.precision, self.device = size, precision, torch.device(setup.device)
        self.batch = setup.batch or BATCH[setup.device][size]
        self.steps = STEPS[setup.device][size]
        self.wall = setup.device != "cpu" or setup.threads > 1
        run, half = load_config(ROOT / "configs" / f"{CONFIGS[size]}.yaml", RunConfig), precision == "bfloat16"
        frames = run.model.n_frames
        split = folder / str(frames)
        if not split.exists():
            write_store(split, 20, seed=0, n_frames=frames)
        clips = open_clips(split, LabelConvention(run.model.label_space, run.model.rootrel))
        torch.manual_seed(0)
        self.model = HyperLifter(run.model).to(self.device)
        self.trainer = Trainer(
            model=self.model,
            sampler=BatchSampler(clips, self.batch, 0, flip=True),
            step=SupervisedStep(run.loss, self.model.skeleton),
            config=replace(run.training, batch_size=self.batch, compile=setup.compile, amp=half, amp_on_cpu=half),
            seed=0,
            folder=None,
            spec=LifterSpec(name=size, n_frames=frames),
            run={},
            progress=False,
        )
        self.tensors = self.trainer.to_tensors(*next(self.trainer.sampler.epoch(0)))
        self.model.train()
        self.parameters = sum(parameter.numel() for parameter in self.model.parameters())
        self.flop_a_clip, self.shapes = work_of(self.model, 1, frames, training=True)
        self.clips_a_s: list[float] = []
        self.limit: list[float] = []

    @cached_property
    def products(self) -> list[tuple[float, Callable[[], object]]]:
        """FLOP and call of the products of forward, input gradient and weight gradient of a step.

        They are made late, so that a measurement of memory does not see theirs. The smallest measure the call, not the
        arithmetic, and are left out.
        """
        shapes = set()
        for rows, inner, outer in ((rows * self.batch, *sides) for rows, *sides in self.shapes):
            shapes |= {(rows, inner, outer), (rows, outer, inner), (outer, rows, inner)}
        flops = {shape: 2.0 * np.prod(shape, dtype=float) for shape in sorted(shapes)}
        return [(f, self._product(*shape)) for shape, f in flops.items() if f > 0.01 * max(flops.values())]

    def _product(self, m: int, k: int, n: int) -> Callable[[], object]:
        form = {"dtype": getattr(torch, self.precision), "device": self.device}
        a, b, out = torch.rand(m, k, **form), torch.rand(k, n, **form), torch.empty(m, n, **form)
        return lambda: torch.mm(a, b, out=out)

    def step(self) -> None:
        self.trainer.update(*self.tensors, 1e-6)

    def measure(self) -> None:
        """One repetition: steps, then every product."""
        seconds = self.seconds(self.step, self.steps)
        self.clips_a_s.append(self.steps * self.batch / seconds)
        self.limit.append(max(self._rate(flop, call) for flop, call in self.products))

    def _rate(self, flop: float, call: Callable[[], object]) -> float:
        """FLOP a second of one product; repeated until the clock has something to measure."""
        once = self.seconds(call)
        times = int(np.clip(GEMM_S / once, 1, 1000))
        return max(flop / once, flop * times / self.seconds(call, times))

    def seconds(self, call: Callable[[], object], times: int = 1) -> float:
        clock = time.perf_counter if self.wall else time.process_time
        self._wait()
        started = clock()
        for _ in range(times):
            call()
        self._wait()
        return max(clock() - started, 1e-9)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def peak_mib(size: Size, precision: Precision, setup: Setup) -> float:
    """Peak memory of a process that makes two steps: of the card, or of the process."""
    torch.set_num_threads(setup.threads)
    with TemporaryDirectory() as folder:
        case = Case(size, precision, setup, Path(folder))
        case.step()
        if case.device.type != "cuda":
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        case.step()
        return torch.cuda.max_memory_allocated() / 2**20
