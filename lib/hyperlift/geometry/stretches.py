"""Long recordings a stretch at a time.

A step over all frames of a recording makes several arrays on its way that are as large as its result. Hours of video
would fill the memory with them, so such a step is done for some thousands of frames after the other. The numbers stay
the same to the last bit: no stretch is smoothed or summed apart from its neighbours.
"""

from collections.abc import Iterator

STRETCH = 4096
"""Frames of one stretch."""


def stretches(frames: int) -> Iterator[slice]:
    """Slices that cover so many frames, in order.

    Args:
        frames: of the recording; 0 has no stretch.
    """
    return (slice(first, min(first + STRETCH, frames)) for first in range(0, frames, STRETCH))
