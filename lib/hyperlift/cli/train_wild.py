"""From motion capture to a lifter for any video: clips, training, ONNX, scores, curves and model card, in one command.

Each step is another command with its options filled in; a step whose output is newer than its inputs is skipped. A
configuration that starts from the weights of another one (``training.after``) has that one trained first.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hyperlift.cli import distill, evaluate, export, model_card, train
from hyperlift.cli.app import say
from hyperlift.cli.arguments import to_arguments
from hyperlift.cli.run_config import changes_by_file
from hyperlift.cli.training_chain import Stage, chain_of, check_finished, needed
from hyperlift.cli.training_commands import Configuration, Distill, Evaluate, Export, ModelCard, Train, TrainWild
from hyperlift.cli.training_stores import check_store, make_store, wanted_stores
from hyperlift.rendering.pictures.training_curves import draw_training_curves


def main(options: TrainWild) -> int:
    """Run the command; returns the exit code of the first step that fails, or 0."""
    changes, _ = changes_by_file(options.changes, "recipe")
    changes, _ = changes_by_file(changes, "distillation")
    stages = chain_of(options.config, options.out, changes)
    if options.pretrained:
        stages = (replace(stages[-1], before=()),)
    store = options.store or stages[-1].run.data.root
    _make_clips(options, store, stages)
    return (
        _train(options, store, stages)
        or _export(stages[-1])
        or _measure(options.bench, store / "test", stages[-1])
        or _draw(stages)
        or _describe(store, stages)
    )


def onnx_file(stage: Stage) -> Path:
    """Path of the exported lifter of a run."""
    return stage.folder.path / f"{stage.run.name}.onnx"


def _make_clips(options: TrainWild, root: Path, stages: Sequence[Stage]) -> None:
    for store in wanted_stores(options, root, [stage.run for stage in needed(stages[-1])]):
        if store.folder.exists():
            _skip("clips", store.folder)
            continue
        _say("clips", store.folder)
        make_store(options.source, store)
        check_store(store)


def _train(options: TrainWild, store: Path, stages: Sequence[Stage]) -> int:
    for stage in needed(stages[-1]):
        final = stage is stages[-1]
        what = "training" if final else f"training of {stage.run.name}"
        if stage.finished:
            if not final:
                check_finished(stage, options.seed)
            _skip(what, stage.folder.checkpoint("last"))
            continue
        _say(what, stage.folder.path)
        code = _train_stage(options, store, stage, stages[-1])
        if code:
            return code
    return 0


def _train_stage(options: TrainWild, store: Path, stage: Stage, final: Stage) -> int:
    goes_on = stage.folder.resume.is_file()
    if goes_on:
        print(f"goes on after epoch {stage.epochs_done}")
    wanted: Train | Distill = Train(
        network=Configuration(config=stage.config, changes=stage.changes),
        checkpoint=stage.folder.path,
        resume=stage.folder.resume if goes_on else None,
        pretrained=options.pretrained or tuple(before.weights for before in stage.before if before.finished),
        data=store if stage.run.data.root == final.run.data.root else None,
        seed=options.seed,
        device=options.device,
        threads=options.threads,
        progress=options.progress,
    )
    if stage is final and options.distill_cfg is not None:
        _, of_distillation = changes_by_file(options.changes, "distillation")
        changes = (*stage.changes, *(f"distillation.{change}" for change in of_distillation))
        network = replace(wanted.network, changes=changes)
        wanted = Distill(
            train=replace(wanted, network=network), distill_cfg=options.distill_cfg, teacher=options.teacher
        )
    if options.processes > 1:
        launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", str(options.processes)]
        command = "distill" if isinstance(wanted, Distill) else "train"
        started = [sys.executable, "-m", *launcher, "-m", "hyperlift", command, *to_arguments(wanted)]
        return subprocess.run(started, check=False).returncode
    return distill.main(wanted) if isinstance(wanted, Distill) else train.main(wanted)


def _export(stage: Stage) -> int:
    onnx = onnx_file(stage)
    if _stands(onnx, stage.weights):
        _skip("ONNX", onnx)
        return 0
    _say("ONNX", onnx)
    return export.main(Export(weights=stage.weights, out=onnx))


def _measure(bench: Path | None, held_out: Path, stage: Stage) -> int:
    onnx, folder = onnx_file(stage), stage.folder.path / "scores"
    asked = {"test": (held_out / "meta.json", {"data": held_out, "flip": False})}
    if bench:
        asked["bench"] = (bench, {"bench": bench})
    for name, (data, where) in asked.items():
        scores = folder / f"{name}.json"
        if _stands(scores, onnx, data):
            _skip(f"scores, {name}", scores)
            continue
        _say(f"scores, {name}", scores)
        code = evaluate.main(Evaluate(onnx=onnx, json=scores, **where))
        if code:
            return code
    return 0


def _draw(stages: Sequence[Stage]) -> int:
    folder = stages[-1].folder
    pictures = {"curves": (folder.curves, [folder.log])}
    # Earlier stages can be deleted once a later one has started from their weights.
    logs = [stage.folder.log for stage in stages if stage.folder.log.is_file()]
    if len(logs) > 1:
        pictures["curves of all stages"] = (folder.path / "stages.png", logs)
    for what, (picture, of) in pictures.items():
        if _stands(picture, *of):
            _skip(what, picture)
        else:
            _say(what, draw_training_curves(of, picture))
    return 0


def _describe(store: Path, stages: Sequence[Stage]) -> int:
    last = stages[-1]
    card, checkpoint = last.folder.path / f"{last.run.name}.md", last.weights
    scores = sorted((last.folder.path / "scores").glob("*.json"))
    if _stands(card, checkpoint, *scores):
        _skip("model card", card)
        return 0
    _say("model card", card)
    before = tuple(stage.folder.path for stage in stages[:-1] if stage.folder.log.is_file())
    return model_card.main(
        ModelCard(weights=checkpoint, onnx=onnx_file(last), data=store, out=card, scores=tuple(scores), before=before)
    )


def _stands(result: Path, *sources: Path) -> bool:
    """Whether a result exists and is not older than its sources."""
    if not result.is_file():
        return False
    made = result.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns <= made for source in sources if source.exists())


def _say(stage: str, what: Path) -> None:
    say(f"== {stage}: {what}")


def _skip(stage: str, what: Path) -> None:
    say(f"== {stage}: {what} is there, skipped")
