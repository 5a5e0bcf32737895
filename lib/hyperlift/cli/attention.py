"""``vis_attn.py`` and ``hyperlift attention``: attention of a lifter as arrays and as a page of pictures."""

import json
import re
from pathlib import Path

import numpy as np

from hyperlift.cli.app import say
from hyperlift.cli.attention_clip import attention_clip
from hyperlift.cli.predictors import load_checkpoint_for
from hyperlift.cli.training_commands import Attention
from hyperlift.files.atomic import atomic_folder
from hyperlift.models.attention_capture import capture_attention
from hyperlift.models.attention_maps import AttentionMaps
from hyperlift.rendering.pictures.attention_page import OVERVIEW, PAGE, write_attention_page

ARRAYS = "attention.npz"
_FORMAT = "hyperlift-attention-1"


def main(options: Attention) -> int:
    """Run the command; returns its exit code."""
    checkpoint = load_checkpoint_for(options.weights, options.network)
    clip = attention_clip(options, checkpoint.spec, checkpoint.run)
    maps = capture_attention(checkpoint.model, clip.pose2d_norm, options.layers, options.heads, options.frames)
    out = options.out or _free(Path("vis_data") / re.sub(r"[^\w.-]+", "_", checkpoint.spec.name))
    facts = _facts(options.weights, clip.source, len(clip.pose2d_norm), checkpoint.spec.fps, maps)
    facts |= {"Credit": checkpoint.spec.credit} if checkpoint.spec.credit else {}
    with atomic_folder(out) as folder:
        _write_arrays(folder / ARRAYS, maps, clip.pose2d_norm, facts)
        title = f"Attention of {checkpoint.spec.name}"
        write_attention_page(folder, maps, clip.pose2d_norm, checkpoint.spec.fps, title, facts)
    for what, name in (("page:   ", PAGE), ("picture:", OVERVIEW), ("arrays: ", ARRAYS)):
        say(f"{what} {out / name}")
    return 0


def _free(folder: Path) -> Path:
    """The folder, or its first numbered sibling that does not exist, so that earlier pages are kept."""
    number = 2
    found = folder
    while found.exists():
        found, number = folder.with_name(f"{folder.name}-{number}"), number + 1
    return found


def _facts(checkpoint: Path, source: str, frames: int, fps: float, maps: AttentionMaps) -> dict[str, str]:
    first, last = maps.tokens[0] * maps.frames_per_token, (maps.tokens[-1] + 1) * maps.frames_per_token - 1
    chosen = f"{first} to {min(last, frames - 1)}" + (
        "" if len(maps.tokens) == maps.tokens[-1] - maps.tokens[0] + 1 else " (some of them)"
    )
    shared = f"; {maps.frames_per_token} neighbouring frames share one attention" if maps.frames_per_token > 1 else ""
    return {
        "Checkpoint": str(checkpoint),
        "Clip": f"{source}; {frames} frames, {frames / fps:.1f} s",
        "Layers": ", ".join(map(str, maps.layers)),
        "Heads": ", ".join(map(str, maps.heads)),
        "Frames that look": chosen + shared,
        "Skeleton": f"{maps.skeleton.name}: {', '.join(maps.skeleton.joints)}",
    }


def _write_arrays(path: Path, maps: AttentionMaps, pose2d_norm: np.ndarray, facts: dict[str, str]) -> None:
    meta = {
        "format": _FORMAT,
        "facts": facts,
        "spatial": "layers, heads, tokens, joint that looks, joint looked at",
        "hyperedge": "layers, maps, heads, tokens, joint that looks, joint looked at",
        "hypergraph_of": "maps, heads: number of the hypergraph behind them",
        "temporal": "layers, heads, joints, token that looks, token looked at",
        "incidence_N": "of hypergraph N: layers, joints, hyperedges; share of the hyperedge in the joint",
        "frame": "first frame of each token that looks",
    }
    arrays = {
        "spatial": maps.spatial,
        "hyperedge": maps.hyperedge,
        "hypergraph_of": maps.hypergraph_of,
        "temporal": maps.temporal,
        **{f"incidence_{number}": incidence for number, incidence in enumerate(maps.incidence)},
        "layers": np.array(maps.layers),
        "heads": np.array(maps.heads),
        "frame": np.array(maps.tokens) * maps.frames_per_token,
        "frames_per_token": np.array(maps.frames_per_token),
        "joints": np.array(maps.skeleton.joints),
        "pose2d_norm": pose2d_norm,
        "meta": np.array(json.dumps(meta)),
    }
    np.savez_compressed(path, **arrays)  # pyright: ignore[reportArgumentType]
