"""Pictures of benchmarks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hyperlift.files.atomic import atomic_file


@contextmanager
def figure_of(path: Path, columns: int, *, size: tuple[float, float], sharey: bool = False) -> Iterator[list[Axes]]:
    """Panels side by side with a grid, for the block to draw on; the file is written after it."""
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(1, columns, sharey=sharey, squeeze=False)[0])
    for panel in panels:
        panel.grid(visible=True, alpha=0.3)
    yield panels
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as partial:
        figure.savefig(partial, dpi=110, format="png")
