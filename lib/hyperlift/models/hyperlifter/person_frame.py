"""Input seen from the person instead of from the picture."""

from typing import NamedTuple

import torch
from torch import Tensor

from hyperlift.shapes import Float

_LEAST_WEIGHT = 0.05
"""Weight of a joint without confidence, so that a frame of guesses still has a centre."""

_LEAST_SPREAD = 1e-4
"""Smallest spread in normalised picture units: a person of a tenth of a pixel."""

OF_ALL_JOINTS = slice(3, 6)
"""Which of the numbers that ``into_person_frame`` gives a joint are the same for all."""


class PersonFrame(NamedTuple):
    """Where a person stands in the picture and how large."""

    centre: Float[Tensor, "clips frames 1 2"]
    """Mean of the joints, weighted by confidence, normalised picture space."""
    spread: Float[Tensor, "clips 1 1 1"]
    """Root mean square distance of the joints from it over the clip, normalised picture units."""


def person_frame(pose2d_norm: Float[Tensor, "clips frames joints 3"]) -> PersonFrame:
    """Measure centre (per frame) and spread (per clip, so that motion towards the camera stays visible)."""
    centre, square, weight = frame_moments(pose2d_norm)
    return PersonFrame(centre, root_mean_square(square.sum(1, keepdim=True), weight.sum(1, keepdim=True)))


class FrameMoments(NamedTuple):
    """What one frame tells of a person's place and size, joints weighted by confidence."""

    centre: Float[Tensor, "clips frames 1 2"]
    square: Float[Tensor, "clips frames 1 1"]
    """Sum of the weighted square distances from the centre."""
    weight: Float[Tensor, "clips frames 1 1"]
    """Sum of the weights."""


def frame_moments(pose2d_norm: Float[Tensor, "clips frames joints 3"]) -> FrameMoments:
    """Measure every frame by itself."""
    points, weight = pose2d_norm[..., :2], pose2d_norm[..., 2:].clamp(min=_LEAST_WEIGHT)
    total = weight.sum(2, keepdim=True)
    centre = (points * weight).sum(2, keepdim=True) / total
    square = ((points - centre) ** 2).sum(-1, keepdim=True)
    return FrameMoments(centre, (square * weight).sum(2, keepdim=True), total)


def root_mean_square(square: Float[Tensor, "*n 1 1"], weight: Float[Tensor, "*n 1 1"]) -> Float[Tensor, "*n 1 1"]:
    """The spread that sums of ``FrameMoments`` stand for."""
    return (square / weight).sqrt().clamp(min=_LEAST_SPREAD)


def into_person_frame(
    pose2d_norm: Float[Tensor, "clips frames joints 3"], frame: PersonFrame
) -> Float[Tensor, "clips frames joints 6"]:
    """Six numbers a joint: x, y from the person's centre in units of its spread, the confidence, and where that is.

    The last three (centre x, y, logarithm of the spread) are the same for all joints; they tell the network from
    which side perspective sees the person.
    """
    centred = (pose2d_norm[..., :2] - frame.centre) / frame.spread
    place = torch.cat([frame.centre, frame.spread.log().expand_as(frame.centre[..., :1]) + 1.5], dim=-1)
    return torch.cat([centred, pose2d_norm[..., 2:], place.expand_as(pose2d_norm)], dim=-1)
