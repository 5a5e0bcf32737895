"""2D joints relative to the centre and spread of the person instead of the picture."""

from typing import NamedTuple

import torch
from torch import Tensor

from hyperlift.shapes import Float

_MIN_WEIGHT = 0.05
"""Minimum weight of a joint, so that a frame without confident joints still has a centre. Part of trained networks."""

_MIN_SPREAD = 1e-4
"""Minimum spread in normalised picture units (about 0.1 px in a picture 2000 px wide); avoids division by 0."""

SHARED_FEATURES = slice(3, 6)
"""Those features of ``into_person_frame`` that are equal for all joints of a frame."""


class PersonFrame(NamedTuple):
    """Centre and size of a person in the picture."""

    centre: Float[Tensor, "clips frames 1 2"]
    """Confidence-weighted mean of the joints, in normalised picture space."""
    spread: Float[Tensor, "clips 1 1 1"]
    """Root mean square distance of the joints from the centre over the clip, in normalised picture units."""


def person_frame(pose2d_norm: Float[Tensor, "clips frames joints 3"]) -> PersonFrame:
    """Measure centre (per frame) and spread (per clip, so that motion towards the camera stays visible)."""
    centre, square, weight = frame_moments(pose2d_norm)
    return PersonFrame(centre, root_mean_square(square.sum(1, keepdim=True), weight.sum(1, keepdim=True)))


class FrameMoments(NamedTuple):
    """Confidence-weighted moments of the joints of one frame."""

    centre: Float[Tensor, "clips frames 1 2"]
    square: Float[Tensor, "clips frames 1 1"]
    """Sum of the weighted square distances from the centre."""
    weight: Float[Tensor, "clips frames 1 1"]
    """Sum of the weights."""


def frame_moments(pose2d_norm: Float[Tensor, "clips frames joints 3"]) -> FrameMoments:
    """Moments of each frame."""
    points, weight = pose2d_norm[..., :2], pose2d_norm[..., 2:].clamp(min=_MIN_WEIGHT)
    total = weight.sum(2, keepdim=True)
    centre = (points * weight).sum(2, keepdim=True) / total
    square = ((points - centre) ** 2).sum(-1, keepdim=True)
    return FrameMoments(centre, (square * weight).sum(2, keepdim=True), total)


def root_mean_square(square: Float[Tensor, "*n 1 1"], weight: Float[Tensor, "*n 1 1"]) -> Float[Tensor, "*n 1 1"]:
    """Spread from sums of the ``square`` and ``weight`` of ``FrameMoments``."""
    return (square / weight).sqrt().clamp(min=_MIN_SPREAD)


def into_person_frame(
    pose2d_norm: Float[Tensor, "clips frames joints 3"], frame: PersonFrame
) -> Float[Tensor, "clips frames joints 6"]:
    """Features per joint: x, y relative to the centre in units of the spread, confidence, centre, log spread + 1.5.

    Centre and spread are equal for all joints; they let the network account for perspective. The offset 1.5 centres
    the logarithm for people of usual size, and is part of trained networks.
    """
    centred = (pose2d_norm[..., :2] - frame.centre) / frame.spread
    place = torch.cat([frame.centre, frame.spread.log().expand_as(frame.centre[..., :1]) + 1.5], dim=-1)
    return torch.cat([centred, pose2d_norm[..., 2:], place.expand_as(pose2d_norm)], dim=-1)
