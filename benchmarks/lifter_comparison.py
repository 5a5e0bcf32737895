"""Our network against others, against itself with parts left out, and what it sees and answers.

python benchmarks/lifter_comparison.py BENCH.npz STORE [STORE …] --start TRAINED.safetensors --out out/comparison

All train on the same clips, batches and steps. Finished runs are kept in --out and skipped, so that a stopped benchmark
goes on where it was.
"""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from baselines.fitting import fit
from baselines.networks import PerFrameMlp, PlainTransformer, TemporalConvolutions
from report import machine, write_section
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hyperlift.data.clips import BatchSampler, JoinedClips, LabelConvention, open_clips
from hyperlift.evaluation.bench import BenchFile, lift_bench, score_bench
from hyperlift.files import atomic_file
from hyperlift.geometry.contract import LabelSpace
from hyperlift.losses import LossWeights
from hyperlift.models import HyperLifter, ModelConfig
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.lifting.hypergraph import HypergraphConfig
from hyperlift.wild.windows import lift_windows

WARMUP = 50
LABELS = HypergraphConfig(joint_label=(0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 4, 4, 4, 5, 5, 5))
ONE_EDGE_A_JOINT = HypergraphConfig(joint_label=tuple(range(17)))
NEIGHBOURS = (-12, -8, -5, -3, -1, 0, 1, 3, 5, 8, 12)
OURS = ModelConfig(
    channels=96,
    depth=3,
    heads=4,
    drop_path=0.0,
    n_frames=27,
    frame_patch=9,
    frame_lifter=FrameLifterConfig(channels=512, depth=3, neighbours=NEIGHBOURS),
    input_frame="person",
    foreshortening=(0.25, 0.4, 0.6, 0.9),
    label_space="camera",
    hypergraph=LABELS,
)


@dataclass(frozen=True)
class Task:
    """What the contenders of one table do."""

    title: str
    frames: int
    clips: int
    steps: int
    lr: float
    velocity: float = 2.0


SCRATCH = Task("From random weights", frames=27, clips=9, steps=300, lr=1e-3)
ON = Task("A trained network without one part, trained on", frames=81, clips=8, steps=150, lr=3e-4)
SINGLE = Task("Input and answer, by the per-frame part alone", frames=1, clips=256, steps=400, lr=1e-3, velocity=0.0)


@dataclass(frozen=True)
class Contender:
    """A network, how it starts, and the space that it answers in."""

    task: Task
    make: Callable[[], nn.Module]
    space: LabelSpace = "camera"
    shape: float = 0.0
    """Weight of the error after the best similarity of every frame."""

    @property
    def loss(self) -> LossWeights:
        return LossWeights(
            position=1.0, temporal_consistency=0.0, velocity=self.task.velocity, similarity_aligned=self.shape
        )


def ours(task: Task, shape: float = 0.0, **changes: Any) -> Contender:
    config = replace(OURS, **changes)
    return Contender(task, lambda: HyperLifter(config), config.label_space, shape)


def contenders(start: Path | None) -> dict[str, Contender]:
    """All, by name; those of ``ON`` only where there is a network to go on from."""
    found = {
        "per-frame MLP": Contender(SCRATCH, lambda: PerFrameMlp(512, 3)),
        "temporal convolutions": Contender(SCRATCH, lambda: TemporalConvolutions(256)),
        "plain transformer": Contender(SCRATCH, lambda: PlainTransformer(96, 3, 4, SCRATCH.frames)),
        "HyperLift's transformer alone": ours(SCRATCH, frame_lifter=None),
        "HyperLift": ours(SCRATCH),
    }
    if start is not None:
        trained = load_checkpoint(start).model

        def without(**changes: Any) -> Contender:
            config = replace(trained.config, hypergraph=replace(trained.config.hypergraph, **changes))
            return Contender(ON, lambda: bent(trained, config), config.label_space)

        found |= {
            "whole": without(),
            "without the joint-relation bias": without(relation_term=False),
            "without q·e": without(query_term=False),
            "without w·e": without(bias_term=False),
            "every joint its own hyperedge": without(joint_label=ONE_EDGE_A_JOINT.joint_label),
        }
    told = {"depth": 0, "frame_lifter": FrameLifterConfig(channels=512, depth=3)}
    alone = {**told, "foreshortening": ()}
    return found | {
        "from the person, in camera axes": ours(SINGLE, **alone),
        "… told how foreshortened bones are": ours(SINGLE, **told),
        "… and shape alone in the loss too": ours(SINGLE, **told, shape=1.0),
        "from the picture's centre, in camera axes": ours(SINGLE, **alone, input_frame="picture"),
        "from the person, in picture space": ours(SINGLE, **alone, label_space="image"),
        "from the picture's centre, in picture space (Human3.6M)": ours(
            SINGLE, **alone, input_frame="picture", label_space="image"
        ),
    }


def bent(trained: HyperLifter, config: ModelConfig) -> HyperLifter:
    """A trained network with another hypergraph: it keeps every weight that still has a place."""
    model = HyperLifter(config)
    weights = dict(trained.state_dict())
    wanted = model.state_dict()
    for name, tensor in weights.items():
        if name in wanted and wanted[name].shape != tensor.shape:
            weights[name] = tensor[-len(wanted[name]) :]  # queries stand before values
    # Incidence is no weight: the model's own.
    weights = {name: tensor for name, tensor in weights.items() if name in wanted and "membership" not in name}
    model.load_state_dict({**wanted, **weights})
    return model


@dataclass(frozen=True)
class Bench:
    """What is trained on and measured by."""

    stores: Sequence[Path]
    file: BenchFile

    def run(self, contender: Contender, seed: int) -> dict[str, float]:
        """Train once and score."""
        task = contender.task
        torch.manual_seed(seed)
        model = contender.make()
        convention = LabelConvention(contender.space, True)
        clips = JoinedClips([open_clips(store / "train", convention) for store in self.stores])
        sampler = BatchSampler(
            clips,
            task.clips,
            seed,
            flip=True,
            clips_per_epoch=min(len(clips), task.clips * task.steps),
            crop_frames=task.frames,
        )
        fitted, seconds = fit(
            model, sampler, task.steps, lambda step: task.lr * _schedule(step, task.steps), contender.loss
        )

        @torch.inference_mode()
        def lift(pose2d_norm: np.ndarray) -> np.ndarray:
            return fitted(torch.from_numpy(pose2d_norm)).numpy()

        window = max(task.frames, 27)
        scores = score_bench(self.file, lift_bench(self.file, lambda pose: lift_windows(lift, pose, window)))
        return {
            "n_mpjpe_mm": scores.n_mpjpe_mm,
            "pa_mpjpe_mm": scores.pa_mpjpe_mm,
            "jitter_mm": scores.jitter_mm,
            "bone": scores.bone,
            "cpu_s": seconds,
            "parameters": sum(p.numel() for p in model.parameters()),
            "macs_a_frame": _macs_a_frame(fitted, window),
        }


def _schedule(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _macs_a_frame(model: nn.Module, frames: int) -> float:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.rand(1, frames, 17, 3))
    return counter.get_total_flops() / 2 / frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--start", type=Path, help="trained network for the second table; left out without it")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/comparison"))
    parser.add_argument("--no-page", action="store_true", help="leave docs/benchmarks.md as it is")
    args = parser.parse_args()
    torch.set_num_threads(1)
    bench, all_of_them = Bench(args.stores, BenchFile(args.bench)), contenders(args.start)
    args.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, list[dict[str, float]]] = {}
    # Seed by seed, so that a benchmark that is stopped early has compared all.
    for seed in range(args.seeds):
        for name, contender in all_of_them.items():
            file = args.out / f"{contender.task.steps}x{contender.task.clips}-{name.replace(' ', '-')}-{seed}.json"
            if not file.exists():
                outcome = bench.run(contender, seed)
                with atomic_file(file) as partial:
                    partial.write_text(json.dumps(outcome))
                print(f"{name}, seed {seed}: PA {outcome['pa_mpjpe_mm']:.1f} mm, {outcome['cpu_s']:.0f} s", flush=True)
            results.setdefault(name, []).append(json.loads(file.read_text()))
            write_tables(results, all_of_them, args.no_page)


def write_tables(results: dict[str, list[dict[str, float]]], all_of_them: dict[str, Contender], no_page: bool) -> None:
    """One table a task, of what is there so far."""
    tasks = dict.fromkeys(all_of_them[name].task for name in results)
    tables = [
        table(task, {name: runs for name, runs in results.items() if all_of_them[name].task == task}) for task in tasks
    ]
    text = "\n\n".join([*tables, f"Mean ± standard deviation over seeds, one thread, one pass, {machine()}."])
    if no_page:
        print(text)
    else:
        write_section("comparison", text)


def table(task: Task, results: dict[str, list[dict[str, float]]]) -> str:
    """Differences are paired by seed, to HyperLift or to the first row."""
    base_name = "HyperLift" if "HyperLift" in results else next(iter(results))
    base = results[base_name]
    lines = [
        f"**{task.title}**: {task.steps} steps of {task.clips} × {task.frames} frames, cosine schedule from "
        f"{task.lr:g}; {max(len(runs) for runs in results.values())} seeds.",
        "",
        f"| | N-MPJPE mm | PA-MPJPE mm | PA above {base_name} | jitter mm/frame² | bones | M parameters "
        "| MMACs a frame | CPU s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, runs in results.items():

        def spread(key: str, factor: float = 1.0, runs: list[dict[str, float]] = runs) -> str:
            values = factor * np.array([run[key] for run in runs])
            return f"{values.mean():.1f} ± {values.std(ddof=min(1, len(values) - 1)):.1f}"

        pairs = [run["pa_mpjpe_mm"] - ref["pa_mpjpe_mm"] for run, ref in zip(runs, base, strict=False)]
        above = f"{np.mean(pairs):+.1f} ± {np.std(pairs, ddof=min(1, len(pairs) - 1)):.1f}"
        first = runs[0]
        lines.append(
            f"| {name} | {spread('n_mpjpe_mm')} | {spread('pa_mpjpe_mm')} | {'' if name == base_name else above} "
            f"| {spread('jitter_mm')} | {spread('bone', 100)} % | {first['parameters'] / 1e6:.2f} "
            f"| {first['macs_a_frame'] / 1e6:.2f} | {np.median([run['cpu_s'] for run in runs]):.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
