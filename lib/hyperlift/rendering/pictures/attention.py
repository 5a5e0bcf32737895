"""Figures of attention: heat maps with joint names, hyperedges as coloured blocks, strongest links on the skeleton.

:mod:`hyperlift.rendering.pictures.attention_page` writes them to a page.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle, Wedge
from matplotlib.patheffects import withStroke

from hyperlift.models.attention_maps import AttentionMaps, by_hyperedge, strongest_links, to_hyperedges
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton

_STRIP = 0.6
"""Width of the coloured strips beside a heat map, in cells."""
_FRAMES_SHOWN = 8
"""Frames of a clip that are drawn: as many as fit side by side on a page."""
LINKS = 12
"""Links drawn on a skeleton. Chosen: more would hide each other."""
_HEAT = "magma_r"
_INK, _PAPER, _BONE = "#2b303a", "#ffffff", "#c9ccd1"
_EDGE_COLOURS = (
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"),
    *("#66c2a5", "#fc8d62", "#8da0cb", "#e78ac3", "#a6d854", "#ffd92f"),
)
_LEFT, _BOTTOM, _TOP, _GAP = 0.85, 0.45, 0.35, 0.36
"""Margins of a grid of panels and the space between them, inches."""
_STANDING = {
    **{"Pelvis": (0, 0.95), "Spine": (0, 1.19), "Thorax": (0, 1.43), "Neck": (0, 1.47), "Nose": (0, 1.58)},
    **{"Head": (0, 1.74), "HeadTop": (0, 1.88), "Eye": (0.07, 1.68), "Ear": (0.15, 1.61), "Hip": (0.13, 0.93)},
    **{"Knee": (0.17, 0.50), "Ankle": (0.20, 0.08), "Shoulder": (0.20, 1.42), "Elbow": (0.37, 1.16)},
    **{"Wrist": (0.50, 0.92)},
}
"""Joints of a standing figure that faces the viewer, metres; x is that of the left side, mirrored for the right."""


def edge_colour(edge: int) -> str:
    """The colour of a hyperedge in all pictures."""
    return _EDGE_COLOURS[edge % len(_EDGE_COLOURS)]


def hyperedge_names(incidence: Float[np.ndarray, "joints edges"], skeleton: Skeleton) -> list[str]:
    """One line per hyperedge with its joints in descending order of membership; partial membership in per cent."""
    lines = []
    for edge, column in enumerate(incidence.T):
        members = [j for j in np.argsort(-column, kind="stable") if column[j] >= min(0.2, column.max())]
        said = [f"{skeleton.joints[j]}{'' if column[j] > 0.995 else f' {column[j]:.0%}'}" for j in members]
        lines.append(f"{edge}: {', '.join(said)}")
    return lines


def overview_figure(maps: AttentionMaps, title: str) -> Figure:
    """Overview: links on the skeleton, and the three kinds of attention averaged over all selected layers and heads."""
    figure = Figure(figsize=(15, 13), facecolor=_PAPER, layout="constrained")
    figure.suptitle(title, fontsize=15, color=_INK, x=0.01, ha="left")
    axes = figure.subplot_mosaic([["links", "spatial"], ["edges", "temporal"]], width_ratios=[1, 1.05])
    spatial = maps.spatial.mean((0, 1, 2))
    graph = int(maps.hypergraph_of[0, 0])
    incidence = maps.incidence[graph].mean(0)
    draw_links(axes["links"], spatial, incidence, maps.skeleton)
    axes["links"].set_title(f"The {LINKS} strongest links from joint to joint (spatial attention)", fontsize=11)
    draw_joint_heat(axes["spatial"], spatial, maps.skeleton, bar=True)
    axes["spatial"].set_title("Spatial attention: rows are queries, columns keys", fontsize=11)
    _, through = maps.of_hypergraph(graph)
    draw_hyperedge_heat(axes["edges"], through.mean((0, 1, 2)), incidence, maps.skeleton, bar=True)
    which = f" of hypergraph {graph} (of {len(maps.incidence)})" if len(maps.incidence) > 1 else ""
    axes["edges"].set_title(f"Hyperedge attention{which}: a box holds a hyperedge", fontsize=11)
    names = hyperedge_names(incidence, maps.skeleton)
    patches = [Patch(color=edge_colour(edge), label=name) for edge, name in enumerate(names)]
    figure.legend(handles=patches, loc="outside lower left", fontsize=9, frameon=False, ncols=2, title="Hyperedges")
    draw_time_heat(axes["temporal"], maps.temporal.mean((0, 1, 2)), maps, bar=True)
    axes["temporal"].set_title("Temporal attention: rows are queries, columns keys", fontsize=11)
    return figure


def clip_figure(
    pose2d_norm: Float[np.ndarray, "frames joints 3"], maps: AttentionMaps, fps: float, most: int = _FRAMES_SHOWN
) -> Figure:
    """Some frames of the input clip: 2D joints in the colours of their hyperedges.

    Joints with a confidence below 0.5 are hollow.

    Args:
        pose2d_norm: the clip, normalised picture space (y down).
        maps: with skeleton and hyperedges.
        fps: frame rate of the clip.
        most: number of frames to draw.
    """
    shown = np.unique(np.linspace(0, len(pose2d_norm) - 1, most).round().astype(int))
    main = maps.incidence[int(maps.hypergraph_of[0, 0])].mean(0).argmax(1)
    colours = [edge_colour(int(edge)) for edge in main]
    size = max(float(np.ptp(pose2d_norm[shown, :, axis], axis=1).max()) for axis in (0, 1)) * 0.6 + 1e-6
    figure = Figure(figsize=(1.9 * len(shown), 2.6), facecolor=_PAPER, layout="constrained")
    for axes, frame in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        points, confidence = pose2d_norm[frame, :, :2], pose2d_norm[frame, :, 2]
        bones = [points[list(bone)] for bone in maps.skeleton.bones]
        axes.add_collection(LineCollection(bones, colors=_BONE, linewidths=2.5))
        inside = [colour if sure >= 0.5 else _PAPER for colour, sure in zip(colours, confidence, strict=True)]
        axes.scatter(*points.T, s=22, c=inside, edgecolors=colours, linewidths=1.2, zorder=3)
        middle = (points.min(0) + points.max(0)) / 2
        axes.set_xlim(middle[0] - size, middle[0] + size)
        axes.set_ylim(middle[1] + size, middle[1] - size)
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(f"frame {frame}, {frame / fps:.1f} s", fontsize=9, color=_INK)
    return figure


def spatial_figure(maps: AttentionMaps) -> Figure:
    """One row per layer: the mean over heads, then each head."""
    figure, grid = _grid(len(maps.layers), 1 + len(maps.heads), 2.9)
    mean = maps.spatial.mean(2)
    for row, layer in enumerate(maps.layers):
        for column, heat in enumerate([mean[row].mean(0), *mean[row]]):
            draw_joint_heat(grid[row, column], heat, maps.skeleton, rows=column == 0, columns=row == len(grid) - 1)
            grid[row, column].set_title(_panel_name(layer, maps.heads, column, heat), fontsize=9)
    return figure


def hyperedge_figure(maps: AttentionMaps) -> Figure:
    """A row a layer and hypergraph: share on each hyperedge, mean over heads, then every head of the hypergraph."""
    graphs = [graph for graph in range(len(maps.incidence)) if maps.of_hypergraph(graph)[0]]
    rows = [(layer, number, graph) for layer, number in enumerate(maps.layers) for graph in graphs]
    most = max(len(maps.of_hypergraph(graph)[0]) for graph in graphs)
    figure, grid = _grid(len(rows), 2 + most, 2.9)
    for row, (layer, number, graph) in enumerate(rows):
        heads, through = maps.of_hypergraph(graph)
        mean, incidence = through[layer].mean(1), maps.incidence[graph][layer]
        draw_edge_shares(grid[row, 0], mean.mean(0), incidence, maps.skeleton)
        several = f", hypergraph {graph}" if len(maps.incidence) > 1 else ""
        grid[row, 0].set_title(f"layer {number}{several}: onto hyperedges", fontsize=9)
        for column in range(1 + most):
            axes = grid[row, 1 + column]
            if column > len(heads):
                axes.set_axis_off()
                continue
            heat = mean.mean(0) if column == 0 else mean[column - 1]
            draw_hyperedge_heat(axes, heat, incidence, maps.skeleton, names=False)
            axes.set_title(_panel_name(number, heads, column, heat), fontsize=9)
    return figure


def temporal_figure(maps: AttentionMaps) -> Figure:
    """A row a layer, mean over joints: the mean over heads, then every head."""
    figure, grid = _grid(len(maps.layers), 1 + len(maps.heads), 2.6)
    mean = maps.temporal.mean(2)
    for row, layer in enumerate(maps.layers):
        for column, heat in enumerate([mean[row].mean(0), *mean[row]]):
            draw_time_heat(grid[row, column], heat, maps, rows=column == 0, columns=row == len(grid) - 1)
            grid[row, column].set_title(_panel_name(layer, maps.heads, column, heat), fontsize=9)
    return figure


def links_figure(maps: AttentionMaps) -> Figure:
    """The strongest links of each layer: spatial attention above, hyperedge attention of the first hypergraph below."""
    figure, grid = _grid(2, len(maps.layers), 4.6)
    graph = int(maps.hypergraph_of[0, 0])
    _, through = maps.of_hypergraph(graph)
    for column, layer in enumerate(maps.layers):
        incidence = maps.incidence[graph][column]
        for row, (kind, heat) in enumerate((("spatial", maps.spatial), ("hyperedge", through))):
            draw_links(grid[row, column], heat[column].mean((0, 1)), incidence, maps.skeleton)
            grid[row, column].set_title(f"layer {layer}, {kind} attention", fontsize=10)
    return figure


def draw_joint_heat(
    axes: Axes,
    heat: Float[np.ndarray, "joints joints"],
    skeleton: Skeleton,
    *,
    rows: bool = True,
    columns: bool = True,
    bar: bool = False,
) -> None:
    """Draw a heat map of joints by joints."""
    image = axes.imshow(100 * heat, cmap=_HEAT, vmin=0, vmax=_scale_end(heat))
    _name_ticks(axes, skeleton.joints, rows, columns)
    if bar:
        axes.figure.colorbar(image, ax=axes, shrink=0.8, label="% of a joint's attention")


def draw_hyperedge_heat(
    axes: Axes,
    heat: Float[np.ndarray, "joints joints"],
    incidence: Float[np.ndarray, "joints edges"],
    skeleton: Skeleton,
    *,
    names: bool = True,
    bar: bool = False,
) -> None:
    """Draw a heat map of joints by joints, sorted by hyperedge, with strips and frames in the hyperedges' colours."""
    order, edges = by_hyperedge(incidence)
    image = axes.imshow(100 * heat[np.ix_(order, order)], cmap=_HEAT, vmin=0, vmax=_scale_end(heat))
    _name_ticks(axes, [skeleton.joints[j] for j in order], names, names)
    count = len(order)
    for place, edge in enumerate(edges):
        colour = edge_colour(int(edge))
        axes.add_patch(Rectangle((-_STRIP - 0.7, place - 0.5), _STRIP, 1, color=colour, linewidth=0))
        axes.add_patch(Rectangle((place - 0.5, count - 0.3), 1, _STRIP, color=colour, linewidth=0))
    axes.set_xlim(-_STRIP - 0.8, count - 0.4)
    axes.set_ylim(count - 0.2 + _STRIP, -0.6)
    for spine in axes.spines.values():
        spine.set_visible(False)
    starts = [place for place in range(count) if place == 0 or edges[place] != edges[place - 1]]
    for start, stop in zip(starts, [*starts[1:], count], strict=True):
        box = (start - 0.5, start - 0.5), stop - start, stop - start
        axes.add_patch(Rectangle(*box, fill=False, edgecolor=edge_colour(int(edges[start])), linewidth=2))
    if bar:
        axes.figure.colorbar(image, ax=axes, shrink=0.8, label="% of a joint's attention")


def draw_edge_shares(
    axes: Axes,
    heat: Float[np.ndarray, "joints joints"],
    incidence: Float[np.ndarray, "joints edges"],
    skeleton: Skeleton,
) -> None:
    """Draw the share of each joint's attention on each hyperedge."""
    order, edges = by_hyperedge(incidence)
    shares = to_hyperedges(heat, incidence)[order]
    axes.imshow(100 * shares, cmap=_HEAT, vmin=0, vmax=_scale_end(shares), aspect="auto")
    axes.set_yticks(range(len(order)), [skeleton.joints[j] for j in order], fontsize=6.5)
    axes.tick_params(length=0, pad=1)
    for label, edge in zip(axes.get_yticklabels(), edges, strict=True):
        label.set_color(edge_colour(int(edge)))
    for edge in range(shares.shape[1]):
        axes.add_patch(Rectangle((edge - 0.5, len(order) - 0.3), 1, _STRIP, color=edge_colour(edge), linewidth=0))
    axes.set_ylim(len(order) - 0.2 + _STRIP, -0.6)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for (row, column), share in np.ndenumerate(shares):
        ink = _PAPER if 100 * share > 0.45 * _scale_end(shares) else _INK
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=5, color=ink)
    axes.set_xticks(range(shares.shape[1]), [str(edge) for edge in range(shares.shape[1])], fontsize=7)


def draw_time_heat(
    axes: Axes,
    heat: Float[np.ndarray, "tokens every_token"],
    maps: AttentionMaps,
    *,
    rows: bool = True,
    columns: bool = True,
    bar: bool = False,
) -> None:
    """Draw a heat map of selected frames by all frames of the clip."""
    image = axes.imshow(100 * heat, cmap=_HEAT, vmin=0, vmax=_scale_end(heat), aspect="auto", interpolation="nearest")
    every = heat.shape[1]
    across, down = _spread(every), _spread(len(maps.tokens))
    starts = [str(maps.frames_per_token * maps.tokens[place]) for place in down]
    axes.set_xticks(across if columns else [], [str(maps.frames_per_token * t) for t in across] if columns else [])
    axes.set_yticks(down if rows else [], starts if rows else [])
    axes.tick_params(labelsize=7)
    if rows:
        axes.set_ylabel("query frame", fontsize=8)
    if columns:
        axes.set_xlabel("key frame", fontsize=8)
    if bar:
        axes.figure.colorbar(image, ax=axes, shrink=0.8, label="% of a frame's attention")


def draw_links(
    axes: Axes,
    heat: Float[np.ndarray, "joints joints"],
    incidence: Float[np.ndarray, "joints edges"],
    skeleton: Skeleton,
) -> None:
    """Draw the strongest links as arrows from query joint to key joint, with joints in their hyperedges' colours."""
    places = standing(skeleton)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.add_collection(LineCollection([places[list(bone)] for bone in skeleton.bones], colors=_BONE, linewidths=5))
    links = strongest_links(heat, LINKS)
    weights = [weight for _, _, weight in links]
    scale = Normalize(min(weights) - 0.3 * (max(weights) - min(weights)) - 1e-6, max(weights))
    for looks, at, weight in reversed(links):
        arrow = FancyArrowPatch(
            tuple(places[looks]),
            tuple(places[at]),
            connectionstyle="arc3,rad=0.25",
            arrowstyle="-|>,head_length=5,head_width=3",
            shrinkA=6,
            shrinkB=7,
            linewidth=0.6 + 2.4 * float(scale(weight)),
            color=colormaps[_HEAT](0.2 + 0.7 * float(scale(weight))),
            zorder=3,
        )
        axes.add_patch(arrow)
    for joint, (x, y) in enumerate(places):
        _draw_pie(axes, x, y, incidence[joint])
    for joint in {joint for looks, at, _ in links for joint in (looks, at)}:
        x, y = places[joint]
        side = -1 if x < 0 else 1
        raised = 0.05 if abs(x) < 0.05 else 0.0  # between the dots of its neighbours
        text = axes.text(x + 0.045 * side, y + raised, skeleton.joints[joint], fontsize=7, color=_INK, zorder=6)
        text.set(ha="right" if side < 0 else "left", va="center")
        text.set_path_effects([withStroke(linewidth=2.5, foreground=_PAPER)])
    looks, at, weight = links[0]
    best = f"strongest: {skeleton.joints[looks]} → {skeleton.joints[at]}, {weight:.1%} (even: {1 / len(heat):.1%})"
    axes.text(0.5, -0.02, best, transform=axes.transAxes, ha="center", fontsize=8, color=_INK)
    axes.set_xlim(places[:, 0].min() - 0.3, places[:, 0].max() + 0.3)
    axes.set_ylim(places[:, 1].min() - 0.1, places[:, 1].max() + 0.1)


def standing(skeleton: Skeleton) -> Float[np.ndarray, "joints 2"]:
    """Positions of joints: those of a standing figure; unknown joints lie on a circle."""
    places = np.zeros((len(skeleton), 2))
    for joint, name in enumerate(skeleton.joints):
        side = {"L": 1, "R": -1}.get(name[0], 0) if name[1:] in _STANDING else 0
        if side or name in _STANDING:
            x, y = _STANDING[name[1:] if side else name]
            places[joint] = (side or 1) * x, y
        else:
            angle = 2 * np.pi * joint / len(skeleton)
            places[joint] = 0.75 * np.sin(angle), 0.9 + 0.75 * np.cos(angle)
    return places


def _draw_pie(axes: Axes, x: float, y: float, shares: Float[np.ndarray, " edges"]) -> None:
    start = 90.0
    for edge, share in enumerate(shares):
        if share > 0.005:
            stop = start + 360.0 * float(share)
            axes.add_patch(
                Wedge(
                    (x, y), 0.033, start, stop, facecolor=edge_colour(edge), edgecolor="white", linewidth=0.4, zorder=5
                )
            )
            start = stop


def _grid(rows: int, columns: int, size: float) -> tuple[Figure, np.ndarray]:
    """A grid of square panels of ``size`` inches with margins for names; much faster than automatic layout."""
    width, height = _LEFT + columns * (size + _GAP), _TOP + rows * (size + _GAP) + _BOTTOM
    figure = Figure(figsize=(width, height), facecolor=_PAPER)
    grid = figure.subplots(rows, columns, squeeze=False)
    figure.subplots_adjust(
        left=_LEFT / width,
        right=1 - _GAP / width,
        top=1 - _TOP / height,
        bottom=(_BOTTOM + _GAP) / height,
        wspace=_GAP / size,
        hspace=_GAP / size,
    )
    return figure, grid


def _panel_name(layer: int, heads: Sequence[int], column: int, heat: Float[np.ndarray, "rows columns"]) -> str:
    which = "mean of heads" if column == 0 else f"head {heads[column - 1]}"
    return f"layer {layer}, {which} (max {heat.max():.1%})"


def _scale_end(heat: Float[np.ndarray, "rows columns"]) -> float:
    """Upper end of the colour scale in per cent: at least twice the uniform share, which is then a middle tone."""
    return 100.0 * max(float(heat.max()), 2.0 / heat.shape[1])


def _name_ticks(axes: Axes, names: Sequence[str], rows: bool, columns: bool) -> None:
    places = range(len(names))
    axes.set_yticks(places if rows else [], names if rows else [], fontsize=6.5)
    axes.set_xticks(places if columns else [], names if columns else [], fontsize=6.5, rotation=90)
    axes.tick_params(length=0, pad=1)


def _spread(count: int, most: int = 10) -> list[int]:
    return list(range(0, count, max(1, -(-count // most))))
