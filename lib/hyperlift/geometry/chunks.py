"""Long recordings a stretch at a time.

A step over all frames of a recording makes several arrays on its way that are as large as its result. Hours of video
would fill the memory with them, so such a step is done for some thousands of frames after the other. The numbers stay
the same to the last bit: no stretch is smoothed or summed apart from its neighbours.
"""

from collections.abc import Iterator

import numpy as np

from hyperlift.shapes import Int

CHUNK_FRAMES = 4096
"""Frames of one stretch."""
MAX_SPAN = 10**7
"""Frames of the longest recording: 92 hours of 30 frames a second."""
_SPARSE_SPAN = 10**5
_SPARSEST = 10**4
"""A recording longer than ``_SPARSE_SPAN`` frames has a sighting in every so many of them, at least."""


def frame_chunks(frames: int) -> Iterator[slice]:
    """Slices that cover so many frames, in order.

    Args:
        frames: of the recording; 0 has no stretch.
    """
    return (slice(first, min(first + CHUNK_FRAMES, frames)) for first in range(0, frames, CHUNK_FRAMES))


def max_span(sightings: int) -> int:
    """The most frames that a recording with so many sightings may have: with more, the numbers are none of frames, and
    what has an entry a frame would fill the memory."""
    return min(MAX_SPAN, max(_SPARSE_SPAN, _SPARSEST * sightings))


def frames_text(frame: Int[np.ndarray, " frames"]) -> str:
    """First and last of some frames, for people."""
    return f"frames {frame[0]}–{frame[-1]}" if len(frame) else "no frames"
