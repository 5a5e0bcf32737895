"""A student alone and from a teacher, for the same number of steps, on a motion-capture store.

python benchmarks/distillation.py STORE TEACHER.safetensors --out out/distillation

Finished runs are kept in --out and skipped, so that a stopped benchmark goes on where it was.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from report import machine, write_section

from hyperlift.config import to_mapping
from hyperlift.data.clips import BatchSampler, LabelConvention, StoreClips, open_clips
from hyperlift.distillation import DistillationConfig, DistillationStep
from hyperlift.distillation.config import FeatureTerm, OutputTerm
from hyperlift.distillation.step import gradient_norms
from hyperlift.distillation.teacher import Teacher, check_pair, identity, load_teacher
from hyperlift.geometry.contract import LifterSpec
from hyperlift.losses import LossWeights
from hyperlift.models import HyperLifter, ModelConfig
from hyperlift.training.config import TrainConfig
from hyperlift.training.supervised import SupervisedStep
from hyperlift.training.trainer import LossStep, RunFolder, Trainer
from hyperlift.training.validation import validation_error

LOSS = LossWeights(temporal_consistency=0.0)
EPOCHS = 5
ALONE = "alone"


def arms(student_depth: int, teacher_depth: int) -> dict[str, DistillationConfig]:
    """The published recipe on the layers that both have, and what else may help."""
    shared = tuple(range(min(4, student_depth, teacher_depth)))
    off = FeatureTerm(enabled=False)

    def recipe(balance: float | None) -> DistillationConfig:
        mimicking = FeatureTerm(student_layers=shared, teacher_layers=shared, balance=balance)
        last = FeatureTerm(student_layers=(student_depth - 1,), teacher_layers=(teacher_depth - 1,), balance=balance)
        return DistillationConfig(spatial_mimicking=mimicking, temporal_mimicking=mimicking, generation=last)

    return {
        "published terms, 1e-6": recipe(balance=None),
        "published terms, balanced at 0.3": recipe(balance=0.3),
        "output, weight 1": DistillationConfig(
            spatial_mimicking=off, temporal_mimicking=off, generation=off, output=OutputTerm(enabled=True)
        ),
    }


def student_config(teacher: ModelConfig, channels: int, depth: int) -> ModelConfig:
    plain = {key: getattr(teacher, key) for key in vars(teacher)}
    return ModelConfig(**{**plain, "channels": channels, "depth": depth, "heads": 4, "drop_path": 0.0})


def make_step(config: DistillationConfig | None, student: HyperLifter, teacher: Teacher) -> LossStep:
    if config is None:
        return SupervisedStep(LOSS, student.skeleton)
    return DistillationStep(config, student.config, teacher.model, LOSS)


def run(args: argparse.Namespace, name: str, config: DistillationConfig | None, seed: int, teacher: Teacher) -> dict:
    """Train one student, or read what an earlier call measured."""
    folder = RunFolder(args.out / f"{name.replace(' ', '_').replace(',', '')}-{seed}")
    result = folder.path / "result.json"
    convention = LabelConvention("camera", True)
    clips, held_out = (open_clips(args.store / split, convention) for split in ("train", "val"))
    assert isinstance(clips, StoreClips)
    if config is not None:
        check_pair(
            config, student_config(teacher.model.config, args.channels, args.depth), clips.store.meta.fps, teacher
        )
    training = TrainConfig(
        epochs=EPOCHS,
        batch_size=args.batch,
        clips_per_epoch=args.steps * args.batch // EPOCHS,
        lr=args.lr,
        schedule="cosine",
        warmup_steps=20,
        clip_gradient=1.0,
    )
    torch.manual_seed(seed)
    student = HyperLifter(student_config(teacher.model.config, args.channels, args.depth))
    step = make_step(config, student, teacher)
    settings = {
        "model": to_mapping(student.config),
        "training": to_mapping(training),
        "distillation": identity(config, teacher) if config else None,
    }
    if result.exists() and json.loads(result.read_text())["settings"] == json.loads(json.dumps(settings)):
        return json.loads(result.read_text())
    trainer = Trainer(
        model=student,
        sampler=BatchSampler(clips, args.batch, seed, flip=True, clips_per_epoch=training.clips_per_epoch),
        step=step,
        config=training,
        seed=seed,
        folder=folder,
        spec=LifterSpec(name=name, label_space="camera", n_frames=student.config.n_frames),
        run=settings,
        progress=False,
    )
    before = relative_norms(step, student, trainer.sampler)
    if folder.resume.exists():
        trainer.resume(folder.resume)
    folder.path.mkdir(parents=True, exist_ok=True)
    started = time.process_time()
    trainer.fit()
    measured = {
        "settings": settings,
        "parameters": sum(parameter.numel() for parameter in student.parameters()),
        "cpu_s": time.process_time() - started,
        "norms": [before, relative_norms(step, student, trainer.sampler)],
        **validation_error(student, held_out),
    }
    result.write_text(json.dumps(measured))
    print(f"{name}, seed {seed}: {1000 * measured['mpjpe']:.1f} mm, {measured['cpu_s']:.0f} s", flush=True)
    return measured


def relative_norms(step: LossStep, student: HyperLifter, sampler: BatchSampler) -> dict[str, float]:
    """Norm of the gradient of every part, with its weight, over that of the pose losses; first batch of epoch 0."""
    if not isinstance(step, DistillationStep):
        return {}
    inputs, labels = next(sampler.epoch(0))
    main, _, parts = step.losses(student, torch.from_numpy(inputs), torch.from_numpy(labels))
    norms = gradient_norms(student, {"pose": main, **parts})
    weights = step.part_weights.tolist()
    return {name: w * norms[name] / norms["pose"] for name, w in zip(parts, weights, strict=True)}


def spread(values: list[float]) -> str:
    return f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


def table(results: dict[str, list[dict]], args: argparse.Namespace, teacher_mm: float) -> str:
    alone = [1000 * r["mpjpe"] for r in results[ALONE]]
    lines = [
        "| student | MPJPE mm | gain over alone mm | N-MPJPE mm | motion error mm/frame | CPU s a run |",
        "|---|---|---|---|---|---|",
    ]
    for name, runs in results.items():
        position, scaled, motion = ([1000 * r[key] for r in runs] for key in ("mpjpe", "n_mpjpe", "mpjve"))
        gain = "" if name == ALONE else spread([a - b for a, b in zip(alone, position, strict=False)])
        cpu = np.mean([r["cpu_s"] for r in runs])
        lines.append(f"| {name} | {spread(position)} | {gain} | {spread(scaled)} | {spread(motion)} | {cpu:.0f} |")
    lines += [
        "",
        "Gradient of each part on the student, as a share of the pose losses', first seed, before → after:",
        "",
    ]
    lines += ["| student | part | before | after |", "|---|---|---|---|"]
    for name, runs in results.items():
        before, after = runs[0]["norms"]
        for part in before:
            # A balanced part has its weight only once the first batch has been measured.
            balanced = runs[0]["settings"]["distillation"][part]["balance"]
            at_start = f"{balanced:.3f}" if balanced else f"{before[part]:.3f}"
            lines.append(f"| {name} | {part.replace('_', ' ')} | {at_start} | {after[part]:.3f} |")
    first = results[ALONE][0]
    frames = first["settings"]["model"]["n_frames"]
    lines += [
        "",
        f"Mean ± standard deviation over {len(alone)} seeds; gains are paired by seed. Student: {args.channels} "
        f"channels, depth {args.depth}, {first['parameters'] / 1e6:.2f} M parameters; {args.steps} steps of "
        f"{args.batch} clips of {frames} frames. The teacher reaches {teacher_mm:.1f} mm on the same clips. "
        f"Measured on {machine()}, one thread.",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out/distillation"))
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    teacher = load_teacher(args.teacher)
    plans: dict[str, DistillationConfig | None] = {ALONE: None}
    plans |= arms(args.depth, teacher.model.config.depth)
    results: dict[str, list[dict]] = {name: [] for name in plans}
    for seed in range(args.seeds):
        for name, config in plans.items():
            results[name].append(run(args, name, config, seed, teacher))
    held_out = open_clips(args.store / "val", LabelConvention("camera", True))
    text = table(results, args, 1000 * validation_error(teacher.model, held_out)["mpjpe"])
    print(text)
    write_section("distillation", text)


if __name__ == "__main__":
    main()
