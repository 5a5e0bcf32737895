"""Error against cost as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from network_cost import Cost
from pareto_networks import COLOURS, networks
from pictures import figure_of


def draw(
    path: Path, results: Mapping[str, list[dict[str, float]]], costs: dict[str, Cost], steps: Sequence[int]
) -> None:
    """Error against milliseconds and against multiplications; open marks are the smaller budgets."""
    names, colours = list(costs), {name: COLOURS[network.kind] for name, network in networks().items()}
    scales = {"ms for 243 frames, one core, ONNX Runtime": 2, "million multiplications a frame": 1}
    with figure_of(path, 2, size=(13, 6.5), sharey=True) as panels:
        for axes, (label, size) in zip(panels, scales.items(), strict=True):
            for budget in steps:
                last, points = budget == steps[-1], []
                for number, name in enumerate(names, 1):
                    errors = [run["pa_mpjpe_mm"] for run in results[f"{name}, {budget} steps"]]
                    x, y = costs[name].sizes[size], sum(errors) / len(errors)
                    points.append((x, y))
                    axes.scatter(x, y, s=46, facecolor=colours[name] if last else "none", edgecolor=colours[name])
                    if last:
                        axes.annotate(str(number), (x, y), xytext=(5, 4), textcoords="offset points", fontsize=9)
                front = [(x, y) for x, y in sorted(points) if y <= min(b for a, b in points if a <= x)]
                axes.step(*zip(*front, strict=True), where="post", color="#888888", lw=1, ls="-" if last else ":")
            axes.set(xscale="log", xlabel=label)
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
        panels[0].set_ylabel("PA-MPJPE on the benchmark, mm")
        marks = [
            Line2D([], [], ls="", marker="o", color=colours[name], label=f"{number}: {name}")
            for number, name in enumerate(names, 1)
        ]
        figure = panels[0].get_figure(root=True)
        assert figure is not None
        figure.legend(handles=marks, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
        small = ", ".join(f"{budget:,}" for budget in steps[:-1])
        more = f" (open: {small}); lines: the best so far" if small else ""
        figure.suptitle(f"Trained for {steps[-1]:,} steps{more}")
