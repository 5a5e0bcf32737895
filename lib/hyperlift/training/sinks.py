"""Loggers of training metrics: a JSON-lines file, and optionally TensorBoard or Weights & Biases."""

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from hyperlift.choices import SinkName
from hyperlift.errors import missing_package
from hyperlift.files.atomic import atomic_file


@runtime_checkable
class Sink(Protocol):
    """Receives one record per epoch."""

    def write(self, record: Mapping[str, Any]) -> None:
        """Log the record of an epoch: ``epoch``, numbers, and mappings of numbers."""
        ...

    def close(self) -> None:
        """Finish the log."""
        ...


class JsonLines:
    """A file with one JSON object per epoch and line; each write replaces it atomically."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, record: Mapping[str, Any]) -> None:
        """Append a line; lines of this and later epochs are replaced (an epoch is repeated after an interruption)."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        before = [line for line in lines if _epoch(line) < record["epoch"]]
        with atomic_file(self.path) as partial:
            partial.write_text("".join(f"{line}\n" for line in [*before, json.dumps(record)]), encoding="utf-8")

    def close(self) -> None:
        """Do nothing: no file is open."""


class TensorBoard:
    """TensorBoard event files beside the checkpoints; requires the package ``tensorboard``."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(folder / "tensorboard")

    def write(self, record: Mapping[str, Any]) -> None:
        """Log each number as a scalar."""
        for name, value in numbers(record).items():
            self._writer.add_scalar(name, value, record["epoch"])
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases; requires the package ``wandb``, which reads WANDB_MODE."""

    def __init__(self, folder: Path, name: str) -> None:
        import wandb  # pyright: ignore[reportMissingImports]

        self._run = wandb.init(project="hyperlift", name=name, dir=str(folder))

    def write(self, record: Mapping[str, Any]) -> None:
        """Log each number."""
        self._run.log(numbers(record), step=record["epoch"])

    def close(self) -> None:
        """Send pending records."""
        self._run.finish()


def _epoch(line: str) -> float:
    """The epoch of a line; infinity for an incomplete or invalid line, so that it is dropped."""
    try:
        return float(json.loads(line)["epoch"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return float("inf")


def check_sink(name: SinkName) -> None:
    """Check that the package of a sink, which has the name of the sink, is installed.

    Raises:
        InputError: the package is missing.
    """
    if importlib.util.find_spec(name) is None:
        raise missing_package(name, f"`log` {name} needs")


def make_sink(name: SinkName, folder: Path, run: str) -> Sink:
    """Create a sink by name.

    Args:
        name: kind of sink.
        folder: folder of the run.
        run: name of the run.
    """
    return TensorBoard(folder) if name == "tensorboard" else WeightsAndBiases(folder, run)


def numbers(record: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Flatten a record: nested names are joined by slashes."""
    flat: dict[str, float] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            flat |= numbers(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and key != "epoch":
            flat[f"{prefix}{key}"] = float(value)
    return flat
