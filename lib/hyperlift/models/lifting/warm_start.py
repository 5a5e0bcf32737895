"""Starting a network from smaller ones that were trained before."""

import torch
from torch import nn

from hyperlift.errors import InputError
from hyperlift.models.lifting.lifter import HyperLifter


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
def start_from_mean(model: HyperLifter, frames_alone: HyperLifter, transformer: HyperLifter) -> None:
    """Start as the mean of a frame lifter and a transformer that were trained apart.

    What two networks get wrong differs, so their mean is better than either, and training goes on from there.

    Args:
        model: changed in place; it has a frame lifter and a transformer.
        frames_alone: a network of depth 0.
        transformer: the same network as ``model`` without a frame lifter.

    Raises:
        InputError: sizes differ.
    """
    if transformer.frame_lifter is not None or not transformer.config.depth:
        raise InputError("two checkpoints to start from are one of frames alone (depth 0) and one without frame_lifter")
    start_from_frames(model, frames_alone)
    ours, theirs = model.state_dict(), dict(transformer.state_dict())
    patch = model.config.frame_patch
    if patch != transformer.config.frame_patch:
        raise InputError(f"frame_patch is {transformer.config.frame_patch}, the model's {patch}")
    # A token holds its frames one after the other, each with its features and then the frame lifter's answer.
    old = theirs["embed.weight"].unflatten(1, (patch, -1))
    embed = torch.zeros_like(ours["embed.weight"]).unflatten(1, (patch, -1))
    if len(embed) != len(old) or embed.shape[-1] != old.shape[-1] + 3:
        raise InputError(f"embed has shape {tuple(theirs['embed.weight'].shape)}, which does not fit the model's")
    embed[..., : old.shape[-1]] = old
    theirs["embed.weight"] = embed.flatten(1)
    wrong = [
        name
        for name in ours.keys() | theirs.keys()
        if not name.startswith("frame_lifter.")
        and (name not in ours or name not in theirs or ours[name].shape != theirs[name].shape)
    ]
    if wrong:
        raise InputError(f"weights of another network: {', '.join(sorted(wrong)[:3])}")
    model.load_state_dict({**ours, **theirs})
    for head in (model.head, model.frame_lifter.head):  # type: ignore[union-attr]
        last = head[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_(0.5)
        last.bias.mul_(0.5)
