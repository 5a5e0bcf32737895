"""Error against cost: cheaper networks and the plain one, trained alike and timed in ONNX Runtime.

python benchmarks/pareto.py BENCH.npz STORE [STORE …] --out out/pareto

Every network sees 243 frames a step, for the same numbers of steps. Finished runs are kept in --out and skipped, so
that a stopped benchmark goes on where it was.
"""

from pathlib import Path
from typing import Annotated

import torch
from network_cost import FRAMES, Timed, exported, measure
from pareto_networks import CONFIG, LR, PLAIN, WINDOW, networks
from pareto_picture import draw
from runner import RESULTS, Out, Repetitions, Report, counted, run, spread, table
from scoring import Bench, Every, open_bench
from short_runs import compare, open_stores

from hyperlift.models.hyperlifter.lifter import HyperLifter


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
) -> Report:
    torch.set_num_threads(1)
    steps, views = tuple(sorted(steps)), open_bench(bench, every)
    chosen = {name: one for name, one in networks().items() if not only or any(part in name for part in (PLAIN, *only))}
    clips = open_stores(stores, CONFIG.label_space)
    # Small budgets first, for the same reason as first seeds.
    plan = {f"{name}, {budget} steps": one.contender(budget, clips) for budget in steps for name, one in chosen.items()}
    results = compare(plan, views, seeds, out)
    timed = {name: HyperLifter(one.config).eval() for name, one in chosen.items()}
    costs = measure({name: Timed(model, exported(model, out)) for name, model in timed.items()}, repetitions)

    def of_seeds(name: str, budget: int, key: str, form: str = "{:.1f}") -> str:
        return spread([run[key] for run in results[f"{name}, {budget} steps"]], form)

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
    draw(figure, results, costs, steps)
    yield (
        f"{FRAMES} frames a step: windows of {WINDOW} frames for what has a transformer ({CONFIG.channels} channels, "
        f"depth {CONFIG.depth}), single frames or groups of three for frame lifters alone; cosine schedule, {LR:g}; "
        f"{counted(seeds, 'seed')}. Times: processor time, medians of {repetitions}, interleaved, windows of "
        f"{WINDOW} frames; sgemm: the products of the network's own linear layers in the same run. One thread."
    )


if __name__ == "__main__":
    quick = Path("out/quick")
    run(pareto, steps=[2], repetitions=1, only=["of 128"], every=50, out=quick, figure=quick / "pareto.png")
