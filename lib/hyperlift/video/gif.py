"""Atomic writing of animated gifs with one palette for all pictures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from PIL import Image

from hyperlift.shapes import Shaped
from hyperlift.video.atomic_encoding import written_whole
from hyperlift.video.facts import Picture

FASTEST_FPS = 25.0
"""Highest frame rate. Chosen: browsers slow down frames of less than 0.02 s, and files grow."""
_TICKS = 100
"""Clock ticks per second of the format (GIF89a)."""
_EXACT = 64
"""Number of the most frequent colours that the palette keeps exactly. Chosen: flat areas of drawings stay flat."""


def palette_of(pictures: Sequence[Picture]) -> Shaped[np.ndarray, "256 3"]:
    """A palette of 256 colours for drawings: the most frequent ones, and a median cut of the others.

    Args:
        pictures: some typical pictures, uint8 RGB [H,W,3].
    """
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in pictures]).astype(np.uint32)
    packed, counts = np.unique(pixels @ np.array([65536, 256, 1], np.uint32), return_counts=True)
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1).astype(np.uint8)
    order = np.argsort(-counts, kind="stable")
    exact, rest = colours[order[:_EXACT]], colours[order[_EXACT:]]
    if len(rest) > 256 - _EXACT:
        # Each colour counts once, so that thin lines have the same weight as the background.
        middles = Image.fromarray(rest[None]).quantize(256 - _EXACT, method=Image.Quantize.MEDIANCUT)
        rest = np.array(middles.getpalette(), np.uint8).reshape(-1, 3)[: 256 - _EXACT]
    palette = np.zeros((256, 3), np.uint8)
    both = np.concatenate([exact, rest])
    palette[: len(both)] = both
    return palette


class GifWriter:
    """Writer of a looping gif. Use ``write_gif``, which closes it."""

    def __init__(
        self, path: Path, width: int, height: int, palette: Shaped[np.ndarray, "256 3"], last_s: float
    ) -> None:
        options = {"loop": "0", "final_delay": str(max(2, round(last_s * _TICKS)))}
        self._container = av.open(str(path), "w", format="gif", options=options)
        stream = self._container.add_stream("gif", rate=_TICKS)
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        self._stream = stream
        self._palette = Image.new("P", (1, 1))
        self._palette.putpalette(palette.tobytes())
        # The encoder expects ARGB.
        self._entries = np.concatenate([np.full((256, 1), 255, np.uint8), palette], axis=1)
        self._last_ticks = -1

    def add(self, picture: Picture, time_s: float) -> None:
        """Append one picture, uint8 RGB [H,W,3], shown from ``time_s`` on, later than the one before."""
        indices = np.asarray(Image.fromarray(picture).quantize(palette=self._palette, dither=Image.Dither.NONE))
        # Any: pal8 is given as a pair of indices and palette, which PyAV's annotations lack.
        coloured: Any = (np.ascontiguousarray(indices), self._entries)
        frame = av.VideoFrame.from_ndarray(coloured, format="pal8")
        self._last_ticks = max(round(time_s * _TICKS), self._last_ticks + 1)
        frame.pts, frame.time_base = self._last_ticks, Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flush the encoder and close the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Close the file without flushing, after an error."""
        with suppress(av.error.FFmpegError):
            self._container.close()


@contextmanager
def write_gif(
    path: Path | str, width: int, height: int, palette: Shaped[np.ndarray, "256 3"], last_s: float = 0.1
) -> Iterator[GifWriter]:
    """Open a gif for writing; it appears at ``path`` only if the block succeeds.

    Args:
        path: the gif; its folder is created.
        width: in pixels.
        height: in pixels.
        palette: of ``palette_of``.
        last_s: duration of the last picture before the gif loops.

    Raises:
        InputError: the folder cannot be written, or the disk is full.
    """
    with written_whole(path, lambda partial: GifWriter(partial, width, height, palette, last_s)) as writer:
        yield writer
