"""Where the numbers of a run go: always a JSON-lines file, on request TensorBoard or Weights & Biases."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from hyperlift.errors import InputError

SinkName = Literal["tensorboard", "wandb"]


@runtime_checkable
class Sink(Protocol):
    """Receives one record an epoch."""

    def write(self, record: Mapping[str, Any]) -> None:
        """Take the record of an epoch; it has an ``epoch`` and numbers, some of them one level down."""
        ...


class JsonLines:
    """One JSON object an epoch, appended to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, record: Mapping[str, Any]) -> None:
        """Append a line."""
        with self.path.open("a") as log:
            log.write(json.dumps(record) + "\n")


class TensorBoard:
    """Event files beside the checkpoints; wants the package ``tensorboard``."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise InputError("--log tensorboard: the package is not installed; pip install tensorboard") from error
        self._writer = SummaryWriter(folder / "tensorboard")

    def write(self, record: Mapping[str, Any]) -> None:
        """Write every number as a scalar."""
        for name, value in numbers(record).items():
            self._writer.add_scalar(name, value, record["epoch"])
        self._writer.flush()


class WeightsAndBiases:
    """A run of Weights & Biases; wants the package ``wandb`` and obeys its WANDB_MODE."""

    def __init__(self, folder: Path, name: str) -> None:
        try:
            import wandb  # pyright: ignore[reportMissingImports]
        except ModuleNotFoundError as error:
            raise InputError("--log wandb: the package is not installed; pip install wandb") from error
        self._run = wandb.init(project="hyperlift", name=name, dir=str(folder))

    def write(self, record: Mapping[str, Any]) -> None:
        """Log every number."""
        self._run.log(numbers(record), step=record["epoch"])


def make_sink(name: SinkName, folder: Path, run: str) -> Sink:
    """The sink of a name.

    Raises:
        InputError: its package is not installed.
    """
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
