"""The same network with fewer multiplications: what training spells out for every joint is said once."""

import copy

import torch
from torch import Tensor, nn

from hyperlift.models import HyperLifter
from hyperlift.models.layers.frame_lifter import FrameLifter
from hyperlift.models.lifting.person_frame import OF_ALL_JOINTS
from hyperlift.shapes import Float


class PlaceSeenOnce(nn.Module):
    """A frame lifter that hears once a frame where the person is, instead of once a joint.

    ``into_person_frame`` gives all joints the same last numbers. What the first Linear makes of them is a sum over the
    joints' weights, which is taken here once for all: of V x 6 inputs a frame, V x 3 + 3 are left.

    Args:
        frame_lifter: of a network that sees joints from the person; left as it is.
        joints: V.
    """

    def __init__(self, frame_lifter: FrameLifter, joints: int) -> None:
        super().__init__()
        self.frame_lifter = copy.deepcopy(frame_lifter)
        embed, neighbours = frame_lifter.embed, len(frame_lifter.config.neighbours)
        weight = embed.weight.detach().double().unflatten(1, (neighbours, joints, -1))
        folded = torch.cat([_own(weight).flatten(2), weight[..., OF_ALL_JOINTS].sum(2)], -1).flatten(1)
        self.frame_lifter.embed = nn.Linear(folded.shape[1], folded.shape[0])
        self.frame_lifter.embed.weight.data.copy_(folded)
        self.frame_lifter.embed.bias.data.copy_(embed.bias)

    def forward(self, features: Float[Tensor, "clips frames joints c"]) -> Float[Tensor, "clips frames joints 3"]:
        """Lift, as ``FrameLifter`` does."""
        once = torch.cat([_own(features).flatten(2), features[:, :, 0, OF_ALL_JOINTS]], -1)
        return self.frame_lifter(once[:, :, None])


def _own(numbers: Float[Tensor, "*any c"]) -> Float[Tensor, "*any own"]:
    """What each joint has of its own."""
    return torch.cat([numbers[..., : OF_ALL_JOINTS.start], numbers[..., OF_ALL_JOINTS.stop :]], -1)


def cheaper(model: HyperLifter) -> HyperLifter:
    """A copy for export that gives the same poses to rounding and multiplies less."""
    model = copy.deepcopy(model)
    if model.frame_lifter is not None and model.config.input_frame == "person":
        model.frame_lifter = PlaceSeenOnce(model.frame_lifter, len(model.skeleton))  # type: ignore[assignment]
    return model
