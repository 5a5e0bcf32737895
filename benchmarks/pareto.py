"""Error against cost: cheaper networks and the plain one, trained alike and timed in ONNX Runtime.

python benchmarks/pareto.py BENCH.npz STORE [STORE …] --out out/pareto

Every network sees 243 frames a step, for the same numbers of steps. Finished runs are kept in --out and skipped, so
that a stopped benchmark goes on where it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from network_cost import FRAMES, Cost, Timed, exported, measure
from pareto_speed import SEVERAL, cheaper
from pictures import figure_of
from runner import RESULTS, Out, Repetitions, run, spread, table
from scoring import Bench, Every, open_bench
from short_runs import POSES, Recipe, fit_and_score, kept, open_stores

from hyperlift.models import HyperLifter, ModelConfig
from hyperlift.models.layers.frame_lifter import FrameLifterConfig

WINDOW, LR = 27, 1e-3
PLAIN = "plain transformer"
CONFIG = ModelConfig(
    channels=64, depth=4, heads=4, drop_path=0.0, n_frames=WINDOW, input_frame="person",
    foreshortening=(0.25, 0.4, 0.6, 0.9), label_space="camera",
)  # fmt: skip
COLOURS = {"one thing cheaper": "#1f5fbf", "several": "#7a3fa8", "frame lifter alone": "#c96a00", "both": "#1d7a3a"}


@dataclass(frozen=True)
class Contender:
    """A network and how it is fed."""

    kind: str
    config: ModelConfig
    crop: int = WINDOW
    """Neighbouring frames of a clip; a step sees ``FRAMES`` frames of as many clips as that makes."""

    def recipe(self, steps: int) -> Recipe:
        """Of poses, and for whole windows of their motion too."""
        loss = replace(POSES, velocity=2.0 if self.crop == WINDOW else 0.0)
        warmup = min(50, steps // 4 + 1)
        return Recipe(steps=steps, clips=FRAMES // self.crop, lr=LR, warmup=warmup, crop=self.crop, loss=loss)


def contenders() -> dict[str, Contender]:
    """All, by name."""

    def frames(channels: int, at_once: int, neighbours: tuple[int, ...]) -> FrameLifterConfig:
        return FrameLifterConfig(channels=channels, depth=3, neighbours=neighbours, frames=at_once)

    found = {
        name: Contender("one thing cheaper", config) for name, config in {PLAIN: CONFIG, **cheaper(CONFIG)}.items()
    }
    found["3 frames a token, hourglass, one block, narrow"] = Contender("several", replace(CONFIG, **SEVERAL))
    for channels, at_once in ((128, 1), (256, 1), (512, 1), (256, 3), (512, 3), (1024, 3)):
        own = tuple(range(-(at_once // 2), at_once // 2 + 1))
        config = replace(CONFIG, depth=0, frame_lifter=frames(channels, at_once, own))
        found[f"frame lifter of {channels}, {at_once} at once"] = Contender("frame lifter alone", config, crop=at_once)
    for at_once in (1, 3):
        config = replace(CONFIG, frame_patch=9, frame_lifter=frames(256, at_once, (-8, -3, -1, 0, 1, 3, 8)))
        found[f"9 frames a token after a frame lifter of 256, {at_once} at once"] = Contender("both", config)
    return found


Results = dict[tuple[str, int], list[dict[str, float]]]
"""Scores of every seed, by contender and steps."""


def draw(results: Results, costs: dict[str, Cost], steps: tuple[int, ...], path: Path) -> None:
    """Error against milliseconds and against multiplications; open marks are the smaller budgets."""
    names, colours = list(costs), {name: COLOURS[contender.kind] for name, contender in contenders().items()}
    scales = {"ms for 243 frames, one core, ONNX Runtime": 2, "million multiplications a frame": 1}
    with figure_of(path, 2, size=(13, 6.5), sharey=True) as panels:
        for axes, (label, size) in zip(panels, scales.items(), strict=True):
            for budget in steps:
                last, points = budget == steps[-1], []
                for number, name in enumerate(names, 1):
                    x, y = costs[name].sizes[size], float(np.mean([r["pa_mpjpe_mm"] for r in results[name, budget]]))
                    points.append((x, y))
                    axes.scatter(x, y, s=46, facecolor=colours[name] if last else "none", edgecolor=colours[name])
                    if last:
                        axes.annotate(str(number), (x, y), xytext=(5, 4), textcoords="offset points", fontsize=9)
                front = [(x, y) for x, y in sorted(points) if y <= min(b for a, b in points if a <= x)]
                axes.step(*zip(*front, strict=True), where="post", color="#888888", lw=1, ls="-" if last else ":")
            axes.set(xscale="log", xlabel=label)
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
        panels[0].set_ylabel("PA-MPJPE on the benchmark, mm")
        marks = [
            Line2D([], [], ls="", marker="o", color=colours[name], label=f"{number}: {name}")
            for number, name in enumerate(names, 1)
        ]
        figure = panels[0].get_figure(root=True)
        assert figure is not None
        figure.legend(handles=marks, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
        small = ", ".join(f"{budget:,}" for budget in steps[:-1])
        more = f" (open: {small}); lines: the best so far" if small else ""
        figure.suptitle(f"Trained for {steps[-1]:,} steps{more}")


def pareto(
    bench: Bench,
    stores: tuple[Path, ...],
    *,
    steps: Annotated[tuple[int, ...], "budgets, one or several"] = (150, 500),
    seeds: int = 1,
    repetitions: Repetitions = 7,
    only: Annotated[tuple[str, ...], "only contenders whose names hold one of these, and the plain one"] = (),
    out: Out = Path("out/pareto"),
    figure: Path = RESULTS / "pareto.png",
    every: Every = 1,
) -> Iterator[str]:
    torch.set_num_threads(1)
    steps, views = tuple(sorted(steps)), open_bench(bench, every)
    chosen = {
        name: contender
        for name, contender in contenders().items()
        if not only or name == PLAIN or any(part in name for part in only)
    }
    clips = open_stores(stores, CONFIG.label_space)
    results: Results = {}
    # Small budgets and first seeds first, so that a benchmark that is stopped early has compared all.
    for seed, budget, (name, contender) in product(range(seeds), steps, chosen.items()):
        recipe, network = contender.recipe(budget), partial(HyperLifter, contender.config)
        train = partial(fit_and_score, network, clips, recipe, seed, views, WINDOW)
        outcome = kept(out, f"{name}, {budget} steps, seed {seed}", (contender, recipe), train)
        results.setdefault((name, budget), []).append(outcome)
    timed = {name: HyperLifter(contender.config).eval() for name, contender in chosen.items()}
    costs = measure({name: Timed(model, exported(model, out)) for name, model in timed.items()}, repetitions)

    def of_seeds(name: str, budget: int, key: str, form: str = "{:.1f}") -> str:
        return spread([run[key] for run in results[name, budget]], form)

    rows = []
    for name, cost in costs.items():
        errors = [of_seeds(name, budget, "pa_mpjpe_mm") for budget in steps]
        last = of_seeds(name, steps[-1], "jitter_mm"), of_seeds(name, steps[-1], "cpu_s", "{:.0f}")
        rates = costs[PLAIN].ms / cost.ms, cost.gflops, 100 * cost.share
        rows.append((name, *cost.sizes, *rates, *errors, *last))
    sizes = ("M parameters {:.2f}", "MMACs a frame {:.2f}", "ms for 243 frames {:.1f}")
    rates = ("times as fast {:.1f}", "GFLOP/s {:.0f}", "share of sgemm {:.0f} %")
    errors = [f"PA-MPJPE mm, {budget:,} steps" for budget in steps]
    yield table(["network", *sizes, *rates, *errors, "jitter mm/frame²", f"CPU s, {steps[-1]:,} steps"], rows)
    draw(results, costs, steps, figure)
    yield (
        f"{FRAMES} frames a step: windows of {WINDOW} frames for what has a transformer ({CONFIG.channels} channels, "
        f"depth {CONFIG.depth}), single frames or groups of three for frame lifters alone; cosine schedule, {LR:g}; "
        f"{seeds} seed{'s' * (seeds > 1)}. Times: processor time, medians of {repetitions}, interleaved, windows of "
        f"{WINDOW} frames; sgemm: the products of the network's own linear layers in the same run. One thread."
    )


if __name__ == "__main__":
    quick = Path("out/quick")
    run(pareto, steps=[2], repetitions=1, only=["of 128"], every=50, out=quick, figure=quick / "pareto.png")
