"""Training steps of three sizes: clips a second, peak memory, and the share of the machine's matrix rate they reach.

taskset -c 1 python benchmarks/training.py --threads 1
python benchmarks/training.py --device cuda            # bfloat16 autocast; --compile for torch.compile

On a CPU that multiplies bfloat16 itself every size is measured in float32 and in bfloat16 (training.amp_on_cpu).

A step is what train.py does with a batch: forward, losses, backward, clipping and averaging where the configuration
asks for them, AdamW. The limit is the best rate at which torch multiplies matrices of the shapes of the network's own
linear layers (forward and both backward products), in the same run and number format. On a CPU with one thread the
clock is the CPU time of the process, which is the wall time on a core of its own; else it is the wall time.
"""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import torch
from runner import Repetitions, Report, counted, in_own_process, run, table
from store import write_store
from timing import interleaved
from training_case import Case, Precision, Setup, Size, peak_mib

from hyperlift.contract import LabelSpace
from hyperlift.datasets.clips import BatchSampler, LabelConvention, open_clips
from hyperlift.errors import InputError
from hyperlift.training.config import TrainConfig
from hyperlift.training.trainer import in_bfloat16

LOADED_CLIPS, LOADED_BATCH = 600, 4
TARGET = "≥ 150 clips of 243 frames a second for full in bfloat16 on one H200"


def quick_precisions(device: str) -> tuple[Precision, ...]:
    """What this machine is quick at."""
    config = TrainConfig(epochs=1, batch_size=1, lr=1.0, amp_on_cpu="native")
    if device == "cuda":
        return ("bfloat16",)
    return ("float32", "bfloat16") if in_bfloat16(config, torch.device(device)) else ("float32",)


def loader_table(folder: Path, repetitions: int) -> str:
    """Clips of 243 frames a second that one core reads, labels, mirrors and stacks, without any training."""
    if not folder.exists():
        write_store(folder, 20, seed=0)
    spaces: tuple[LabelSpace, ...] = ("image", "camera")
    calls, count = {}, 0

    def read(sampler: BatchSampler) -> None:
        for _ in sampler.epoch(0):
            pass

    for space in spaces:
        for preload in (False, True):
            clips = open_clips(folder, LabelConvention(space, True), preload=preload)
            count = min(LOADED_CLIPS, len(clips))
            sampler = BatchSampler(clips, LOADED_BATCH, 0, flip=True, clips_per_epoch=count)
            calls[space, preload] = partial(read, sampler)
    rates = {way: count / spent.processor for way, spent in interleaved(calls, repetitions).items()}
    rows = [(space, rates[space, False] / LOADED_BATCH, rates[space, False], rates[space, True]) for space in spaces]
    return table(["labels", "batches/s {:,.0f}", "clips/s {:,.0f}", "clips/s with --preload {:,.0f}"], rows)


def short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def training(
    *,
    device: Literal["cpu", "cuda"] = "cpu",
    threads: int = 1,
    sizes: tuple[Size, ...] = ("tiny", "small", "full"),
    precisions: tuple[Precision, ...] = (),
    batch: int | None = None,
    repetitions: Repetitions = 5,
    compile: bool = False,
) -> Report:
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: torch sees no GPU here")
    torch.set_num_threads(threads)
    setup = Setup(device, threads, batch, compile)
    chosen: list[tuple[Size, Precision]] = [
        (size, precision) for size in sizes for precision in precisions or quick_precisions(device)
    ]
    # Peaks first, each in a process of its own, since a process never forgets its peak.
    peaks = [in_own_process(peak_mib, *what, setup) for what in chosen]
    with TemporaryDirectory() as folder:
        cases = [Case(size, precision, setup, Path(folder)) for size, precision in chosen]
        for case in cases:
            case.step()
        for _ in range(repetitions):
            for case in cases:
                case.measure()
        loader = loader_table(Path(folder) / "243", repetitions)
    unit, one = ("TFLOP", 1e12) if device == "cuda" else ("GFLOP", 1e9)
    rows = []
    for case, peak in zip(cases, peaks, strict=True):
        config = case.model.config
        name = f"{case.size}: {config.channels} channels, depth {config.depth}, {case.parameters / 1e6:.2f} M"
        clips, flop, limit = float(np.median(case.clips_a_s)), case.flop_a_clip / one, np.median(case.limit) / one
        numbers = map(short, (clips, flop, clips * flop, float(limit)))
        rows.append((name, case.precision, config.n_frames, case.batch, *numbers, 100 * clips * flop / limit, peak))
    rates = ("clips/s", f"{unit} a clip", f"{unit}/s", f"limit {unit}/s", "share {:.0f} %")
    yield table(["network", "precision", "clip", "batch", *rates, "peak memory {:,.0f} MiB"], rows)
    where = f"{counted(threads, 'thread')}; memory of the whole process, torch and libraries included."
    if device == "cuda":
        where = f"{torch.cuda.get_device_name()}, memory of the card. Target: {TARGET}."
    yield f"Medians of {repetitions} interleaved repetitions{', compiled' if compile else ''}. {where}"
    yield "Batches of four clips of 243 frames put together from the clip store on one core, without training:"
    yield loader


if __name__ == "__main__":
    run(
        training,
        section=lambda given: "training_gpu" if given.get("device") == "cuda" else "training",
        sizes=["tiny"],
        batch=2,
        repetitions=1,
    )
