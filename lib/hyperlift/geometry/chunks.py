"""Chunks of a long recording, which bound the memory of temporary arrays; and limits on the length of a recording.

Only operations that treat frames independently run in chunks, so the result does not depend on the chunk size.
"""

from collections.abc import Iterator

import numpy as np

from hyperlift.shapes import Int

CHUNK_FRAMES = 4096
"""Frames per chunk. Chosen: a float64 array of 17 joints x 3 takes 1.7 MB, small against the memory of any machine, and
the cost per call of NumPy is negligible."""
MAX_SPAN = 10**7
"""Maximal number of frames from the first to the last. Chosen: 92 h at 30 fps, longer than any recording."""
_SPARSE_SPAN = 10**5
"""Span in frames (55 min at 30 fps) up to which a recording may be arbitrarily sparse: chosen so that arrays with one
entry per frame stay small."""
_MAX_FRAMES_PER_SIGHTING = 10**4
"""Beyond ``_SPARSE_SPAN``, a larger mean distance between sightings (5.5 min at 30 fps) means that the numbers in the
file are not frame numbers, such as time stamps. Chosen."""


def frame_chunks(frames: int) -> Iterator[slice]:
    """Consecutive slices of ``CHUNK_FRAMES`` that cover all frames; the last one may be shorter."""
    return (slice(first, min(first + CHUNK_FRAMES, frames)) for first in range(0, frames, CHUNK_FRAMES))


def max_span(sightings: int) -> int:
    """Maximal span in frames of a recording with this number of sightings. A larger span shows that the numbers are not
    frame numbers; arrays with one entry per frame would fill the memory."""
    return min(MAX_SPAN, max(_SPARSE_SPAN, _MAX_FRAMES_PER_SIGHTING * sightings))


def frames_text(frame: Int[np.ndarray, " frames"]) -> str:
    """The first and last frame number as readable text."""
    return f"frames {frame[0]}–{frame[-1]}" if len(frame) else "no frames"
