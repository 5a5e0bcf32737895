"""Our network against others, against itself with parts left out, and what it sees and answers.

python benchmarks/lifter_comparison.py BENCH.npz STORE [STORE …] --start TRAINED.safetensors --out out/comparison

All train on the same clips, batches and steps. Finished runs are kept in --out and skipped, so that a stopped benchmark
goes on where it was.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from network_cost import work_of
from other_networks import PerFrameMlp, PlainTransformer, TemporalConvolutions
from runner import Out, run, spread, table
from scoring import Bench, Every, open_bench
from short_runs import POSES, Recipe, fit_and_score, kept, open_stores
from torch import nn

from hyperlift.geometry.contract import LabelSpace
from hyperlift.models import HyperLifter, ModelConfig
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.models.layers.frame_lifter import FrameLifterConfig
from hyperlift.models.lifting.hypergraph import HypergraphConfig

LABELS = HypergraphConfig(joint_label=(0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 4, 4, 4, 5, 5, 5))
NEIGHBOURS = (-12, -8, -5, -3, -1, 0, 1, 3, 5, 8, 12)
OURS = ModelConfig(
    channels=96, depth=3, heads=4, drop_path=0.0, n_frames=27, frame_patch=9,
    frame_lifter=FrameLifterConfig(channels=512, depth=3, neighbours=NEIGHBOURS), input_frame="person",
    foreshortening=(0.25, 0.4, 0.6, 0.9), label_space="camera", hypergraph=LABELS,
)  # fmt: skip
MOVING = replace(POSES, velocity=2.0)
TASKS = {
    "From random weights": Recipe(steps=300, clips=9, crop=27, loss=MOVING),
    "A trained network without one part, trained on": Recipe(steps=150, clips=8, crop=81, lr=3e-4, loss=MOVING),
    "Input and answer, by the per-frame part alone": Recipe(steps=400, clips=256, crop=1),
}
SCRATCH, ON, SINGLE = TASKS


@dataclass(frozen=True)
class Contender:
    """A network, how it starts, what it does and the space that it answers in."""

    task: str
    make: Callable[[], nn.Module]
    space: LabelSpace = "camera"
    shape: float = 0.0
    """Weight of the error after the best similarity of every frame."""


def ours(task: str, shape: float = 0.0, **changes: Any) -> Contender:
    config = replace(OURS, **changes)
    return Contender(task, lambda: HyperLifter(config), config.label_space, shape)


def contenders(start: Path | None) -> dict[str, Contender]:
    """All, by name; those of ``ON`` only where there is a network to go on from."""
    found = {
        "per-frame MLP": Contender(SCRATCH, lambda: PerFrameMlp(512, 3)),
        "temporal convolutions": Contender(SCRATCH, lambda: TemporalConvolutions(256)),
        "plain transformer": Contender(SCRATCH, lambda: PlainTransformer(96, 3, 4, 27)),
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
            "every joint its own hyperedge": without(joint_label=tuple(range(17))),
        }
    told: dict[str, Any] = {"depth": 0, "frame_lifter": FrameLifterConfig(channels=512, depth=3)}
    alone: dict[str, Any] = told | {"foreshortening": ()}
    picture: dict[str, Any] = {"input_frame": "picture"}
    return found | {
        "from the person, in camera axes": ours(SINGLE, **alone),
        "… told how foreshortened bones are": ours(SINGLE, **told),
        "… and shape alone in the loss too": ours(SINGLE, **told, shape=1.0),
        "from the picture's centre, in camera axes": ours(SINGLE, **alone, **picture),
        "from the person, in picture space": ours(SINGLE, **alone, label_space="image"),
        "from the picture's centre, in picture space (Human3.6M)": ours(
            SINGLE, **alone, **picture, label_space="image"
        ),
    }


def bent(trained: HyperLifter, config: ModelConfig) -> HyperLifter:
    """A trained network with another hypergraph: it keeps every weight that still has a place."""
    model = HyperLifter(config)
    wanted = model.state_dict()
    for name, tensor in trained.state_dict().items():
        # Incidence is no weight: the model's own. Queries stand before values.
        if name in wanted and "membership" not in name:
            wanted[name] = tensor if tensor.shape == wanted[name].shape else tensor[-len(wanted[name]) :]
    model.load_state_dict(wanted)
    return model


def lifter_comparison(
    bench: Bench,
    stores: tuple[Path, ...],
    *,
    start: Annotated[Path | None, "trained network for the second table, which is left out without"] = None,
    seeds: int = 3,
    steps: Annotated[int | None, "of every run, in place of its own number"] = None,
    out: Out = Path("out/comparison"),
    every: Every = 1,
) -> Iterator[str]:
    torch.set_num_threads(1)
    views, known = open_bench(bench, every), contenders(start)
    tasks = {title: replace(recipe, steps=steps or recipe.steps) for title, recipe in TASKS.items()}
    results: dict[str, list[dict[str, float]]] = {name: [] for name in known}
    # Seed by seed, so that a benchmark that is stopped early has compared all.
    for seed, (name, contender) in product(range(seeds), known.items()):
        recipe = tasks[contender.task]
        recipe = replace(recipe, loss=replace(recipe.loss, similarity_aligned=contender.shape))
        clips, window = open_stores(stores, contender.space), max(recipe.crop or 0, 27)
        train = partial(fit_and_score, contender.make, clips, recipe, seed, views, window)
        results[name].append(kept(out, f"{name}, seed {seed}", (recipe, stores, start), train))
    for title, recipe in tasks.items():
        runs = {name: results[name] for name, contender in known.items() if contender.task == title}
        if runs:
            yield (
                f"**{title}**: {recipe.steps} steps of {recipe.clips} × {recipe.crop} frames, cosine schedule from "
                f"{recipe.lr:g}; {seeds} seed{'s' * (seeds > 1)}."
            )
            macs = {
                name: work_of(known[name].make(), 1, recipe.crop or 1)[0] / 2e6 / (recipe.crop or 1) for name in runs
            }
            yield compared(runs, macs)
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
