"""Folds inputs that all joints share into one linear layer, which reduces the multiplications of the network."""

import copy

import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.models.hyperlifter.person_frame import SHARED_FEATURES
from hyperlift.models.layers.frame_lifter import FrameLifter
from hyperlift.shapes import Float


class FoldedFrameLifter(nn.Module):
    """A frame lifter whose shared inputs (centre and spread of the person) occur once per frame, not once per joint.

    ``into_person_frame`` repeats the same 3 features for all joints. Their weights in the first linear layer are summed
    over the joints, which reduces V x 6 inputs per frame to V x 3 + 3.

    Args:
        frame_lifter: frame lifter of a network with ``input_frame: person``; it is copied.
        joints: number of joints with shared features.
        extremities: number of further joints, whose 3 features each follow those of the joints and are not shared.
    """

    def __init__(self, frame_lifter: FrameLifter, joints: int, extremities: int = 0) -> None:
        super().__init__()
        self.frame_lifter = copy.deepcopy(frame_lifter)
        self.joints, self.further = joints, 3 * extremities
        embed, neighbours = frame_lifter.embed, len(frame_lifter.config.neighbours)
        every = embed.weight.detach().double().unflatten(1, (neighbours, -1))
        core = every.shape[2] - self.further
        weight = every[:, :, :core].unflatten(2, (joints, -1))
        parts = [_without_shared(weight).flatten(2), weight[..., SHARED_FEATURES].sum(2), every[:, :, core:]]
        folded = torch.cat(parts, -1).flatten(1)
        self.frame_lifter.embed = nn.Linear(folded.shape[1], folded.shape[0])
        self.frame_lifter.embed.weight.data.copy_(folded)
        self.frame_lifter.embed.bias.data.copy_(embed.bias)

    def forward(self, features: Float[Tensor, "clips frames seen c"]) -> Float[Tensor, "clips frames lifted numbers"]:
        """Equivalent to ``FrameLifter.forward``."""
        if self.further:
            every = features.flatten(2)
            features = every[..., : -self.further].unflatten(2, (self.joints, -1))
            return self.frame_lifter(torch.cat([_shared_once(features), every[..., -self.further :]], -1)[:, :, None])
        return self.frame_lifter(_shared_once(features)[:, :, None])


def _shared_once(features: Float[Tensor, "clips frames joints c"]) -> Float[Tensor, "clips frames n"]:
    """Individual features of all joints, followed by the shared features."""
    return torch.cat([_without_shared(features).flatten(2), features[:, :, 0, SHARED_FEATURES]], -1)


def _without_shared(numbers: Float[Tensor, "*any c"]) -> Float[Tensor, "*any own"]:
    """Features without the shared ones."""
    return torch.cat([numbers[..., : SHARED_FEATURES.start], numbers[..., SHARED_FEATURES.stop :]], -1)


def fold_shared_inputs(model: HyperLifter) -> HyperLifter:
    """A copy for export that is equivalent up to rounding and needs fewer multiplications."""
    model = copy.deepcopy(model)
    if model.frame_lifter is not None and model.config.input_frame == "person":
        joints = len(model.config.token_skeleton)
        once = FoldedFrameLifter(model.frame_lifter, joints, len(model.skeleton) - joints)
        model.frame_lifter = once  # type: ignore[assignment]
    return model
