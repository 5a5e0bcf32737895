"""Page of an attention run: PNG pictures, and one HTML file that embeds them."""

import base64
import html
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from hyperlift.models.attention_maps import AttentionMaps, strongest_links
from hyperlift.rendering.pictures.attention import (
    clip_figure,
    hyperedge_figure,
    hyperedge_names,
    links_figure,
    overview_figure,
    spatial_figure,
    temporal_figure,
)
from hyperlift.shapes import Float

OVERVIEW, PAGE = "overview.png", "index.html"
_DPI = 110
"""Resolution of the pictures. Chosen: labels are readable at full size."""
_LINKS_LISTED = 8
"""Links per layer in the table: those that fit in a row."""

_SECTIONS = {
    "links": (
        "Strongest links on the skeleton",
        "An arrow points from the query joint to the joint that it attends to; darker and thicker arrows have more of "
        "its attention. Dots have the colours of their hyperedges. The figure faces you: its right is on your left.",
    ),
    "spatial": (
        "Spatial attention",
        "Attention of each joint to the joints of the same frame. Each row is one joint and sums to 100 %; dark is "
        "high. Uniform attention gives each of {joints} joints {even:.1f} %, a middle tone. The title of a panel has "
        "its largest value.",
    ),
    "hyperedge": (
        "Hyperedge attention",
        "Attention through hyperedges, which are groups of joints. Left: share of each joint's attention on each "
        "group, in per cent. Right: joint to joint, sorted by group; a coloured box holds the joints of one group, and "
        "the strips have the colours of the groups. Joints have the order of the names on the left.",
    ),
    "temporal": (
        "Temporal attention",
        "Attention of each frame to the frames of the clip, for the same joint; the mean over joints. A dark diagonal "
        "is attention to the frame's own time; dark columns are frames that the whole clip attends to.",
    ),
}


def write_attention_page(
    folder: Path,
    maps: AttentionMaps,
    pose2d_norm: Float[np.ndarray, "frames joints 3"],
    fps: float,
    title: str,
    facts: Mapping[str, str],
) -> None:
    """Write ``index.html`` and its pictures into a folder.

    Args:
        folder: an existing folder (``files.atomic_folder`` makes it atomic).
        maps: captured attention.
        pose2d_norm: the input clip, normalised picture space.
        fps: frame rate of the clip.
        title: of the page.
        facts: rows of the first table, name and text.
    """
    figures = {
        "clip": clip_figure(pose2d_norm, maps, fps),
        "links": links_figure(maps),
        "spatial": spatial_figure(maps),
        "hyperedge": hyperedge_figure(maps),
        "temporal": temporal_figure(maps),
    }
    _save(overview_figure(maps, title), folder / OVERVIEW)
    for name, figure in figures.items():
        _save(figure, folder / f"{name}.png")
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in facts.items())
    joints = len(maps.skeleton)
    sections = "".join(
        f"<h2>{heading}</h2><p>{text.format(joints=joints, even=100 / joints)}</p>"
        f"<div>{_picture(folder / f'{name}.png')}</div>"
        for name, (heading, text) in _SECTIONS.items()
    )
    page = _PAGE.format(
        title=html.escape(title),
        facts=rows,
        clip=_picture(folder / "clip.png"),
        overview=_picture(folder / OVERVIEW),
        even=f"{1 / joints:.1%}",
        links=_links_table(maps),
        hyperedges=_hyperedge_lists(maps),
        sections=sections,
    )
    (folder / PAGE).write_text(page, encoding="utf-8")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=_DPI)


def _picture(path: Path) -> str:
    content = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{path.stem}" src="data:image/png;base64,{content}">'


def _links_table(maps: AttentionMaps) -> str:
    names = maps.skeleton.joints
    rows = ""
    for number, heat in zip(maps.layers, maps.spatial.mean((1, 2)), strict=True):
        said = [f"{names[i]} → {names[j]} {w:.1%}" for i, j, w in strongest_links(heat, _LINKS_LISTED)]
        rows += f"<tr><th>layer {number}</th><td>{html.escape(', '.join(said))}</td></tr>"
    return f"<table>{rows}</table>"


def _hyperedge_lists(maps: AttentionMaps) -> str:
    lists = ""
    for graph, incidence in enumerate(maps.incidence):
        changes = not np.allclose(incidence, incidence[:1])
        for number, layer in zip(maps.layers, incidence, strict=True):
            name = f"Hypergraph {graph}" if len(maps.incidence) > 1 else "Hyperedges"
            items = "".join(f"<li>{html.escape(line)}</li>" for line in hyperedge_names(layer, maps.skeleton))
            lists += f"<p>{name}{f', layer {number}' if changes else ''}:</p><ul>{items}</ul>"
            if not changes:
                break
    return lists


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #2b303a; max-width: 1200px; margin: 2em auto; padding: 0 1em; }}
h1 {{ font-size: 1.6em; }} h2 {{ margin-top: 2em; }}
img {{ max-width: 100%; height: auto; border: 1px solid #e3e3df; }}
div {{ overflow: auto; max-height: 90vh; }} div img {{ max-width: none; }}
table {{ border-collapse: collapse; }} th {{ text-align: left; padding: 0.2em 1em 0.2em 0; vertical-align: top; }}
ul {{ list-style: none; padding-left: 0; margin-top: 0; }}
th {{ font-weight: 600; white-space: nowrap; }} td {{ padding: 0.2em 0; }}
</style></head><body>
<h1>{title}</h1>
<table>{facts}</table>
<h2>The clip</h2>
<p>Frames of the input: 2D joints in the colours of their hyperedges (named below), hollow where the confidence is below
0.5.</p>
{clip}
<h2>At a glance</h2>
<p>The lifter turns 2D keypoints of a person into 3D. For each joint and frame it uses others; attention states which,
and how much. The pictures below are averages over all selected layers, heads and frames.</p>
{overview}
<h2>Strongest links, by layer</h2>
<p>Spatial attention, mean of the heads: query joint → joint that it attends to, with its share of the attention.
Uniform attention is {even} for every joint. Pictures that are wider than the window scroll.</p>
{links}
<h2>The hyperedges</h2>
<p>Groups of joints that are attended to together. A joint with partial membership has its share after its name.</p>
{hyperedges}
{sections}
</body></html>
"""
