"""From motion capture to a lifter for any video: clips, training, ONNX, scores, curves and model card, in one command.

Each stage is one of the other commands with its arguments filled in; a stage whose results stand is skipped.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hyperlift.cli import convert_mocap, evaluate, export, model_card, train
from hyperlift.cli.app import guarded
from hyperlift.config import from_mapping, load_config, to_mapping
from hyperlift.data.mocap_store import MocapStoreConfig
from hyperlift.data.store import ClipStore
from hyperlift.errors import InputError
from hyperlift.training.config import RunConfig
from hyperlift.training.trainer import RunFolder
from hyperlift.visualization.training_curves import draw_training_curves

_SOURCES = ("arrays", "asfamc", "bvh", "procedural")
_PASSED_ON = ("trials_csv", "val_subjects", "test_subjects", "bvh_unit", "bvh_up", "amc_fps", "views")
"""Arguments of the conversion that are handed through when they are given."""

# A clip starts every third of its length, and a view has room for three clips (configs/data/mocap_wild.yaml).
_STRIDES_A_CLIP = 3
_STRIDES_A_VIEW = 5


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = argparse.ArgumentParser(
        description="Make clips from motion capture, train a lifter on them, export, measure, draw and describe it.",
        epilog="A stage whose results stand is skipped: start the same command again to go on.",
    )
    arguments.add_argument("config", type=Path, help="YAML of the run, such as configs/wild/small.yaml")
    source = arguments.add_mutually_exclusive_group()
    source.add_argument("--arrays", type=Path, metavar="DIR", help="motion capture as convert_mocap.py takes it; ...")
    source.add_argument("--asfamc", type=Path, metavar="DIR", help="... the CMU database; ...")
    source.add_argument("--bvh", type=Path, metavar="DIR", help="... BVH files; ...")
    source.add_argument("--procedural", metavar="N", help="... or N invented motions. Not needed where the clips stand")
    arguments.add_argument("--out", type=Path, help="run folder (checkpoint/pose3d/NAME)")
    arguments.add_argument("--store", type=Path, metavar="DIR", help="clip store (data.root of the config)")
    arguments.add_argument(
        "--data_config",
        type=Path,
        default=Path("configs/data/mocap_wild.yaml"),
        help="recipe of the clips (%(default)s)",
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
    arguments.add_argument("--pretrained", type=Path, metavar="FILE", help="checkpoint to start from (finetune: true)")
    arguments.add_argument("--bench", type=Path, metavar="FILE.npz", help="benchmark file to measure on as well")
    arguments.add_argument("--seed", default="0", help="of the training (%(default)s)")
    arguments.add_argument("--device", help="cpu or cuda")
    arguments.add_argument("--threads", help="CPU threads of the training")
    arguments.add_argument("--no-progress", action="store_true", help="no progress bar")
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: that of the first stage that fails."""
    args = parser().parse_args(argv)
    run = load_config(args.config, RunConfig)
    args.store = args.store or run.data.root
    folder = RunFolder(args.out or Path("checkpoint/pose3d") / run.name)
    for stage in (_make_clips, _train, _export, _measure, _draw, _describe):
        code = stage(args, run, folder)
        if code:
            return code
    return 0


def onnx_file(folder: RunFolder, run: RunConfig) -> Path:
    """Where the exported lifter of a run lies."""
    return folder.path / f"{run.name}.onnx"


def best_checkpoint(folder: RunFolder) -> Path:
    """The weights that were best on the validation split, or the last where nothing was validated."""
    best = folder.checkpoint("best")
    return best if best.is_file() else folder.checkpoint("last")


def _make_clips(args: argparse.Namespace, run: RunConfig, folder: RunFolder) -> int:
    recipe = _clip_recipe(args, run.model.n_frames)
    if args.store.exists():
        _check_store(args, run, recipe)
        _skip("clips", args.store)
        return 0
    source = next((name for name in _SOURCES if getattr(args, name) is not None), None)
    if source is None:
        raise InputError(
            f"{args.store}: there are no clips; give their source: --arrays, --asfamc, --bvh or --procedural"
        )
    _say("clips", args.store)
    command = [f"--{source}", str(getattr(args, source)), "--config", str(args.data_config), "--out", str(args.store)]
    command += ["--n_frames", str(recipe.n_frames), "--stride", str(recipe.stride)]
    command += ["--view_frames", str(recipe.view_frames), "--workers", args.workers]
    for name in _PASSED_ON:
        if getattr(args, name) is not None:
            command += [f"--{name}", str(getattr(args, name))]
    code = convert_mocap.main(command)
    if not code:
        _check_store(args, run, recipe)
    return code


def _clip_recipe(args: argparse.Namespace, n_frames: int) -> MocapStoreConfig:
    """The recipe of the clips, cut to the length that the network wants."""
    recipe = load_config(args.data_config, MocapStoreConfig)
    if recipe.n_frames != n_frames:
        stride = max(n_frames // _STRIDES_A_CLIP, 1)
        view_frames = max(_STRIDES_A_VIEW * stride, n_frames) if recipe.view_frames else 0
        recipe = dataclasses.replace(recipe, n_frames=n_frames, stride=stride, view_frames=view_frames)
    if args.views:
        recipe = dataclasses.replace(recipe, views=args.views)
    return recipe


def _check_store(args: argparse.Namespace, run: RunConfig, recipe: MocapStoreConfig) -> None:
    """Refuse a store that lacks a split, or whose training clips another recipe made."""
    for split in sorted({run.data.train, *filter(None, [run.data.validation]), "test"}):
        if not (args.store / split / "meta.json").is_file():
            raise InputError(
                f"{args.store}: has no split {split!r}; make it again with --val_subjects and --test_subjects, "
                "or name another --store"
            )
        ClipStore(args.store / split)
    train_split = args.store / run.data.train
    made_by = ClipStore(train_split).meta.details.get("mocap")
    if made_by is None:
        raise InputError(f"{train_split}: was not made by convert_mocap.py; name another --store")
    # Keys that did not exist when the store was made count as having had their defaults.
    theirs = to_mapping(from_mapping(made_by, MocapStoreConfig, f"{train_split / 'meta.json'}"))
    ours = to_mapping(recipe)
    differing = sorted(key for key in ours if theirs[key] != ours[key])
    if differing:
        raise InputError(
            f"{args.store}: was made by another recipe than {args.data_config} ({', '.join(differing)} differ); "
            "name another --store, remove this one, or give the --data_config that made it"
        )


def _train(args: argparse.Namespace, run: RunConfig, folder: RunFolder) -> int:
    done = _epochs_done(folder)
    if done >= run.training.epochs and folder.checkpoint("last").is_file():
        _skip("training", folder.checkpoint("last"))
        return 0
    _say("training", folder.path)
    command = ["--config", str(args.config), "--checkpoint", str(folder.path), "--data", str(args.store)]
    command += ["--seed", args.seed]
    if folder.resume.is_file():
        command += ["-r", str(folder.resume)]
        print(f"goes on after epoch {done}")
    for name in ("device", "threads", "pretrained", "distill_cfg", "teacher"):
        if getattr(args, name) is not None:
            command += [f"--{name}", str(getattr(args, name))]
    if args.no_progress:
        command.append("--no-progress")
    subcommand = "distill" if args.distill_cfg else "train"
    if args.processes > 1:
        launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", str(args.processes)]
        started = [sys.executable, "-m", *launcher, "-m", "hyperlift.cli.main", subcommand, *command]
        return subprocess.run(started, check=False).returncode
    if args.distill_cfg:
        from hyperlift.cli import distill

        return distill.main(command)
    return train.main(command)


def _epochs_done(folder: RunFolder) -> int:
    if not folder.log.is_file():
        return 0
    return max((json.loads(line)["epoch"] for line in folder.log.read_text().splitlines()), default=0)


def _export(args: argparse.Namespace, run: RunConfig, folder: RunFolder) -> int:
    checkpoint, onnx = best_checkpoint(folder), onnx_file(folder, run)
    if _stands(onnx, checkpoint):
        _skip("ONNX", onnx)
        return 0
    _say("ONNX", onnx)
    return export.main(["--evaluate", str(checkpoint), "--deployment", str(onnx)])


def _measure(args: argparse.Namespace, run: RunConfig, folder: RunFolder) -> int:
    onnx = onnx_file(folder, run)
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


def _draw(args: argparse.Namespace, run: RunConfig, folder: RunFolder) -> int:
    curves = folder.path / "curves.png"
    if _stands(curves, folder.log):
        _skip("curves", curves)
    else:
        _say("curves", draw_training_curves(folder.log, curves))
    return 0


def _describe(args: argparse.Namespace, run: RunConfig, folder: RunFolder) -> int:
    card = folder.path / f"{run.name}.md"
    scores = sorted((folder.path / "scores").glob("*.json"))
    if _stands(card, best_checkpoint(folder), *scores):
        _skip("model card", card)
        return 0
    _say("model card", card)
    command = ["--evaluate", str(best_checkpoint(folder)), "--onnx", str(onnx_file(folder, run))]
    command += ["--data", str(args.store), "--out", str(card)]
    return model_card.main([*command, *(part for path in scores for part in ("--scores", str(path)))])


def _stands(result: Path, *sources: Path) -> bool:
    """Whether a result is there and no older than what it was made from."""
    if not result.is_file():
        return False
    made = result.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns <= made for source in sources if source.exists())


def _say(stage: str, what: Path) -> None:
    print(f"== {stage}: {what}", flush=True)


def _skip(stage: str, what: Path) -> None:
    print(f"== {stage}: {what} is there, skipped", flush=True)
