"""Our network against others, against itself with parts left out, and what it sees and answers.

python benchmarks/lifter_comparison.py BENCH.npz STORE [STORE …] --start TRAINED.safetensors --out out/comparison

All train on the same clips, batches and steps. Finished runs are kept in --out and skipped, so that a stopped benchmark
goes on where it was.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from compared_networks import TASKS, networks
from network_cost import work_of
from runner import Out, Report, counted, run, spread, table
from scoring import Bench, Every, open_bench
from short_runs import compare, open_stores


def lifter_comparison(
    bench: Bench,
    stores: tuple[Path, ...],
    *,
    start: Annotated[Path | None, "trained network for the second table, which is left out without"] = None,
    seeds: int = 3,
    steps: Annotated[int | None, "of every run, in place of its own number"] = None,
    out: Out = Path("out/comparison"),
    every: Every = 1,
) -> Report:
    torch.set_num_threads(1)
    views, known = open_bench(bench, every), networks(start)
    clips = {one.space: open_stores(stores, one.space) for one in known.values()}
    plan = {name: one.contender(steps, clips[one.space]) for name, one in known.items()}
    results = compare(plan, views, seeds, out)
    for title in TASKS:
        runs = {name: results[name] for name, one in known.items() if one.task == title}
        if runs:
            recipe = plan[next(iter(runs))].recipe
            yield (
                f"**{title}**: {recipe.steps} steps of {recipe.clips} × {recipe.crop} frames, cosine schedule from "
                f"{recipe.lr:g}; {counted(seeds, 'seed')}."
            )
            frames = recipe.crop or 1
            yield compared(runs, {name: work_of(known[name].make(), 1, frames)[0] / 2e6 / frames for name in runs})
    yield "Mean ± standard deviation over seeds, one thread, one pass."


def compared(results: dict[str, list[dict[str, float]]], macs: dict[str, float]) -> str:
    """Differences are paired by seed, to HyperLift or to the first row."""
    base = "HyperLift" if "HyperLift" in results else next(iter(results))
    rows = []
    for name, runs in results.items():
        n, pa, jitter, bone = (
            [scale * run[key] for run in runs]
            for key, scale in (("n_mpjpe_mm", 1), ("pa_mpjpe_mm", 1), ("jitter_mm", 1), ("bone", 100))
        )
        above = [a - b["pa_mpjpe_mm"] for a, b in zip(pa, results[base], strict=True)]
        errors = (
            spread(n),
            spread(pa),
            None if name == base else spread(above, "{:+.1f}"),
            spread(jitter),
            f"{spread(bone)} %",
        )
        cpu_s = float(np.median([run["cpu_s"] for run in runs]))
        rows.append((name, *errors, runs[0]["parameters"] / 1e6, macs[name], cpu_s))
    titles = ("N-MPJPE mm", "PA-MPJPE mm", f"PA above {base}", "jitter mm/frame²", "bones")
    return table(["", *titles, "M parameters {:.2f}", "MMACs a frame {:.2f}", "CPU s {:.0f}"], rows)


if __name__ == "__main__":
    run(lifter_comparison, steps=2, seeds=1, every=50, out=Path("out/quick"))
