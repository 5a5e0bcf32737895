"""Training steps of three sizes: clips a second, peak memory, and the share of the machine's matrix rate they reach.

taskset -c 1 python benchmarks/training.py --threads 1
python benchmarks/training.py --device cuda            # bfloat16 autocast; --compile for torch.compile

On a CPU that multiplies bfloat16 itself every size is measured in float32 and in bfloat16 (training.amp_on_cpu).

A step is what train.py does with a batch: forward, losses, backward, clipping and averaging where the configuration
asks for them, AdamW. The limit is the best rate at which torch multiplies matrices of the shapes of the network's own
linear layers (forward and both backward products), in the same run and number format. On a CPU with one thread the
clock is the CPU time of the process, which is the wall time on a core of its own; else it is the wall time.
"""

import argparse
import copy
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from report import machine, write_section
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hyperlift.config import load_config
from hyperlift.data.clips import BatchSampler, LabelConvention, open_clips
from hyperlift.data.slicing import clip_rows
from hyperlift.data.store import StoreMeta, StoreWriter, Video
from hyperlift.geometry.contract import LabelSpace, LifterSpec
from hyperlift.models import HyperLifter
from hyperlift.training.config import RunConfig, TrainConfig
from hyperlift.training.environment import cost_of
from hyperlift.training.supervised import SupervisedStep
from hyperlift.training.trainer import RunFolder, Trainer, in_bfloat16

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
SIZES = {
    "tiny": CONFIGS / "wild" / "demo_tiny.yaml",
    "small": CONFIGS / "pose3d" / "train_h36m_small.yaml",
    "full": CONFIGS / "pose3d" / "train_h36m.yaml",
}
BATCH = {"cpu": {"tiny": 16, "small": 2, "full": 1}, "cuda": {"tiny": 512, "small": 64, "full": 32}}
STEPS = {"cpu": {"tiny": 10, "small": 1, "full": 1}, "cuda": {"tiny": 20, "small": 20, "full": 10}}
"""Steps a repetition."""
PRECISIONS = ("float32", "bfloat16")
VIDEOS, FRAMES = 20, 1300
GEMM_S = 0.05
LOADED_CLIPS = 600
TARGET = "≥ 150 clips of 243 frames a second for full in bfloat16 on one H200"


def write_clips(folder: Path, n_frames: int) -> None:
    """A split of random clips of the Human3.6M skeleton."""
    rng = np.random.default_rng(0)
    meta = StoreMeta(skeleton="h36m17", fps=25.0, n_frames=n_frames, stride=81, slicing="published", source="drawn")
    with StoreWriter(folder, meta) as writer:
        for number in range(VIDEOS):
            video = Video(source=str(number), subject="1", action="a", frames=FRAMES, width=1000, height=1000)
            label = rng.normal(0, 0.3, (FRAMES, 17, 3)).astype(np.float32)
            seen = np.concatenate([label[..., :2], np.ones((FRAMES, 17, 1), np.float32)], -1)
            writer.add_video(video, {"pose2d_norm": seen, "label_norm": label, "joints_m": label + np.float32(4)})
        writer.finish(clip_rows([(v.first, v.frames) for v in writer.videos], n_frames, 81, "published"))


class Case:
    """The trainer of one size, and the clocks."""

    def __init__(self, size: str, precision: str, args: argparse.Namespace, folder: Path) -> None:
        self.size, self.precision, self.device = size, precision, torch.device(args.device)
        run = load_config(SIZES[size], RunConfig)
        half = precision == "bfloat16"
        self.batch = args.batch or BATCH[args.device][size]
        self.steps = STEPS[args.device][size]
        self.wall = args.device != "cpu" or args.threads > 1
        split = folder / str(run.model.n_frames)
        if not split.exists():
            write_clips(split, run.model.n_frames)
        clips = open_clips(split, LabelConvention(run.model.label_space, run.model.rootrel))
        torch.manual_seed(0)
        self.model = HyperLifter(run.model).to(self.device)
        self.trainer = Trainer(
            model=self.model,
            sampler=BatchSampler(clips, self.batch, 0, flip=True),
            step=SupervisedStep(run.loss, self.model.skeleton),
            config=replace(run.training, batch_size=self.batch, compile=args.compile, amp=half, amp_on_cpu=half),
            seed=0,
            folder=RunFolder(folder),
            spec=LifterSpec(name=size, n_frames=run.model.n_frames),
            run={},
            progress=False,
        )
        self.tensors = self.trainer.to_tensors(*next(self.trainer.sampler.epoch(0)))
        self.model.train()
        self.n_frames, self.cost = run.model.n_frames, cost_of(self.model)
        self.flop_a_clip, self.shapes = flop_and_shapes(self.model)
        self.clips_a_s: list[float] = []
        self.limit: list[float] = []

    @cached_property
    def products(self) -> list[tuple[float, Callable[[], object]]]:
        """The matrix products of a step; they come late, so that a measurement of memory does not see theirs."""
        number = getattr(torch, self.precision)
        return [product(shape, number, self.device) for shape in shapes_of_step(self.shapes, self.batch)]

    def step(self) -> None:
        self.trainer.update(*self.tensors, 1e-6)

    def measure(self) -> None:
        """One repetition: steps, then every product."""
        seconds = self.seconds(lambda: [self.step() for _ in range(self.steps)])
        self.clips_a_s.append(self.steps * self.batch / seconds)
        self.limit.append(max(self.rate(flop, call) for flop, call in self.products))

    def rate(self, flop: float, call: Callable[[], object]) -> float:
        """FLOP a second of one product; repeated until the clock has something to measure."""
        once = self.seconds(call)
        times = int(np.clip(GEMM_S / max(once, 1e-9), 1, 1000))
        return max(flop / once, flop * times / self.seconds(lambda: [call() for _ in range(times)]))

    def seconds(self, call: Callable[[], object]) -> float:
        clock = time.perf_counter if self.wall else time.process_time
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        started = clock()
        call()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return max(clock() - started, 1e-9)


def flop_and_shapes(model: HyperLifter) -> tuple[float, set[tuple[int, int, int]]]:
    """Of one clip: floating-point operations of forward and backward in matrix products, and (rows, in, out) of every
    linear layer. Counted on torch's meta device."""
    shadow = copy.deepcopy(model).to("meta").train()
    shapes: set[tuple[int, int, int]] = set()

    def note(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        shapes.add((inputs[0][..., 0].numel(), inputs[0].shape[-1], output.shape[-1]))

    for layer in shadow.modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(note)
    counter = FlopCounterMode(display=False)
    with counter:
        shadow(torch.empty(1, model.config.n_frames, len(model.skeleton), 3, device="meta")).sum().backward()
    return counter.get_total_flops(), shapes


def shapes_of_step(shapes: set[tuple[int, int, int]], batch: int) -> list[tuple[int, int, int]]:
    """(m, k, n) of the products [m,k] [k,n] of forward, input gradient and weight gradient."""
    products = set()
    for rows, inner, outer in shapes:
        rows *= batch
        products |= {(rows, inner, outer), (rows, outer, inner), (outer, rows, inner)}
    # The smallest measure the call, not the arithmetic, and are never the best.
    largest = max(np.prod(shape, dtype=float) for shape in products)
    return sorted(shape for shape in products if np.prod(shape, dtype=float) > 0.01 * largest)


def product(
    shape: tuple[int, int, int], number: torch.dtype, device: torch.device
) -> tuple[float, Callable[[], object]]:
    m, k, n = shape
    a, b = torch.rand(m, k, dtype=number, device=device), torch.rand(k, n, dtype=number, device=device)
    out = torch.empty(m, n, dtype=number, device=device)
    return 2.0 * m * k * n, lambda: torch.mm(a, b, out=out)


def peak_mib(size: str, precision: str, args: argparse.Namespace) -> float:
    """In a process of its own, since a process never forgets its peak."""
    command = [
        sys.executable,
        __file__,
        "--measure",
        size,
        "--precisions",
        precision,
        "--device",
        args.device,
        "--threads",
        str(args.threads),
    ]
    command += ["--batch", str(args.batch)] if args.batch else []
    command += ["--compile"] if args.compile else []
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def print_peak(size: str, args: argparse.Namespace) -> None:
    with TemporaryDirectory() as folder:
        case = Case(size, args.precisions[0], args, Path(folder))
        case.step()
        if case.device.type == "cuda":
            case.step()
            print(torch.cuda.max_memory_allocated() / 2**20)
        else:
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def loader_rates(folder: Path, repetitions: int, batch: int = 4) -> list[str]:
    """Clips of 243 frames a second that one core reads, labels, mirrors and stacks, without any training."""
    split = folder / "243"
    if not split.exists():
        write_clips(split, 243)
    spaces: tuple[LabelSpace, ...] = ("image", "camera")
    ways: list[tuple[LabelSpace, bool]] = [(space, preload) for space in spaces for preload in (False, True)]
    sources = {way: open_clips(split, LabelConvention(way[0], True), preload=way[1]) for way in ways}
    rates: dict[tuple, list[float]] = {way: [] for way in ways}
    for repetition in range(repetitions):
        for way, clips in sources.items():
            count = min(LOADED_CLIPS, len(clips))
            started = time.process_time()
            for _ in BatchSampler(clips, batch, repetition, flip=True, clips_per_epoch=count).epoch(0):
                pass
            rates[way].append(count / max(time.process_time() - started, 1e-9))
    lines = []
    for space in spaces:
        mapped, loaded = (float(np.median(rates[space, preload])) for preload in (False, True))
        lines.append(f"| {space} | {mapped / batch:,.0f} | {mapped:,.0f} | {loaded:,.0f} |")
    return lines


def short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(cases: Sequence[Case], peaks: Sequence[float], loader: Sequence[str], args: argparse.Namespace) -> str:
    unit, one = ("TFLOP", 1e12) if args.device == "cuda" else ("GFLOP", 1e9)
    lines = [
        f"| network | precision | clip | batch | clips/s | {unit} a clip | {unit}/s | limit {unit}/s | share | "
        "peak memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case, peak in zip(cases, peaks, strict=True):
        config = case.model.config
        clips, limit = float(np.median(case.clips_a_s)), float(np.median(case.limit)) / one
        flop = case.flop_a_clip / one
        numbers = " | ".join(short(value) for value in (clips, flop, clips * flop, limit))
        lines.append(
            f"| {case.size}: {config.channels} channels, depth {config.depth}, {case.cost.parameters / 1e6:.2f} M | "
            f"{case.precision} | {case.n_frames} | {case.batch} | {numbers} | "
            f"{100 * clips * flop / limit:.0f} % | {peak:,.0f} MiB |"
        )
    on_gpu = args.device == "cuda"
    if on_gpu:
        where = f"{torch.cuda.get_device_name()}, memory of the card"
    else:
        threads = f"{args.threads} thread{'s' if args.threads > 1 else ''}"
        where = f"{machine()}, {threads}; memory of the whole process, torch and libraries included"
    lines += [
        "",
        f"Medians of {args.repetitions} interleaved repetitions{', compiled' if args.compile else ''}. torch "
        f"{torch.__version__} on {where}." + (f" Target: {TARGET}." if on_gpu else ""),
        "",
        "Batches of four clips of 243 frames put together from the clip store on one core, without training:",
        "",
        "| labels | batches/s | clips/s | clips/s with --preload |",
        "|---|---|---|---|",
        *loader,
    ]
    return "\n".join(lines)


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=list(BATCH), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, help="default: what this machine is quick at")
    parser.add_argument("--batch", type=int, help="clips a step, for every size")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--no-page", action="store_true", help="print the table alone")
    parser.add_argument("--measure", choices=list(SIZES), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: torch sees no GPU here")
    if args.precisions is None:
        native = in_bfloat16(
            TrainConfig(epochs=1, batch_size=1, lr=1.0, amp_on_cpu="native"), torch.device(args.device)
        )
        args.precisions = ["bfloat16"] if args.device == "cuda" else list(PRECISIONS[: 2 if native else 1])
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parsed(argv)
    torch.set_num_threads(args.threads)
    if args.measure:
        print_peak(args.measure, args)
        return
    chosen = [(size, precision) for size in args.sizes for precision in args.precisions]
    peaks = [peak_mib(*what, args) for what in chosen]
    with TemporaryDirectory() as folder:
        cases = [Case(*what, args, Path(folder)) for what in chosen]
        for case in cases:
            case.step()
        for _ in range(args.repetitions):
            for case in cases:
                case.measure()
        loader = loader_rates(Path(folder), args.repetitions)
    text = table(cases, peaks, loader, args)
    print(text)
    if not args.no_page:
        write_section("training_gpu" if args.device == "cuda" else "training", text)


if __name__ == "__main__":
    main()
