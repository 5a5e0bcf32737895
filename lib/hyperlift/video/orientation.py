"""How a stored picture must be turned to stand upright: the display matrix of phone videos."""

from dataclasses import dataclass

import numpy as np

from hyperlift.shapes import Shaped


@dataclass(frozen=True)
class Orientation:
    """First exchange rows and columns, then reverse them: all eight ways to lay a rectangle on itself."""

    transposed: bool = False
    reversed_x: bool = False
    reversed_y: bool = False

    @property
    def rotation_deg(self) -> int:
        """Clockwise turn from stored to upright: 0, 90, 180 or 270. Of a mirrored picture, the turn before the
        mirroring from left to right."""
        if self.transposed:
            return 90 if self.reversed_x != self.mirrored else 270
        return 180 if self.reversed_y else 0

    @property
    def mirrored(self) -> bool:
        """Whether left and right are exchanged besides the turn."""
        return self.transposed ^ self.reversed_x ^ self.reversed_y

    def upright(self, stored: Shaped[np.ndarray, "_ _ channels"]) -> Shaped[np.ndarray, "_ _ channels"]:
        """Turn a picture; a view where nothing has to move, contiguous in memory otherwise."""
        if not (self.transposed or self.reversed_x or self.reversed_y):
            return stored
        turned = stored.swapaxes(0, 1) if self.transposed else stored
        turned = turned[:: -1 if self.reversed_y else 1, :: -1 if self.reversed_x else 1]
        return np.ascontiguousarray(turned)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height before from those after the turn, and the other way round."""
        return (height, width) if self.transposed else (width, height)


UPRIGHT = Orientation()
"""Shown as stored."""
