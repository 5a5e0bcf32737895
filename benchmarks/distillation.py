"""A student alone and from a teacher, for the same number of steps, on a motion-capture store.

python benchmarks/distillation.py STORE TEACHER.safetensors --out out/distillation

Finished runs are kept in --out and skipped, so that a stopped benchmark goes on where it was.
"""

from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from runner import Out, Report, run, spread, table
from short_runs import Recipe, fit, kept, open_stores

from hyperlift.datasets.clip_store import ClipStore
from hyperlift.datasets.clips import JoinedClips
from hyperlift.models.hyperlifter.lifter import HyperLifter, ModelConfig
from hyperlift.training.distillation.config import DistillationConfig, FeatureTerm, OutputTerm
from hyperlift.training.distillation.step import DistillationStep, gradient_norms
from hyperlift.training.distillation.teacher import Teacher, check_pair, identity, load_teacher
from hyperlift.training.pose_losses import LossWeights
from hyperlift.training.supervised import SupervisedStep, validation_error

LOSS = LossWeights(temporal_consistency=0.0)
ALONE = "alone"


def arms(student_depth: int, teacher_depth: int) -> dict[str, DistillationConfig | None]:
    """The student alone, the published recipe on the layers that both have, and what else may help."""
    shared = tuple(range(min(4, student_depth, teacher_depth)))
    off = FeatureTerm(enabled=False)

    def recipe(balance: float | None) -> DistillationConfig:
        mimicking = FeatureTerm(student_layers=shared, teacher_layers=shared, balance=balance)
        last = FeatureTerm(student_layers=(student_depth - 1,), teacher_layers=(teacher_depth - 1,), balance=balance)
        return DistillationConfig(spatial_mimicking=mimicking, temporal_mimicking=mimicking, generation=last)

    output = OutputTerm(enabled=True)
    return {
        ALONE: None,
        "published terms, 1e-6": recipe(balance=None),
        "published terms, balanced at 0.3": recipe(balance=0.3),
        "output, weight 1": DistillationConfig(
            spatial_mimicking=off, temporal_mimicking=off, generation=off, output=output
        ),
    }


def relative_norms(step: DistillationStep, student: HyperLifter, batch: tuple) -> dict[str, float]:
    """Norm of the gradient of every part, with its weight, over that of the pose losses."""
    main, _, parts = step.losses(student, *map(torch.from_numpy, batch))
    norms = gradient_norms(student, {"pose": main, **parts})
    weights = step.part_weights.tolist()
    return {name: w * norms[name] / norms["pose"] for name, w in zip(parts, weights, strict=True)}


def train(
    config: DistillationConfig | None, student: ModelConfig, teacher: Teacher, store: Path, recipe: Recipe, seed: int
) -> dict[str, Any]:
    """One student: its errors, and the norms of its parts on the first batch, before and after."""
    if config is not None:
        check_pair(config, student, ClipStore(store / "train").meta.fps, teacher)
    torch.manual_seed(seed)
    model, clips = HyperLifter(student), open_stores([store], "camera")
    step = DistillationStep(config, student, teacher.model, LOSS) if config else SupervisedStep(LOSS, model.skeleton)
    batch = next(recipe.sampler(clips, seed).epoch(0))

    def norms() -> dict[str, float]:
        return relative_norms(step, model, batch) if isinstance(step, DistillationStep) else {}

    before, (fitted, cpu_s), after = norms(), fit(model, clips, recipe, seed, step), norms()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    errors = validation_error(fitted, held_out(store))
    return {"parameters": parameters, "cpu_s": cpu_s, "norms": [before, after], **errors}


def held_out(store: Path) -> JoinedClips:
    return open_stores([store], "camera", "val" if (store / "val").exists() else "test")


def distillation(
    store: Path,
    teacher: Path,
    *,
    out: Out = Path("out/distillation"),
    steps: int = 400,
    batch: int = 8,
    lr: float = 2e-3,
    channels: int = 32,
    depth: int = 2,
    seeds: int = 3,
) -> Report:
    torch.set_num_threads(1)
    source = load_teacher(teacher)
    student = replace(source.model.config, channels=channels, depth=depth, heads=4, drop_path=0.0)
    recipe = Recipe(steps=steps, clips=batch, lr=lr, warmup=20, epochs=min(5, steps), loss=LOSS)
    plans = arms(depth, source.model.config.depth)
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in plans}
    for seed, (name, config) in product(range(seeds), plans.items()):
        what = student, recipe, config and identity(config, source)
        work = partial(train, config, student, source, store, recipe, seed)
        results[name].append(kept(out, f"{name}, seed {seed}", what, work))
    rows = []
    for name, runs in results.items():
        position, scaled, motion = ([1e3 * one[key] for one in runs] for key in ("mpjpe", "n_mpjpe", "mpjve"))
        gain = spread([1e3 * (a["mpjpe"] - b["mpjpe"]) for a, b in zip(results[ALONE], runs, strict=True)])
        cpu_s = float(np.mean([one["cpu_s"] for one in runs]))
        rows.append((name, spread(position), None if name == ALONE else gain, spread(scaled), spread(motion), cpu_s))
    columns = ("MPJPE mm", "gain over alone mm", "N-MPJPE mm", "motion error mm/frame")
    yield table(["student", *columns, "CPU s a run {:.0f}"], rows)
    yield "Gradient of each part on the student, as a share of the pose losses', first seed, before → after:"
    norms = []
    for name, config in plans.items():
        before, after = results[name][0]["norms"]
        for part in before:
            # A balanced part has its weight only once the first batch has been measured.
            start = getattr(getattr(config, part), "balance", None) or before[part]
            norms.append((name, part.replace("_", " "), start, after[part]))
    yield table(["student", "part", "before {:.3f}", "after {:.3f}"], norms)
    teacher_mm = 1e3 * validation_error(source.model, held_out(store))["mpjpe"]
    yield (
        f"Mean ± standard deviation over {seeds} seeds; gains are paired by seed. Student: {channels} channels, depth "
        f"{depth}, {results[ALONE][0]['parameters'] / 1e6:.2f} M parameters; {steps} steps of {batch} clips of "
        f"{student.n_frames} frames. The teacher reaches {teacher_mm:.1f} mm on the same clips. One thread."
    )


if __name__ == "__main__":
    run(distillation, steps=2, seeds=1, batch=2, out=Path("out/quick"))
