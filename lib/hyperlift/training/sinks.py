"""Where the numbers of a run go: always a JSON-lines file, on request TensorBoard or Weights & Biases."""

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
    """Receives one record an epoch."""

    def write(self, record: Mapping[str, Any]) -> None:
        """Take the record of an epoch; it has an ``epoch`` and numbers, some of them one level down."""
        ...

    def close(self) -> None:
        """Finish; the run is over."""
        ...


class JsonLines:
    """One JSON object an epoch, a line each in a file that is whole at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, record: Mapping[str, Any]) -> None:
        """Add a line; an epoch that is trained again after a kill takes the place of what was written of it."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        before = [line for line in lines if _epoch(line) < record["epoch"]]
        with atomic_file(self.path) as partial:
            partial.write_text("".join(f"{line}\n" for line in [*before, json.dumps(record)]), encoding="utf-8")

    def close(self) -> None:
        """Nothing is open."""


class TensorBoard:
    """Event files beside the checkpoints; wants the package ``tensorboard``."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(folder / "tensorboard")

    def write(self, record: Mapping[str, Any]) -> None:
        """Write every number as a scalar."""
        for name, value in numbers(record).items():
            self._writer.add_scalar(name, value, record["epoch"])
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases; wants the package ``wandb`` and obeys its WANDB_MODE."""

    def __init__(self, folder: Path, name: str) -> None:
        import wandb  # pyright: ignore[reportMissingImports]

        self._run = wandb.init(project="hyperlift", name=name, dir=str(folder))

    def write(self, record: Mapping[str, Any]) -> None:
        """Log every number."""
        self._run.log(numbers(record), step=record["epoch"])

    def close(self) -> None:
        """Hand over what has not been sent yet."""
        self._run.finish()


def _epoch(line: str) -> float:
    """The epoch of a line; of one that an older version wrote in part, or of an unknown kind, infinite."""
    try:
        return float(json.loads(line)["epoch"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return float("inf")


def check_sink(name: SinkName) -> None:
    """Find out before the work whether a sink's package, which has its name, is installed.

    Raises:
        InputError: it is not.
    """
    if importlib.util.find_spec(name) is None:
        raise missing_package(name, f"`log` {name} needs")


def make_sink(name: SinkName, folder: Path, run: str) -> Sink:
    """The sink of a name, in the folder of a run of a name."""
    return TensorBoard(folder) if name == "tensorboard" else WeightsAndBiases(folder, run)


def numbers(record: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of a record under names joined by slashes."""
    flat: dict[str, float] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            flat |= numbers(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and key != "epoch":
            flat[f"{prefix}{key}"] = float(value)
    return flat
