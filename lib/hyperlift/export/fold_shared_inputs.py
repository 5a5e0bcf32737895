"""The same network with fewer multiplications: what training spells out for every joint is said once."""

import copy

import torch
from torch import Tensor, nn

from hyperlift.models.hyperlifter.lifter import HyperLifter
from hyperlift.models.hyperlifter.person_frame import SHARED_FEATURES
from hyperlift.models.layers.frame_lifter import FrameLifter
from hyperlift.shapes import Float


class PlaceSeenOnce(nn.Module):
    """A frame lifter that hears once a frame where the person is, instead of once a joint.

    ``into_person_frame`` gives all joints the same last numbers. What the first Linear makes of them is a sum over the
    joints' weights, which is taken here once for all: of V x 6 inputs a frame, V x 3 + 3 are left.

    Args:
        frame_lifter: of a network that sees joints from the person; left as it is.
        joints: that are told where the person is.
        extremities: three numbers each, which come after those of the joints and do not say it.
    """

    def __init__(self, frame_lifter: FrameLifter, joints: int, extremities: int = 0) -> None:
        super().__init__()
        self.frame_lifter = copy.deepcopy(frame_lifter)
        self.joints, self.further = joints, 3 * extremities
        embed, neighbours = frame_lifter.embed, len(frame_lifter.config.neighbours)
        every = embed.weight.detach().double().unflatten(1, (neighbours, -1))
        core = every.shape[2] - self.further
        weight = every[:, :, :core].unflatten(2, (joints, -1))
        parts = [_own(weight).flatten(2), weight[..., SHARED_FEATURES].sum(2), every[:, :, core:]]
        folded = torch.cat(parts, -1).flatten(1)
        self.frame_lifter.embed = nn.Linear(folded.shape[1], folded.shape[0])
        self.frame_lifter.embed.weight.data.copy_(folded)
        self.frame_lifter.embed.bias.data.copy_(embed.bias)

    def forward(self, features: Float[Tensor, "clips frames seen c"]) -> Float[Tensor, "clips frames lifted numbers"]:
        """Lift, as ``FrameLifter`` does."""
        if self.further:
            every = features.flatten(2)
            features = every[..., : -self.further].unflatten(2, (self.joints, -1))
            return self.frame_lifter(torch.cat([_once(features), every[..., -self.further :]], -1)[:, :, None])
        return self.frame_lifter(_once(features)[:, :, None])


def _once(features: Float[Tensor, "clips frames joints c"]) -> Float[Tensor, "clips frames n"]:
    """What each joint has of its own, then what all have."""
    return torch.cat([_own(features).flatten(2), features[:, :, 0, SHARED_FEATURES]], -1)


def _own(numbers: Float[Tensor, "*any c"]) -> Float[Tensor, "*any own"]:
    """What each joint has of its own."""
    return torch.cat([numbers[..., : SHARED_FEATURES.start], numbers[..., SHARED_FEATURES.stop :]], -1)


def cheaper(model: HyperLifter) -> HyperLifter:
    """A copy for export that gives the same poses to rounding and multiplies less."""
    model = copy.deepcopy(model)
    if model.frame_lifter is not None and model.config.input_frame == "person":
        joints = len(model.config.token_skeleton)
        once = PlaceSeenOnce(model.frame_lifter, joints, len(model.skeleton) - joints)
        model.frame_lifter = once  # type: ignore[assignment]
    return model
