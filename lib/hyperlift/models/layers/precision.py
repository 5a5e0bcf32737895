"""Computes output layers in float32 under bfloat16 autocast."""

from collections.abc import Callable

import torch
from torch import Tensor


def in_float32(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a layer in float32, with autocast disabled.

    Output layers need it: bfloat16 has 8 significant bits, so coordinates near 1 m would have steps of 4 mm, about the
    motion of a body between two frames.

    Args:
        layer: has float32 weights.
        x: input of any precision.
    """
    kind = x.device.type
    if not (torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)):
        return layer(x)
    with torch.autocast(kind, enabled=False):
        return layer(x.float())
