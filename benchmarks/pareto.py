"""Error against cost: cheaper networks and the plain one, trained alike and timed in ONNX Runtime.

python benchmarks/pareto.py BENCH.npz STORE [STORE …] --out out/pareto

Every network sees 243 frames a step, for the same numbers of steps. Finished runs are kept in --out and skipped, so
that a stopped benchmark goes on where it was; --no-training shows what is there.
"""

import argparse
import json
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import onnxruntime
import torch
from baselines.fitting import fit
from network_cost import FRAMES, Cost, Timed, exported, measure
from report import PAGE, machine, write_section

from hyperlift.config import to_mapping
from hyperlift.data.clips import BatchSampler, JoinedClips, LabelConvention, open_clips
from hyperlift.evaluation.bench import BenchFile, lift_bench, score_bench
from hyperlift.files import atomic_file
from hyperlift.geometry.contract import LifterSpec
from hyperlift.losses import LossWeights
from hyperlift.models import HyperLifter, ModelConfig
from hyperlift.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.layers.tokens import TokenMergeConfig
from hyperlift.models.predictor import TorchPredictor
from hyperlift.wild.windows import lift_windows

WINDOW = 27
WARMUP = 50
LR = 1e-3
PLAIN = "plain transformer"
CONFIG = ModelConfig(
    channels=64,
    depth=4,
    heads=4,
    drop_path=0.0,
    n_frames=WINDOW,
    input_frame="person",
    foreshortening=(0.25, 0.4, 0.6, 0.9),
    label_space="camera",
)
COLOURS = {"one thing cheaper": "#1f5fbf", "several": "#7a3fa8", "frame lifter alone": "#c96a00", "both": "#1d7a3a"}


@dataclass(frozen=True)
class Contender:
    """A network and how it is fed."""

    kind: str
    config: ModelConfig
    crop: int = WINDOW
    """Neighbouring frames of a clip; a step sees ``FRAMES`` frames of as many clips as that makes."""

    @property
    def loss(self) -> LossWeights:
        """Poses, and for whole windows their motion too."""
        return LossWeights(position=1.0, temporal_consistency=0.0, velocity=2.0 if self.crop == WINDOW else 0.0)


def contenders() -> dict[str, Contender]:
    """All, by name."""

    def cheaper(**changes: object) -> Contender:
        return Contender("one thing cheaper", replace(CONFIG, **changes))  # type: ignore[arg-type]

    def frames(channels: int, at_once: int, neighbours: tuple[int, ...]) -> FrameLifterConfig:
        return FrameLifterConfig(channels=channels, depth=3, neighbours=neighbours, frames=at_once)

    def alone(channels: int, at_once: int) -> Contender:
        own = tuple(range(-(at_once // 2), at_once // 2 + 1))
        config = replace(CONFIG, depth=0, frame_lifter=frames(channels, at_once, own))
        return Contender("frame lifter alone", config, crop=at_once)

    around = (-8, -3, -1, 0, 1, 3, 8)
    return {
        PLAIN: cheaper(),
        "3 frames a token": cheaper(frame_patch=3),
        "9 frames a token": cheaper(frame_patch=9),
        "hourglass 27 → 9": cheaper(token_merge=TokenMergeConfig(after=(1,))),
        "hourglass 27 → 9 → 3": cheaper(token_merge=TokenMergeConfig(after=(1, 2))),
        "one joint block": cheaper(joint_block="one"),
        "MLPs a quarter as wide": cheaper(mlp_ratio=0.5),
        "shared layers": cheaper(share_layers=True),
        "3 frames a token, hourglass, one block, narrow": Contender(
            "several",
            replace(CONFIG, frame_patch=3, token_merge=TokenMergeConfig(after=(1,)), joint_block="one", mlp_ratio=0.5),
        ),
        **{
            f"frame lifter of {channels}, {at_once} at once": alone(channels, at_once)
            for channels, at_once in ((128, 1), (256, 1), (512, 1), (256, 3), (512, 3), (1024, 3))
        },
        **{
            f"9 frames a token after a frame lifter of 256, {at_once} at once": Contender(
                "both", replace(CONFIG, frame_patch=9, frame_lifter=frames(256, at_once, around))
            )
            for at_once in (1, 3)
        },
    }


@dataclass(frozen=True)
class Run:
    """One training."""

    name: str
    contender: Contender
    steps: int
    seed: int

    def file(self, folder: Path) -> Path:
        """Of its scores; the weights lie beside it. Another configuration is another file."""
        key = zlib.crc32(json.dumps(to_mapping(self.contender.config), sort_keys=True).encode())
        return folder / f"{self.name.replace(' ', '-')}-{key:08x}-{self.steps}-{self.seed}.json"

    def rate(self, step: int) -> float:
        """Learning rate: a cosine after a short rise."""
        warmup = min(WARMUP, self.steps // 4 + 1)
        return LR * min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / self.steps))

    def train(self, stores: Sequence[Path], bench: BenchFile, folder: Path) -> dict[str, float]:
        """Train, keep the weights, score."""
        config, crop = self.contender.config, self.contender.crop
        torch.manual_seed(self.seed)
        convention = LabelConvention(config.label_space, config.rootrel)
        clips = JoinedClips([open_clips(store / "train", convention) for store in stores])
        batch = FRAMES // crop
        sampler = BatchSampler(
            clips,
            batch,
            self.seed,
            flip=True,
            clips_per_epoch=min(len(clips), batch * self.steps),
            crop_frames=crop,
        )
        model, seconds = fit(HyperLifter(config), sampler, self.steps, self.rate, self.contender.loss)
        assert isinstance(model, HyperLifter)
        spec = LifterSpec(name="t", label_space=config.label_space, rootrel=config.rootrel, n_frames=config.n_frames)
        save_checkpoint(self.file(folder).with_suffix(".safetensors"), Checkpoint(model=model, spec=spec))
        lift = TorchPredictor(model)
        scores = score_bench(bench, lift_bench(bench, lambda pose: lift_windows(lift, pose, WINDOW)))
        return {
            "n_mpjpe_mm": scores.n_mpjpe_mm,
            "pa_mpjpe_mm": scores.pa_mpjpe_mm,
            "jitter_mm": scores.jitter_mm,
            "cpu_s": seconds,
        }


Results = dict[tuple[str, int], list[dict[str, float]]]
"""Scores of every seed, by contender and steps."""


def all_runs(steps: Sequence[int], seeds: int) -> Iterator[Run]:
    """Small budgets and first seeds first, so that a benchmark that is stopped early has compared all."""
    for seed in range(seeds):
        for budget in sorted(steps):
            for name, contender in contenders().items():
                yield Run(name, contender, budget, seed)


def finished(runs: Sequence[Run], folder: Path) -> Results:
    """What is there."""
    results: Results = {}
    for run in runs:
        if run.file(folder).exists():
            results.setdefault((run.name, run.steps), []).append(json.loads(run.file(folder).read_text()))
    return results


def table(results: Results, costs: dict[str, Cost], steps: Sequence[int]) -> list[str]:
    """A row a network; errors by budget."""
    budgets = sorted(steps)
    lines = [
        "| network | M parameters | MMACs a frame | ms for 243 frames | times as fast | GFLOP/s | share of sgemm | "
        + " | ".join(f"PA-MPJPE mm, {budget:,} steps" for budget in budgets)
        + f" | jitter mm/frame² | CPU s, {budgets[-1]:,} steps |",
        "|---" * (9 + len(budgets)) + "|",
    ]
    for name, cost in costs.items():
        last = results.get((name, budgets[-1]), [])
        lines.append(
            f"| {name} | {cost.parameters / 1e6:.2f} | {cost.macs / FRAMES / 1e6:.2f} | {cost.ms:.1f} "
            f"| {costs[PLAIN].ms / cost.ms:.1f} | {cost.gflops:.0f} | {100 * cost.share:.0f} % | "
            + " | ".join(spread(results.get((name, budget), []), "pa_mpjpe_mm") for budget in budgets)
            + f" | {spread(last, 'jitter_mm')} | {spread(last, 'cpu_s', 0)} |"
        )
    return lines


def spread(runs: Sequence[dict[str, float]], key: str, digits: int = 1) -> str:
    """Mean, and standard deviation where there are several seeds."""
    if not runs:
        return "–"
    values = np.array([run[key] for run in runs])
    more = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{more}"


def draw(results: Results, costs: dict[str, Cost], steps: Sequence[int], path: Path) -> None:
    """Error against milliseconds and against multiplications; open marks are the smaller budgets."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogLocator, NullFormatter

    figure, panels = plt.subplots(1, 2, figsize=(13, 6.5), sharey=True, layout="constrained")
    known = contenders()
    names = list(costs)
    scales = {
        "ms for 243 frames, one core, ONNX Runtime": lambda cost: cost.ms,
        "million multiplications a frame": lambda cost: cost.macs / FRAMES / 1e6,
    }
    for axes, (label, cost_of) in zip(panels, scales.items(), strict=True):
        for budget in sorted(steps):
            last = budget == max(steps)
            points = []
            for name in names:
                runs = results.get((name, budget))
                if not runs:
                    continue
                x, y = cost_of(costs[name]), float(np.mean([run["pa_mpjpe_mm"] for run in runs]))
                points.append((x, y))
                colour = COLOURS[known[name].kind]
                axes.scatter(x, y, s=46, marker="o", facecolor=colour if last else "none", edgecolor=colour, zorder=3)
                if last:
                    number = str(names.index(name) + 1)
                    axes.annotate(number, (x, y), xytext=(5, 4), textcoords="offset points", fontsize=9)
            front = [(x, y) for x, y in sorted(points) if y <= min(b for a, b in points if a <= x)]
            if front:
                axes.step(*zip(*front, strict=True), where="post", color="#888888", lw=1, ls="-" if last else ":")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(label)
        axes.grid(visible=True, which="both", alpha=0.25)
    panels[0].set_ylabel("PA-MPJPE on the benchmark, mm")
    handles = [
        Line2D([], [], ls="", marker="o", color=COLOURS[known[name].kind], label=f"{number}: {name}")
        for number, name in enumerate(names, 1)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    small = ", ".join(f"{budget:,}" for budget in sorted(steps)[:-1])
    figure.suptitle(
        f"Trained for {max(steps):,} steps" + (f" (open: {small}); lines: the best so far" if small else "")
    )
    with atomic_file(path) as partial:
        figure.savefig(partial, dpi=110, format="png")
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--steps", type=int, nargs="+", default=[150, 500], help="budgets, one or several")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=7, help="of the timing")
    parser.add_argument("--only", nargs="+", help="only contenders whose names hold one of these, and the plain one")
    parser.add_argument("--out", type=Path, default=Path("out/pareto"))
    parser.add_argument("--no-training", action="store_true", help="only show the runs that are finished")
    parser.add_argument("--no-page", action="store_true", help="leave docs/benchmarks.md and its picture as they are")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)

    def wanted(name: str) -> bool:
        return not args.only or name == PLAIN or any(part in name for part in args.only)

    runs = [run for run in all_runs(args.steps, args.seeds) if wanted(run.name)]
    bench = BenchFile(args.bench)
    for run in [] if args.no_training else runs:
        file = run.file(args.out)
        if file.exists():
            continue
        outcome = run.train(args.stores, bench, args.out)
        with atomic_file(file) as partial:
            partial.write_text(json.dumps(outcome))
        print(
            f"{run.name}, {run.steps} steps, seed {run.seed}: PA {outcome['pa_mpjpe_mm']:.1f} mm, "
            f"{outcome['cpu_s']:.0f} s",
            flush=True,
        )
    results = finished(runs, args.out)
    timed: dict[str, Timed] = {}
    for run in reversed(runs):  # the first seed's longest run is what stands in the end
        weights = run.file(args.out).with_suffix(".safetensors")
        if (run.name, run.steps) in results and run.seed == 0 and run.name not in timed:
            model = load_checkpoint(weights).model
            timed[run.name] = Timed(model, exported(model, args.out))
    costs = measure({name: timed[name] for name in contenders() if name in timed}, args.repetitions)
    note = (
        f"{FRAMES} frames a step: windows of {WINDOW} frames for what has a transformer ({CONFIG.channels} channels, "
        f"depth {CONFIG.depth}), single frames or groups of three for frame lifters alone; cosine schedule, {LR:g}; "
        f"{args.seeds} seed{'s' if args.seeds > 1 else ''}. Times: processor time, medians of {args.repetitions}, "
        f"interleaved, windows of {WINDOW} frames; sgemm: the products of the network's own linear layers in the same "
        f"run. ONNX Runtime {onnxruntime.__version__}, one thread, on {machine()}."
    )
    text = "\n".join([*table(results, costs, args.steps), "", note])
    print(text)
    if args.no_page:
        draw(results, costs, args.steps, args.out / "pareto.png")
    else:
        write_section("pareto", text)
        draw(results, costs, args.steps, PAGE.with_name("pareto.png"))


if __name__ == "__main__":
    main()
