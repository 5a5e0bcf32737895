"""Starting a network from smaller ones that were trained before."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from hyperlift.errors import InputError
from hyperlift.models.checkpoint import load_weights
from hyperlift.models.hyperlifter.lifter import HyperLifter


def take_over(model: HyperLifter, trained: Sequence[HyperLifter], source: str) -> None:
    """Give a network the weights that it starts from.

    Args:
        model: what is going to be trained; changed in place.
        trained: one network: of the same kind (a final filter of another reach is not taken), or a frame lifter
            alone (depth 0), or for a streaming network one of whole clips. Or two: a frame lifter and a transformer,
            in either order.
        source: of ``trained``, for messages.

    Raises:
        InputError: the weights do not fit.
    """
    start = sorted(trained, key=lambda network: network.config.depth)
    alike = start[0].config.frame_lifter == model.config.frame_lifter
    if len(start) == 1 and start[0].config.depth and model.config.streaming and not start[0].config.streaming:
        start_stream(model, start[0], source)
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
def start_from_frames(model: HyperLifter, frames_alone: HyperLifter) -> None:
    """Take the frame lifter of a network that has nothing else; the transformer's first correction is none.

    Args:
        model: changed in place.
        frames_alone: a network of depth 0.

    Raises:
        InputError: the model has no frame lifter, or another one.
    """
    if model.frame_lifter is None or frames_alone.frame_lifter is None:
        raise InputError("lifts frames alone (depth 0); the model has no frame_lifter to start from it")
    model.frame_lifter.start_from(frames_alone.frame_lifter)


@torch.no_grad()
def start_stream(model: HyperLifter, whole: HyperLifter, source: str) -> None:
    """Start a streaming network from one of whole clips, whose further layers are left out where it has more.

    A token of theirs is several frames, ours is one: it starts as a token of that frame standing still, and gives what
    they gave the frame in its middle. How much a token of the past counts starts from ``CausalAttention``'s slopes.

    Args:
        model: changed in place.
        whole: a network with the same layers.
        source: of ``whole``, for messages.

    Raises:
        InputError: the layers differ, or only one of both has a frame lifter.
    """
    if (model.frame_lifter is None) != (whole.frame_lifter is None):
        raise InputError(f"{source}: either both networks have a frame_lifter or none; choose another start")
    own = {name: tensor for name, tensor in model.state_dict().items() if name.startswith(_APART)}
    load_weights(model, {**own, **_frame_by_frame(model, whole)}, source)
    if model.frame_lifter is not None and whole.frame_lifter is not None:
        try:
            model.frame_lifter.start_from(whole.frame_lifter)
        except InputError as error:
            raise InputError(f"{source}: {error}") from error


_APART = ("frame_lifter.", "filter.")
_EMBED = "transformer.embed.weight"


def _frame_by_frame(model: HyperLifter, whole: HyperLifter) -> dict[str, Tensor]:
    """The transformer of whole clips as weights of a streaming one."""
    ours, theirs = model.state_dict(), whole.state_dict()
    patch = whole.config.frame_patch
    theirs[_EMBED] = theirs[_EMBED].unflatten(1, (patch, -1)).sum(1)
    told = 3 if whole.frame_lifter is None else 6
    for name in _extremity_inputs(theirs):
        theirs[name] = theirs[name].unflatten(1, (-1, patch, told)).sum(2).flatten(1)
    heads = ("transformer.head.1.", "transformer.extremities.foot_out.", "transformer.extremities.hand_out.")
    for name in [name for name in theirs if name.startswith(heads)]:
        theirs[name] = theirs[name].unflatten(0, (patch, -1))[patch // 2]
    left_out = tuple(
        f"transformer.{layers}.{layer}."
        for layers in ("spatial", "hyperedge", "temporal")
        for layer in range(model.config.depth, whole.config.depth)
    )
    taken = {
        name: tensor
        for name, tensor in theirs.items()
        if not name.startswith((*_APART, "transformer.frame_position", *left_out))
    }
    return {**{name: tensor for name, tensor in ours.items() if name.endswith(".lag_bias")}, **taken}


def _extremity_inputs(weights: Mapping[str, Tensor]) -> list[str]:
    """Names of the weights that see feet and hands; none of a network that does not predict them."""
    return [name for name in weights if name.startswith("transformer.extremities.") and name.endswith("_in.weight")]


@torch.no_grad()
def start_from_mean(model: HyperLifter, frames_alone: HyperLifter, transformer: HyperLifter) -> None:
    """Start as the mean of a frame lifter and a transformer that were trained apart.

    What two networks get wrong differs, so their mean is better than either, and training goes on from there. A filter
    at the very end starts anew.

    Args:
        model: changed in place; it has a frame lifter and a transformer.
        frames_alone: a network of depth 0.
        transformer: the same network as ``model`` without a frame lifter; where ``model`` streams, it may be one of
            whole clips (``start_stream``).

    Raises:
        InputError: sizes differ.
    """
    if transformer.frame_lifter is not None or not transformer.config.depth:
        raise InputError("two checkpoints to start from are one of frames alone (depth 0) and one without frame_lifter")
    start_from_frames(model, frames_alone)
    ours = model.state_dict()
    patch = model.config.frame_patch
    if model.config.streaming and not transformer.config.streaming:
        theirs = _frame_by_frame(model, transformer)
    elif patch == transformer.config.frame_patch:
        theirs = {name: tensor for name, tensor in transformer.state_dict().items() if not name.startswith("filter.")}
    else:
        raise InputError(f"frame_patch is {transformer.config.frame_patch}, the model's {patch}")
    for name in ("token_merge", "share_layers"):
        its, wanted = (getattr(network.config, name) for network in (transformer, model))
        if its != wanted:
            raise InputError(f"{name} is {its}, the model's {wanted}")
    # A token holds its frames one after the other, each with its features and then the frame lifter's answer.
    old = theirs[_EMBED].unflatten(1, (patch, -1))
    embed = torch.zeros_like(ours[_EMBED]).unflatten(1, (patch, -1))
    if len(embed) != len(old) or embed.shape[-1] != old.shape[-1] + 3:
        raise InputError(f"embed has shape {tuple(theirs[_EMBED].shape)}, which does not fit the model's")
    embed[..., : old.shape[-1]] = old
    theirs[_EMBED] = embed.flatten(1)
    for name in _extremity_inputs(theirs):
        # As above, for every point of a foot or a hand.
        theirs[name] = nn.functional.pad(theirs[name].unflatten(1, (-1, 3)), (0, 3)).flatten(1)
    wrong = [
        name
        for name in ours.keys() | theirs.keys()
        if not name.startswith(_APART)
        and (name not in ours or name not in theirs or ours[name].shape != theirs[name].shape)
    ]
    if wrong:
        raise InputError(f"weights of another network: {', '.join(sorted(wrong)[:3])}")
    model.load_state_dict({**ours, **theirs})
    assert model.transformer is not None
    assert model.frame_lifter is not None
    heads = [model.transformer.head[-1], model.frame_lifter.head[-1]]
    if model.transformer.extremities is not None:
        heads += [model.transformer.extremities.foot_out, model.transformer.extremities.hand_out]
    for last in heads:
        assert isinstance(last, nn.Linear)
        last.weight.mul_(0.5)
        last.bias.mul_(0.5)
