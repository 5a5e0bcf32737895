"""Write a model card: what a lifter is, what it learned from, how well it does."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hyperlift.cli.app import guarded, say
from hyperlift.cli.run_record import complete_record
from hyperlift.data.store import ClipStore
from hyperlift.documents.text import read_text
from hyperlift.errors import InputError
from hyperlift.evaluation.model_card import CardFacts, model_card
from hyperlift.evaluation.run_files import read_scores, read_training_log
from hyperlift.files import atomic_file
from hyperlift.models.checkpoint import load_checkpoint

_MOST_NOTES_BYTES = 100_000


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    arguments = argparse.ArgumentParser(
        description="Write a model card from a checkpoint, the clips it was trained on and its scores.",
        epilog="No figure is typed by hand: scores come from evaluate.py --json.",
    )
    arguments.add_argument("--evaluate", type=Path, required=True, metavar="CHECKPOINT", help=".safetensors of the run")
    arguments.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the clip store of the run")
    arguments.add_argument(
        "--before", type=Path, action="append", default=[], metavar="RUN", help="run folder it went on from; repeatable"
    )
    arguments.add_argument("--scores", type=Path, action="append", default=[], metavar="FILE.json", help="repeatable")
    arguments.add_argument("--onnx", type=Path, metavar="FILE", help="the exported file, for its size")
    arguments.add_argument("--log", type=Path, metavar="FILE", help="log.jsonl of the run (beside the checkpoint)")
    arguments.add_argument("--notes", type=Path, metavar="FILE", help="further known failures, a line each")
    arguments.add_argument("--name", help="name of the lifter on the card (the checkpoint's)")
    arguments.add_argument(
        "--out", type=Path, required=True, metavar="FILE.md", help="the card; replaced if it is there"
    )
    return arguments


@guarded
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    args = parser().parse_args(argv)
    checkpoint = load_checkpoint(args.evaluate)
    spec = checkpoint.spec
    # Only whether there was a teacher is told, so its section stays as it is.
    run = complete_record(checkpoint.run, str(args.evaluate), {"distillation": lambda section, _: section})
    if args.name:
        spec = type(spec)(**{**vars(spec), "name": args.name})
    # The best weights may be older than the end of the log.
    log = _log(args.log or args.evaluate.with_name("log.jsonl"))
    folders = [folder / run["data"]["train"] for folder in (args.data, *map(Path, run["data"]["more"]))]
    stores = {folder: ClipStore(folder) for folder in folders}
    facts = CardFacts(
        spec=spec,
        run=run,
        parameters=sum(parameter.numel() for parameter in checkpoint.model.parameters()),
        onnx_mb=_size_mb(args.onnx) if args.onnx else None,
        log=[record for record in log if record["epoch"] <= checkpoint.metrics.get("epoch", record["epoch"])],
        train=[stores[folder] for folder in folders],
        scores=[read_scores(path) for path in args.scores],
        before=[(before.name, _log(before / "log.jsonl")) for before in args.before],
        notes=_notes(args.notes) if args.notes else (),
    )
    with atomic_file(args.out) as partial:
        partial.write_text(model_card(facts))
    say(args.out)
    return 0


def _notes(path: Path) -> list[str]:
    return read_text(path, _MOST_NOTES_BYTES, "give a text file, a known failure a line").splitlines()


def _size_mb(path: Path) -> float:
    try:
        return path.stat().st_size / 1e6
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _log(path: Path) -> list[dict[str, Any]]:
    return read_training_log(path, needs=("seconds",))
