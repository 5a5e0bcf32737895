"""``hyperlift model-card``: properties, training data and accuracy of a lifter."""

from pathlib import Path
from typing import Any

from hyperlift.cli.app import say
from hyperlift.cli.run_record import complete_record
from hyperlift.cli.training_commands import ModelCard
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.errors import InputError
from hyperlift.evaluation.model_card import CardFacts, model_card
from hyperlift.evaluation.run_files import read_scores, read_training_log
from hyperlift.files.atomic import atomic_file
from hyperlift.models.checkpoint import load_checkpoint
from hyperlift.safe_io.text import read_text

_MAX_NOTES_BYTES = 100_000
"""Size limit of the notes. Chosen: far above a page of text."""


def main(options: ModelCard) -> int:
    """Run the command; returns its exit code."""
    checkpoint = load_checkpoint(options.weights)
    spec = checkpoint.spec
    # The card only states whether there was a teacher, so its section needs no completion.
    run = complete_record(checkpoint.run, str(options.weights), {"distillation": lambda section, _: section})
    if options.name:
        spec = type(spec)(**{**vars(spec), "name": options.name})
    # The best weights can be older than the last epoch of the log.
    log = _log(options.log or options.weights.with_name("log.jsonl"))
    folders = [folder / run["data"]["train"] for folder in (options.data, *map(Path, run["data"]["more"]))]
    stores = {folder: ClipStore(folder) for folder in folders}
    facts = CardFacts(
        spec=spec,
        run=run,
        parameters=sum(parameter.numel() for parameter in checkpoint.model.parameters()),
        onnx_mb=_size_mb(options.onnx) if options.onnx else None,
        log=[record for record in log if record["epoch"] <= checkpoint.metrics.get("epoch", record["epoch"])],
        train=[stores[folder] for folder in folders],
        scores=[read_scores(path) for path in options.scores],
        before=[(before.name, _log(before / "log.jsonl")) for before in options.before],
        notes=_notes(options.notes) if options.notes else (),
    )
    with atomic_file(options.out) as partial:
        partial.write_text(model_card(facts))
    say(options.out)
    return 0


def _notes(path: Path) -> list[str]:
    return read_text(path, _MAX_NOTES_BYTES, "give a text file, a known failure a line").splitlines()


def _size_mb(path: Path) -> float:
    try:
        return path.stat().st_size / 1e6
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _log(path: Path) -> list[dict[str, Any]]:
    return read_training_log(path, needs=("seconds",))
