"""Our network against others, and against itself with parts left out: same clips, same batches, same steps.

python benchmarks/lifter_comparison.py BENCH.npz STORE [STORE …] --out out/comparison

Finished runs are kept in --out and skipped, so that a stopped benchmark goes on where it was.
``--only NAME`` runs some of them.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from baselines.networks import PerFrameMlp, PlainTransformer, TemporalConvolutions
from report import machine, write_section
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hyperlift.data.clips import BatchSampler, JoinedClips, LabelConvention, open_clips
from hyperlift.evaluation.bench import BenchFile, lift_bench, score_bench
from hyperlift.files import atomic_file
from hyperlift.geometry.contract import LabelSpace
from hyperlift.losses import LossWeights, pose_loss
from hyperlift.models import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.lifting.hypergraph import HypergraphConfig
from hyperlift.skeletons import H36M_17
from hyperlift.wild.windows import lift_windows

FRAMES = 27
CLIPS_A_STEP = 9
WARMUP = 100
LOSS = LossWeights(position=1.0, temporal_consistency=0.0, velocity=2.0)
LABELS = HypergraphConfig(joint_label=(0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 4, 4, 4, 5, 5, 5))
ONE_EDGE_A_JOINT = HypergraphConfig(joint_label=tuple(range(17)))
OURS = ModelConfig(
    channels=96,
    depth=3,
    heads=4,
    drop_path=0.0,
    n_frames=FRAMES,
    frame_patch=9,
    frame_lifter=FrameLifterConfig(channels=512, depth=3),
    input_frame="person",
    label_space="camera",
    hypergraph=LABELS,
)


@dataclass(frozen=True)
class Contender:
    """A network and how it is trained."""

    make: Callable[[], nn.Module]
    lr: float = 1e-3
    space: LabelSpace = "camera"


def ours(**changes: Any) -> Contender:
    config = replace(OURS, **changes)
    return Contender(lambda: HyperLifter(config), space=config.label_space)


def _bend(**changes: Any) -> HypergraphConfig:
    return replace(LABELS, **changes)


NETWORKS = {
    "per-frame MLP": Contender(lambda: PerFrameMlp(512, 3)),
    "temporal convolutions": Contender(lambda: TemporalConvolutions(256)),
    "plain transformer": Contender(lambda: PlainTransformer(96, 3, 4, FRAMES)),
    "HyperLift without the frame lifter": ours(frame_lifter=None),
    "HyperLift": ours(),
}
PARTS = {
    "without the joint-relation bias": ours(hypergraph=_bend(relation_term=False)),
    "without q·e": ours(hypergraph=_bend(query_term=False)),
    "without w·e": ours(hypergraph=_bend(bias_term=False)),
    "every joint its own hyperedge": ours(hypergraph=ONE_EDGE_A_JOINT),
}
SPACES = {
    "input from the picture's centre": ours(input_frame="picture"),
    "answers in picture space": ours(label_space="image"),
    "both (as for Human3.6M)": ours(input_frame="picture", label_space="image"),
}
CONTENDERS = {**NETWORKS, **PARTS, **SPACES}


@dataclass(frozen=True)
class Bench:
    """What is trained on and measured by."""

    stores: Sequence[Path]
    file: BenchFile
    steps: int

    def run(self, contender: Contender, seed: int) -> dict[str, float]:
        """Train once and score."""
        torch.manual_seed(seed)
        model = contender.make()
        convention = LabelConvention(contender.space, True)
        clips = JoinedClips([open_clips(store / "train", convention) for store in self.stores])
        sampler = BatchSampler(
            clips,
            CLIPS_A_STEP,
            seed,
            flip=True,
            clips_per_epoch=min(len(clips), CLIPS_A_STEP * self.steps),
            crop_frames=FRAMES,
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=contender.lr, weight_decay=0.01, fused=True)
        average = torch.optim.swa_utils.AveragedModel(model, avg_fn=_growing_average, use_buffers=True)
        started, step = time.process_time(), 0
        while step < self.steps:
            for inputs, labels in sampler.epoch(step // len(sampler)):
                for group in optimizer.param_groups:
                    group["lr"] = contender.lr * _schedule(step, self.steps)
                loss, _ = pose_loss(model(torch.from_numpy(inputs)), torch.from_numpy(labels), LOSS, H36M_17)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                average.update_parameters(model)
                step += 1
        seconds = time.process_time() - started
        fitted = average.module.eval()

        @torch.inference_mode()
        def lift(pose2d_norm: np.ndarray) -> np.ndarray:
            return fitted(torch.from_numpy(pose2d_norm)).numpy()

        scores = score_bench(self.file, lift_bench(self.file, lambda pose: lift_windows(lift, pose, FRAMES)))
        return {
            "n_mpjpe_mm": scores.n_mpjpe_mm,
            "pa_mpjpe_mm": scores.pa_mpjpe_mm,
            "jitter_mm": scores.jitter_mm,
            "bone": scores.bone,
            "cpu_s": seconds,
            "parameters": sum(p.numel() for p in model.parameters()),
            "macs_a_frame": _macs_a_frame(fitted),
        }


def _schedule(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _growing_average(average: torch.Tensor, new: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
    """An exponential average whose memory is a fifth of the run so far, at most 500 steps."""
    return average + (new - average) * max(5.0 / (float(count) + 5.0), 0.002)


def _macs_a_frame(model: nn.Module) -> float:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.rand(1, FRAMES, 17, 3))
    return counter.get_total_flops() / 2 / FRAMES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=CONTENDERS)
    parser.add_argument("--out", type=Path, default=Path("out/comparison"))
    parser.add_argument("--no-page", action="store_true", help="leave docs/benchmarks.md as it is")
    args = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(args.stores, BenchFile(args.bench), args.steps)
    args.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, list[dict[str, float]]] = {}
    # Seed by seed, so that a benchmark that is stopped early has compared all.
    for seed in range(args.seeds):
        for name in args.only or CONTENDERS:
            file = args.out / f"{name.replace(' ', '-')}-{args.steps}-{seed}.json"
            if not file.exists():
                outcome = bench.run(CONTENDERS[name], seed)
                with atomic_file(file) as partial:
                    partial.write_text(json.dumps(outcome))
                print(f"{name}, seed {seed}: PA {outcome['pa_mpjpe_mm']:.1f} mm, {outcome['cpu_s']:.0f} s", flush=True)
            results.setdefault(name, []).append(json.loads(file.read_text()))
    text = table(results, args.steps)
    print(text)
    if not args.no_page:
        write_section("comparison", text)


def table(results: dict[str, list[dict[str, float]]], steps: int) -> str:
    """Mean and standard deviation over seeds; differences to ours are paired by seed."""
    lines = [
        "| network | N-MPJPE mm | PA-MPJPE mm | PA above HyperLift mm | jitter mm/frame² | bones | M parameters "
        "| MMACs a frame | CPU s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    base = results.get("HyperLift", [])
    for name, runs in results.items():

        def spread(key: str, factor: float = 1.0, runs: list[dict[str, float]] = runs) -> str:
            values = factor * np.array([run[key] for run in runs])
            return f"{values.mean():.1f} ± {values.std(ddof=1 if len(values) > 1 else 0):.1f}"

        pairs = [run["pa_mpjpe_mm"] - ref["pa_mpjpe_mm"] for run, ref in zip(runs, base, strict=False)]
        above = f"{np.mean(pairs):+.1f} ± {np.std(pairs, ddof=1 if len(pairs) > 1 else 0):.1f}" if pairs else ""
        first = runs[0]
        lines.append(
            f"| {name} | {spread('n_mpjpe_mm')} | {spread('pa_mpjpe_mm')} | {'' if name == 'HyperLift' else above} "
            f"| {spread('jitter_mm')} | {spread('bone', 100)} % | {first['parameters'] / 1e6:.2f} "
            f"| {first['macs_a_frame'] / 1e6:.2f} | {np.median([run['cpu_s'] for run in runs]):.0f} |"
        )
    seeds = max(len(runs) for runs in results.values())
    note = (
        f"Mean ± standard deviation over {seeds} seeds, {steps} steps of {CLIPS_A_STEP} × {FRAMES} frames, cosine "
        f"schedule from 1e-3, windows of {FRAMES} frames without flip. One thread, {machine()}."
    )
    return "\n".join([*lines, "", note])


if __name__ == "__main__":
    main()
