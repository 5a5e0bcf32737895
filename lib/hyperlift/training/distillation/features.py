"""Captures the hidden layers of a lifter with forward hooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import Tensor, nn

from hyperlift.models.hyperlifter.lifter import HyperLifter


@dataclass(frozen=True)
class Features:
    """Hidden activations, one entry per layer, after the shared LayerNorm.

    Normalised activations have the same scale in all networks and layers, so that a loss weight does not depend on the
    teacher, and the student need not match the magnitude of a residual sum.
    """

    spatial: list[Tensor] = field(default_factory=list)
    """[clips * tokens, joints, channels]"""
    temporal: list[Tensor] = field(default_factory=list)
    """[clips * joints, tokens, channels]"""


@contextmanager
def capture_features(model: nn.Module) -> Iterator[Features]:
    """Collect the hidden activations of the lifter inside ``model`` during one forward pass within the context.

    Args:
        model: a ``HyperLifter``, or a wrapper around one.
    """
    transformer, features = lifter_inside(model).transformer, Features()
    assert transformer is not None
    # The LayerNorm shared by all layers runs once per layer, in order.
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
    """The lifter inside wrappers such as DistributedDataParallel or torch.compile."""
    return next(module for module in model.modules() if isinstance(module, HyperLifter))
