"""Captures the attention maps of a network with forward hooks; the network itself is unchanged."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.models.attention_maps import AttentionMaps
from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.models.layers.attention import HyperedgeAttention, Operands, SpatialAttention, TemporalAttention
from hyperlift.models.layers.membership import Membership
from hyperlift.models.layers.parallel_hypergraphs import ParallelHypergraphs, SplitHeadHypergraphs, heads_each
from hyperlift.shapes import Float, Int

AttentionLayer = SpatialAttention | HyperedgeAttention | TemporalAttention | ParallelHypergraphs


@torch.inference_mode()
def capture_attention(
    model: HyperLifter,
    pose2d_norm: Float[np.ndarray, "frames joints 3"],
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    frames: Sequence[int] | None = None,
) -> AttentionMaps:
    """Lift one clip and return the attention weights of the chosen layers.

    Args:
        model: the network; it is run in eval mode.
        pose2d_norm: one clip as the network takes it, at most ``config.n_frames`` long.
        layers: which layers, from 0; all by default.
        heads: which attention heads, from 0; all by default.
        frames: frames whose queries are kept, from 0; all by default. Frames of one token share its attention.

    Raises:
        InputError: a layer, head or frame that does not exist, a clip that does not fit the network, or a network
            whose layers share weights, merge tokens or have no block of their own for each kind of attention.
    """
    config = model.config
    if config.token_merge is not None or config.joint_block == "one" or config.share_layers:
        raise InputError(
            "attention maps need separate blocks and tokens in every layer; token_merge, joint_block: one and "
            "share_layers are not supported"
        )
    if pose2d_norm.shape[1] != len(model.skeleton) or not 0 < len(pose2d_norm) <= config.n_frames:
        raise InputError(
            f"a clip of {len(pose2d_norm)} frames and {pose2d_norm.shape[1]} joints; the network takes 1 to "
            f"{config.n_frames} frames of the {len(model.skeleton)} joints of {config.skeleton}"
        )
    chosen_layers = _chosen(layers, config.depth, "layer", "the network has layers")
    chosen_heads = _chosen(heads, config.heads, "head", "the network has heads")
    chosen_frames = _chosen(frames, len(pose2d_norm), "frame", "the clip has frames")
    tokens = sorted({frame // config.frame_patch for frame in chosen_frames})

    spatial, hyperedge, temporal = [], [], []
    with _inputs_of_attention(model, chosen_layers) as inputs:
        was_training = model.training
        model.eval()
        device = next(model.parameters()).device
        model(torch.from_numpy(np.ascontiguousarray(pose2d_norm[None], np.float32)).to(device))
        model.train(was_training)
    for layer in chosen_layers:
        given = {stream: attention_weights(*inputs[stream, layer]) for stream in ("spatial", "hyperedge", "temporal")}
        # The batch axis holds tokens for spatial and hyperedge attention, and joints for temporal attention.
        spatial.append(_array(given["spatial"][0][tokens][:, chosen_heads].transpose(0, 1)))
        hyperedge.append(_array(given["hyperedge"][:, tokens][:, :, chosen_heads].transpose(1, 2)))
        # A streaming network with a temporal filter has tokens past the end of the clip, which no frame attends to.
        seen = given["temporal"][0][:, chosen_heads][:, :, tokens, : len(pose2d_norm)]
        temporal.append(_array(seen.transpose(0, 1)))
    attentions = [_attention_of(model, "hyperedge", layer) for layer in chosen_layers]
    incidences = [[_array(membership.incidence()) for membership in _memberships(layer)] for layer in attentions]
    return AttentionMaps(
        skeleton=model.skeleton,
        layers=tuple(chosen_layers),
        heads=tuple(chosen_heads),
        tokens=tuple(tokens),
        frames_per_token=config.frame_patch,
        spatial=np.stack(spatial),
        hyperedge=np.stack(hyperedge),
        hypergraph_of=_hypergraph_of(attentions[0], config.heads)[:, chosen_heads],
        temporal=np.stack(temporal),
        incidence=tuple(np.stack(graph) for graph in zip(*incidences, strict=True)),
    )


def attention_weights(
    layer: AttentionLayer, x: Float[Tensor, "batch tokens channels"]
) -> Float[Tensor, "maps batch heads tokens tokens"]:
    """Attention weights of a layer, recomputed from its input because fused kernels do not return them.

    Returns:
        One map, or one map per hypergraph for a layer that merges the outputs of several hypergraphs.
    """
    found = layer.operands(x)
    every = found if isinstance(found, list) else [found]
    return torch.stack([_softmax(operands) for operands in every])


def _softmax(operands: Operands) -> Float[Tensor, "batch heads tokens tokens"]:
    logits = operands.q @ operands.k.transpose(-1, -2) * operands.q.shape[-1] ** -0.5
    if operands.bias is not None:
        logits = logits + operands.bias
    return logits.softmax(-1)


@contextmanager
def _inputs_of_attention(
    model: HyperLifter, layers: Sequence[int]
) -> Iterator[dict[tuple[str, int], tuple[AttentionLayer, Tensor]]]:
    """Collect (attention layer, its input) by kind of attention and layer number while the network runs."""
    seen: dict[tuple[str, int], tuple[AttentionLayer, Tensor]] = {}
    handles = []
    for stream in ("spatial", "hyperedge", "temporal"):
        for number in layers:

            def keep(module: nn.Module, args: tuple[Any, ...], key: tuple[str, int] = (stream, number)) -> None:
                seen[key] = cast(AttentionLayer, module), args[0]

            handles.append(_attention_of(model, stream, number).register_forward_pre_hook(keep))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _attention_of(model: HyperLifter, stream: str, layer: int) -> AttentionLayer:
    return getattr(model.transformer, stream)[layer].attention


def _memberships(layer: AttentionLayer) -> list[Membership]:
    if isinstance(layer, ParallelHypergraphs):
        return [cast(Membership, membership) for membership in layer.memberships]
    assert isinstance(layer, HyperedgeAttention)
    return [layer.membership]


def _hypergraph_of(layer: AttentionLayer, heads: int) -> Int[np.ndarray, "maps heads"]:
    graphs = len(_memberships(layer))
    if isinstance(layer, SplitHeadHypergraphs):
        return np.repeat(np.arange(graphs), heads_each(heads, graphs))[None]
    return np.repeat(np.arange(graphs)[:, None], heads, axis=1)


def _chosen(numbers: Sequence[int] | None, count: int, what: str, there_are: str) -> list[int]:
    if numbers is None:
        return list(range(count))
    for number in numbers:
        if not 0 <= number < count:
            raise InputError(f"{what} {number}: {there_are} 0 to {count - 1}")
    if not numbers:
        raise InputError(f"no {what} is chosen; {there_are} 0 to {count - 1}")
    return sorted(set(numbers))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()
