"""What stays in float32 where the rest of a network is computed in bfloat16."""

from collections.abc import Callable

import torch
from torch import Tensor


def in_float32(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a layer outside of autocast.

    For the layers that answer: bfloat16 has three digits, so that poses of a metre would come in steps of 4 mm, about
    what a body moves from one frame to the next.

    Args:
        layer: with weights in float32.
        x: its input, of any precision.
    """
    kind = x.device.type
    if not (torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)):
        return layer(x)
    with torch.autocast(kind, enabled=False):
        return layer(x.float())
