"""From motion capture to a lifter for any video: clips, training, ONNX, scores, curves and model card, in one command.

Each stage is one of the other commands with its arguments filled in; a stage whose results stand is skipped. A
configuration that starts from the weights of another one (``training.after``) has that one trained first.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hyperlift.cli import evaluate, export, model_card, train
from hyperlift.cli.app import guarded, say
from hyperlift.cli.wild_chain import Stage, chain_of, check_finished, needed
from hyperlift.cli.wild_stores import check_store, make_store, wanted_stores
from hyperlift.visualization.training_curves import draw_training_curves


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = argparse.ArgumentParser(
        description="Make clips from motion capture, train a lifter on them, export, measure, draw and describe it.",
        epilog="A stage whose results stand is skipped: start the same command again to go on.",
    )
    arguments.add_argument("config", type=Path, help="YAML of the run, such as configs/wild/small.yaml")
    source = arguments.add_mutually_exclusive_group()
    source.add_argument(
        "--arrays", type=Path, nargs="+", metavar="DIR", help="motion capture as convert_mocap.py takes it; ..."
    )
    source.add_argument("--asfamc", type=Path, metavar="DIR", help="... the CMU database; ...")
    source.add_argument("--bvh", type=Path, metavar="DIR", help="... BVH files; ...")
    source.add_argument("--procedural", metavar="N", help="... or N invented motions. Not needed where the clips stand")
    arguments.add_argument(
        "--out", type=Path, help="run folder (checkpoint/pose3d/NAME); stages before it lie beside it, by their names"
    )
    arguments.add_argument("--store", type=Path, metavar="DIR", help="clip store, in place of data.root of the config")
    arguments.add_argument(
        "--data_config",
        type=Path,
        metavar="FILE",
        help="recipe of the clips of data.root (configs/data/STORE.yaml, else configs/data/mocap_wild.yaml)",
    )
    arguments.add_argument("--val_subjects", metavar="A,B", help="subjects to validate on while training")
    arguments.add_argument("--test_subjects", metavar="A,B", help="subjects to measure on, where the source names none")
    arguments.add_argument("--views", type=int, help="cameras that see each moment (the recipe's)")
    for name in ("trials_csv", "bvh_unit", "bvh_up", "amc_fps"):
        arguments.add_argument(f"--{name}", help="as in convert_mocap.py")
    arguments.add_argument("--workers", default="1", help="processes that make clips (%(default)s)")
    arguments.add_argument("--processes", type=int, default=1, help="processes that train, a GPU each (%(default)s)")
    arguments.add_argument("--distill_cfg", type=Path, help="YAML of a distillation, under distill_config/")
    arguments.add_argument("--teacher", type=Path, metavar="FILE", help="its teacher, in place of the one in the YAML")
    arguments.add_argument(
        "--pretrained", type=Path, action="append", metavar="FILE", help="checkpoint to start from, in place of stages"
    )
    arguments.add_argument("--bench", type=Path, metavar="FILE.npz", help="benchmark file to measure on as well")
    arguments.add_argument("--seed", type=int, default=0, help="of the training (%(default)s)")
    arguments.add_argument("--device", help="cpu or cuda")
    arguments.add_argument("--threads", help="CPU threads of the training")
    arguments.add_argument("--no-progress", action="store_true", help="no progress bar")
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: that of the first stage that fails."""
    args = parser().parse_args(argv)
    stages = chain_of(args.config, args.out)
    if args.pretrained:
        stages = (replace(stages[-1], before=()),)
    args.store = args.store or stages[-1].run.data.root
    for step in (_make_clips, _train, _export, _measure, _draw, _describe):
        code = step(args, stages)
        if code:
            return code
    return 0


def onnx_file(stage: Stage) -> Path:
    """Where the exported lifter of a run lies."""
    return stage.folder.path / f"{stage.run.name}.onnx"


def _make_clips(args: argparse.Namespace, stages: Sequence[Stage]) -> int:
    for store in wanted_stores(args, [stage.run for stage in needed(stages[-1])]):
        if store.folder.exists():
            _skip("clips", store.folder)
            continue
        _say("clips", store.folder)
        code = make_store(args, store)
        if code:
            return code
        check_store(store)
    return 0


def _train(args: argparse.Namespace, stages: Sequence[Stage]) -> int:
    for stage in needed(stages[-1]):
        final = stage is stages[-1]
        what = "training" if final else f"training of {stage.run.name}"
        if stage.finished:
            if not final:
                check_finished(stage, args.seed)
            _skip(what, stage.folder.checkpoint("last"))
            continue
        _say(what, stage.folder.path)
        start = args.pretrained or [before.weights for before in stage.before if before.finished]
        code = _train_stage(args, stage, stages[-1], start)
        if code:
            return code
    return 0


def _train_stage(args: argparse.Namespace, stage: Stage, final: Stage, start: Sequence[Path]) -> int:
    command = ["--config", str(stage.config), "--checkpoint", str(stage.folder.path), "--seed", str(args.seed)]
    if stage.run.data.root == final.run.data.root:
        command += ["--data", str(args.store)]
    if stage.folder.resume.is_file():
        command += ["-r", str(stage.folder.resume)]
        print(f"goes on after epoch {stage.epochs_done}")
    for weights in start:
        command += ["--pretrained", str(weights)]
    taught = stage is final and args.distill_cfg is not None
    for name in ("device", "threads", *(("distill_cfg", "teacher") if taught else ())):
        if getattr(args, name) is not None:
            command += [f"--{name}", str(getattr(args, name))]
    if args.no_progress:
        command.append("--no-progress")
    if args.processes > 1:
        launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", str(args.processes)]
        subcommand = "distill" if taught else "train"
        started = [sys.executable, "-m", *launcher, "-m", "hyperlift.cli.main", subcommand, *command]
        return subprocess.run(started, check=False).returncode
    if taught:
        from hyperlift.cli import distill

        return distill.main(command)
    return train.main(command)


def _export(args: argparse.Namespace, stages: Sequence[Stage]) -> int:
    checkpoint, onnx = stages[-1].weights, onnx_file(stages[-1])
    if _stands(onnx, checkpoint):
        _skip("ONNX", onnx)
        return 0
    _say("ONNX", onnx)
    return export.main(["--evaluate", str(checkpoint), "--deployment", str(onnx)])


def _measure(args: argparse.Namespace, stages: Sequence[Stage]) -> int:
    folder, onnx = stages[-1].folder, onnx_file(stages[-1])
    held_out = args.store / "test"
    asked = {"test": ["--data", str(held_out), "--no-flip"]}
    if args.bench:
        asked["bench"] = ["--bench", str(args.bench)]
    for name, more in asked.items():
        scores = folder.path / "scores" / f"{name}.json"
        data = args.bench if name == "bench" else held_out / "meta.json"
        if _stands(scores, onnx, data):
            _skip(f"scores, {name}", scores)
            continue
        _say(f"scores, {name}", scores)
        code = evaluate.main(["--onnx", str(onnx), *more, "--json", str(scores)])
        if code:
            return code
    return 0


def _draw(args: argparse.Namespace, stages: Sequence[Stage]) -> int:
    folder = stages[-1].folder
    pictures = {"curves": (folder.curves, [folder.log])}
    # A stage before the last may be gone once it has handed on its weights.
    logs = [stage.folder.log for stage in stages if stage.folder.log.is_file()]
    if len(logs) > 1:
        pictures["curves of all stages"] = (folder.path / "stages.png", logs)
    for what, (picture, of) in pictures.items():
        if _stands(picture, *of):
            _skip(what, picture)
        else:
            _say(what, draw_training_curves(of, picture))
    return 0


def _describe(args: argparse.Namespace, stages: Sequence[Stage]) -> int:
    last = stages[-1]
    card, checkpoint = last.folder.path / f"{last.run.name}.md", last.weights
    scores = sorted((last.folder.path / "scores").glob("*.json"))
    if _stands(card, checkpoint, *scores):
        _skip("model card", card)
        return 0
    _say("model card", card)
    command = ["--evaluate", str(checkpoint), "--onnx", str(onnx_file(last)), "--data", str(args.store)]
    command += ["--out", str(card)]
    for path in scores:
        command += ["--scores", str(path)]
    for stage in stages[:-1]:
        if stage.folder.log.is_file():
            command += ["--before", str(stage.folder.path)]
    return model_card.main(command)


def _stands(result: Path, *sources: Path) -> bool:
    """Whether a result is there and no older than what it was made from."""
    if not result.is_file():
        return False
    made = result.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns <= made for source in sources if source.exists())


def _say(stage: str, what: Path) -> None:
    say(f"== {stage}: {what}")


def _skip(stage: str, what: Path) -> None:
    say(f"== {stage}: {what} is there, skipped")
