"""Orientation of stored pictures, as in the display matrix of phone videos."""

from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Shaped


@dataclass(frozen=True)
class Orientation:
    """Transposition, then reversal of the axes: all eight rotations and reflections of a rectangle."""

    transposed: bool = False
    reversed_x: bool = False
    reversed_y: bool = False

    @property
    def rotation_deg(self) -> int:
        """Clockwise rotation from stored to upright: 0, 90, 180 or 270; for a mirrored picture, before the horizontal
        reflection."""
        if self.transposed:
            return 90 if self.reversed_x != self.mirrored else 270
        return 180 if self.reversed_y else 0

    @property
    def mirrored(self) -> bool:
        """Whether the orientation includes a reflection."""
        return self.transposed ^ self.reversed_x ^ self.reversed_y

    def upright(self, stored: Shaped[np.ndarray, "_ _ channels"]) -> Shaped[np.ndarray, "_ _ channels"]:
        """Turn a picture upright; the same array if it is upright, otherwise a contiguous copy."""
        if not (self.transposed or self.reversed_x or self.reversed_y):
            return stored
        turned = stored.swapaxes(0, 1) if self.transposed else stored
        turned = turned[:: -1 if self.reversed_y else 1, :: -1 if self.reversed_x else 1]
        return np.ascontiguousarray(turned)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Convert width and height from stored to upright, or back."""
        return (height, width) if self.transposed else (width, height)


UPRIGHT = Orientation()
"""Stored pictures are upright."""
