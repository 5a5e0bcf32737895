"""Curves from the logs of training runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hyperlift.errors import InputError, printable
from hyperlift.evaluation.run_files import read_training_log
from hyperlift.files.atomic import atomic_file

_NO_LOSSES = {"epoch", "lr", "clips_per_s", "seconds", "validation"}


@dataclass(frozen=True)
class _Run:
    """A log, and the positions of its epochs on the time axis."""

    name: str
    records: list[dict[str, Any]]
    at: list[float]

    def losses(self) -> list[str]:
        return [key for key in self.records[-1] if key not in _NO_LOSSES]

    def measures(self) -> list[str]:
        return [*next((record["validation"] for record in reversed(self.records) if "validation" in record), {})]


def draw_training_curves(logs: Path | Sequence[Path], picture: Path) -> Path:
    """Draw loss, validation errors and learning rate of one run, or of consecutive runs.

    The time axis of one run is in epochs. That of several runs, whose epochs differ in length, is in hours of training,
    with a line and the name of the folder at the start of each run.

    Args:
        logs: JSON lines of one run or several; a later line of the same epoch (a resumed run) replaces an earlier one.
        picture: PNG to write.

    Returns:
        ``picture``.

    Raises:
        InputError: a log is missing, damaged or empty.
    """
    runs = _one_after_the_other([logs] if isinstance(logs, Path) else logs)
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    loss, validation, rate = figure.subplots(1, 3)
    for name in dict.fromkeys(name for run in runs for name in run.losses()):
        _draw(loss, runs, name, [[record.get(name) for record in run.records] for run in runs])
    for name in dict.fromkeys(name for run in runs for name in run.measures()):
        values = [[record.get("validation", {}).get(name) for record in run.records] for run in runs]
        _draw(validation, runs, name, values)
    _draw(rate, runs, "learning rate", [[record["lr"] for record in run.records] for run in runs])
    titles = ("training", "validation (unit of the labels)", "schedule")
    for axes, title in zip((loss, validation, rate), titles, strict=True):
        axes.set(title=title, xlabel="epoch" if len(runs) == 1 else "hours of training", ylim=(0, None))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(frameon=False, fontsize=8, loc="upper right")
        if len(runs) > 1:
            _name_stages(axes, runs)
    with atomic_file(picture) as partial:
        figure.savefig(partial, dpi=120)
    return picture


def _one_after_the_other(logs: Sequence[Path]) -> list[_Run]:
    runs, hours = [], 0.0
    for log in logs:
        by_epoch = {record["epoch"]: record for record in read_training_log(log, needs=("lr", "seconds"))}
        if not by_epoch:
            raise InputError(f"{log}: has no epoch yet")
        records = [by_epoch[epoch] for epoch in sorted(by_epoch)]
        at = [float(record["epoch"]) for record in records]
        if len(logs) > 1:
            at = list(accumulate((record["seconds"] / 3600 for record in records), initial=hours))[1:]
            hours = at[-1]
        runs.append(_Run(printable(log.parent.name), records, at))
    return runs


def _draw(axes: Axes, runs: Sequence[_Run], label: str, values: Sequence[Sequence[float | None]]) -> None:
    """Draw one curve in one colour, with gaps between runs."""
    colour, labelled = f"C{len(axes.get_legend_handles_labels()[1])}", False
    for run, of_run in zip(runs, values, strict=True):
        points = [(at, value) for at, value in zip(run.at, of_run, strict=True) if value is not None]
        if points:
            marker = "." if len(points) < 5 else None
            axes.plot(*zip(*points, strict=True), color=colour, marker=marker, label=None if labelled else label)
            labelled = True


def _name_stages(axes: Axes, runs: Sequence[_Run]) -> None:
    starts = [0.0, *(run.at[-1] for run in runs[:-1])]
    for run, start in zip(runs, starts, strict=True):
        axes.axvline(start, color="0.6", linewidth=0.8, linestyle=":")
        axes.annotate(
            run.name,
            (start, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(2, -2),
            textcoords="offset points",
            rotation=90,
            va="top",
            fontsize=7,
            color="0.4",
        )
