"""The hidden layers of a lifter, seen from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import Tensor, nn

from hyperlift.models.hyperlifter.lifter import HyperLifter


@dataclass(frozen=True)
class Features:
    """One entry a depth, in the form in which the next block receives it: after the shared LayerNorm.

    Normalised activations have the same scale in every network and at every depth, so a weight means the same
    whichever teacher is chosen, and no part of the student is spent on matching the size of a residual sum.
    """

    spatial: list[Tensor] = field(default_factory=list)
    """[clips * tokens, joints, channels]"""
    temporal: list[Tensor] = field(default_factory=list)
    """[clips * joints, tokens, channels]"""


@contextmanager
def captured(model: nn.Module) -> Iterator[Features]:
    """Collect the hidden layers of the lifter inside ``model`` while the block runs it once.

    Args:
        model: a ``HyperLifter``, or a wrapper around one.
    """
    transformer, features = lifter_inside(model).transformer, Features()
    assert transformer is not None
    # A LayerNorm shared by all depths is called once a depth, in order.
    hooks = [
        norm.register_forward_hook(lambda module, inputs, output, into=into: into.append(output))
        for norm, into in ((transformer.spatial_norm, features.spatial), (transformer.temporal_norm, features.temporal))
    ]
    try:
        yield features
    finally:
        for hook in hooks:
            hook.remove()
    assert len(features.spatial) == len(features.temporal) == transformer.config.depth


def lifter_inside(model: nn.Module) -> HyperLifter:
    """The lifter itself, whatever runs it on several devices or compiles it."""
    return next(module for module in model.modules() if isinstance(module, HyperLifter))
