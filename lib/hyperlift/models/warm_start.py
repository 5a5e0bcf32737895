"""Initialises a network from the weights of networks trained before."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.models.checkpoint import load_weights
from hyperlift.models.hyperlifter.lifter import HyperLifter


def start_from_trained(model: HyperLifter, trained: Sequence[HyperLifter], source: str) -> None:
    """Initialise a network before training.

    Args:
        model: the network to train; changed in place.
        trained: one network of the same kind (a temporal filter of another length is skipped), a network that is only
            a frame lifter (depth 0), or, for a streaming network, a network of clips. Or two networks in either order:
            a frame lifter and a transformer.
        source: names ``trained`` in messages.

    Raises:
        InputError: the weights do not fit.
    """
    start = sorted(trained, key=lambda network: network.config.depth)
    alike = start[0].config.frame_lifter == model.config.frame_lifter
    if len(start) == 1 and start[0].config.depth and model.config.streaming and not start[0].config.streaming:
        start_streaming(model, start[0], source)
        return
    if len(start) == 1 and (start[0].config.depth or (model.config.depth == 0 and alike)):
        weights = start[0].state_dict()
        if start[0].config.smoothing != model.config.smoothing:
            weights = {name: tensor for name, tensor in weights.items() if not name.startswith("filter.")}
            weights |= {name: tensor for name, tensor in model.state_dict().items() if name.startswith("filter.")}
        load_weights(model, weights, source)
        return
    try:
        if len(start) == 1:
            start_from_frames(model, start[0])
        elif len(start) == 2:
            start_from_mean(model, *start)
        else:
            raise InputError(f"{len(start)} checkpoints; a network starts from one or two")
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


@torch.no_grad()
def start_from_frames(model: HyperLifter, frames_only: HyperLifter) -> None:
    """Copy the frame lifter of a network of depth 0. The correction by the transformer of ``model`` starts at 0.

    Args:
        model: changed in place.
        frames_only: a network of depth 0.

    Raises:
        InputError: the model has no frame lifter, or one of other sizes.
    """
    if model.frame_lifter is None or frames_only.frame_lifter is None:
        raise InputError("lifts frames alone (depth 0); the model has no frame_lifter to start from it")
    model.frame_lifter.start_from(frames_only.frame_lifter)


@torch.no_grad()
def start_streaming(model: HyperLifter, clip_model: HyperLifter, source: str) -> None:
    """Initialise a streaming network from a network of clips; surplus layers of that network are skipped.

    The source model uses tokens of several frames, the streaming model tokens of one frame. The patch weights of the
    embedding are summed, as if all frames of a token were equal; the head keeps the rows of the middle frame. The lag
    bias keeps the initial slopes of ``CausalAttention``.

    Args:
        model: changed in place.
        clip_model: a network with the same layers.
        source: names ``clip_model`` in messages.

    Raises:
        InputError: the layers differ, or only one of both has a frame lifter.
    """
    if (model.frame_lifter is None) != (clip_model.frame_lifter is None):
        raise InputError(f"{source}: either both networks have a frame_lifter or none; choose another start")
    own = {name: tensor for name, tensor in model.state_dict().items() if name.startswith(_OTHER_PARTS)}
    load_weights(model, {**own, **_one_frame_tokens(model, clip_model)}, source)
    if model.frame_lifter is not None and clip_model.frame_lifter is not None:
        try:
            model.frame_lifter.start_from(clip_model.frame_lifter)
        except InputError as error:
            raise InputError(f"{source}: {error}") from error


_OTHER_PARTS = ("frame_lifter.", "filter.")
_EMBED = "transformer.embed.weight"


def _one_frame_tokens(model: HyperLifter, clip_model: HyperLifter) -> dict[str, Tensor]:
    """Weights of a transformer of clips, converted to those of a streaming transformer."""
    own, source_state = model.state_dict(), clip_model.state_dict()
    patch = clip_model.config.frame_patch
    source_state[_EMBED] = source_state[_EMBED].unflatten(1, (patch, -1)).sum(1)
    inputs_per_point = 3 if clip_model.frame_lifter is None else 6
    for name in _extremity_inputs(source_state):
        source_state[name] = source_state[name].unflatten(1, (-1, patch, inputs_per_point)).sum(2).flatten(1)
    heads = ("transformer.head.1.", "transformer.extremities.foot_out.", "transformer.extremities.hand_out.")
    for name in [name for name in source_state if name.startswith(heads)]:
        source_state[name] = source_state[name].unflatten(0, (patch, -1))[patch // 2]
    left_out = tuple(
        f"transformer.{layers}.{layer}."
        for layers in ("spatial", "hyperedge", "temporal")
        for layer in range(model.config.depth, clip_model.config.depth)
    )
    taken = {
        name: tensor
        for name, tensor in source_state.items()
        if not name.startswith((*_OTHER_PARTS, "transformer.frame_position", *left_out))
    }
    return {**{name: tensor for name, tensor in own.items() if name.endswith(".lag_bias")}, **taken}


def _extremity_inputs(weights: Mapping[str, Tensor]) -> list[str]:
    """Names of the weights whose inputs are feet and hands; empty for a network that does not predict them."""
    return [name for name in weights if name.startswith("transformer.extremities.") and name.endswith("_in.weight")]


@torch.no_grad()
def start_from_mean(model: HyperLifter, frames_only: HyperLifter, transformer: HyperLifter) -> None:
    """Initialise a network so that it returns the mean of a frame lifter and a transformer that were trained apart.

    The errors of two networks differ, so that their mean is more accurate than either. The temporal filter keeps actual
    initial weights.

    Args:
        model: changed in place; it has a frame lifter and a transformer.
        frames_only: a network of depth 0.
        transformer: the same network as ``model`` without a frame lifter. If ``model`` streams, it may also be a
            network of clips (``start_streaming``).

    Raises:
        InputError: sizes differ.
    """
    if transformer.frame_lifter is not None or not transformer.config.depth:
        raise InputError("two checkpoints to start from are one of frames alone (depth 0) and one without frame_lifter")
    start_from_frames(model, frames_only)
    own = model.state_dict()
    patch = model.config.frame_patch
    if model.config.streaming and not transformer.config.streaming:
        source_state = _one_frame_tokens(model, transformer)
    elif patch == transformer.config.frame_patch:
        source_state = {
            name: tensor for name, tensor in transformer.state_dict().items() if not name.startswith("filter.")
        }
    else:
        raise InputError(f"frame_patch is {transformer.config.frame_patch}, the model's {patch}")
    for name in ("token_merge", "share_layers"):
        actual, wanted = (getattr(network.config, name) for network in (transformer, model))
        if actual != wanted:
            raise InputError(f"{name} is {actual}, the model's {wanted}")
    # The inputs of a token are frame-major: for each frame actual features, then the pose of the frame lifter.
    old = source_state[_EMBED].unflatten(1, (patch, -1))
    embed = torch.zeros_like(own[_EMBED]).unflatten(1, (patch, -1))
    if len(embed) != len(old) or embed.shape[-1] != old.shape[-1] + 3:
        raise InputError(f"embed has shape {tuple(source_state[_EMBED].shape)}, which does not fit the model's")
    embed[..., : old.shape[-1]] = old
    source_state[_EMBED] = embed.flatten(1)
    for name in _extremity_inputs(source_state):
        # As above, for each point of feet and hands.
        source_state[name] = nn.functional.pad(source_state[name].unflatten(1, (-1, 3)), (0, 3)).flatten(1)
    wrong = [
        name
        for name in own.keys() | source_state.keys()
        if not name.startswith(_OTHER_PARTS)
        and (name not in own or name not in source_state or own[name].shape != source_state[name].shape)
    ]
    if wrong:
        raise InputError(f"weights of another network: {', '.join(sorted(wrong)[:3])}")
    model.load_state_dict({**own, **source_state})
    assert model.transformer is not None
    assert model.frame_lifter is not None
    heads = [model.transformer.head[-1], model.frame_lifter.head[-1]]
    if model.transformer.extremities is not None:
        heads += [model.transformer.extremities.foot_out, model.transformer.extremities.hand_out]
    for last in heads:
        assert isinstance(last, nn.Linear)
        last.weight.mul_(0.5)
        last.bias.mul_(0.5)
