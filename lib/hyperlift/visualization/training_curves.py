"""The log of a training run as curves."""

import json
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hyperlift.files import atomic_file


def draw_training_curves(log: Path, picture: Path) -> Path:
    """Draw loss, validation errors and learning rate against epochs.

    Args:
        log: the run's JSON lines; a line of a resumed run replaces an earlier one of the same epoch.
        picture: PNG to write.

    Returns:
        ``picture``.
    """
    records = {record["epoch"]: record for record in map(json.loads, log.read_text().splitlines())}
    epochs = sorted(records)
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    loss, validation, rate = figure.subplots(1, 3)
    skipped = {"epoch", "lr", "clips_per_s", "seconds", "validation"}
    for name in (key for key in records[epochs[-1]] if key not in skipped):
        loss.plot(epochs, [records[epoch].get(name, float("nan")) for epoch in epochs], label=name)
    measured = [epoch for epoch in epochs if "validation" in records[epoch]]
    for name in records[measured[-1]]["validation"] if measured else ():
        values = [records[epoch]["validation"][name] for epoch in measured]
        validation.plot(measured, values, label=name, marker="." if len(measured) < 5 else None)
    rate.plot(epochs, [records[epoch]["lr"] for epoch in epochs], label="learning rate")
    for axes, title in ((loss, "training"), (validation, "validation (unit of the labels)"), (rate, "schedule")):
        axes.set(title=title, xlabel="epoch", ylim=(0, None))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(frameon=False, fontsize=8)
    with atomic_file(picture) as partial:
        figure.savefig(partial, dpi=120)
    return picture
