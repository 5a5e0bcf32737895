"""Antialiased strokes, areas and text on an array of pixels, with Matplotlib's Agg renderer.

Figures, axes and artists are not used: they would take more time than the drawing. All coordinates are pixels, x to the
right and y down from the upper left corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform

from hyperlift.shapes import Float, Shaped

_POINTS_AN_INCH = 72
"""At this resolution, a point is a pixel."""
_UNIT_LINE = Path(np.array([[0.0, 0.0], [1.0, 0.0]]))
"""The path of a stroke, which an affine transform maps to each segment."""
_NO_OFFSET, _NO_FACE = np.zeros((0, 2)), np.zeros((0, 4))
_GLYPH_MARGIN = 2
"""Pixels around a glyph. Chosen: for antialiasing and overhanging letters."""


class Brush:
    """Draws on ``pixels``, uint8 [height, width, 4]: RGB and an unused byte."""

    def __init__(self, width: int, height: int) -> None:
        # Any: the type hints of RendererAgg accept single colours only, although arrays are valid.
        self._renderer: Any = RendererAgg(width, height, _POINTS_AN_INCH)
        self.pixels: Shaped[np.ndarray, "height width 4"] = np.asarray(self._renderer.buffer_rgba())
        self.pixels[:] = 255
        self._height = height
        self._flip = Affine2D().scale(1, -1).translate(0, height)
        self._here = IdentityTransform()
        self._context = self._renderer.new_gc()
        self._context.set_capstyle("round")
        self._context.set_snap(False)
        self._glyphs: dict[tuple[str, float, bool], _Glyph] = {}

    def within(self, left: int, right: int) -> None:
        """Clip later strokes and areas to the columns from ``left`` to ``right``."""
        self._context.set_clip_rectangle(Bbox([[left, 0], [right, self._height]]))

    def strokes(
        self,
        segments_px: Float[np.ndarray, "strokes 2 2"],
        colours: Float[np.ndarray, "strokes 4"],
        widths_px: Float[np.ndarray, " strokes"],
    ) -> None:
        """Draw straight strokes with round ends in order; a stroke of length 0 is a disc.

        Args:
            segments_px: both ends, finite.
            colours: RGB and opacity, 0..1.
            widths_px: width of each stroke.
        """
        if not len(segments_px):
            return
        start, along = segments_px[:, 0], segments_px[:, 1] - segments_px[:, 0]
        # Agg does not draw paths of length 0.
        along = np.where(np.abs(along).max(-1, keepdims=True) < 0.01, [0.01, 0.0], along)
        placed = np.zeros((len(segments_px), 3, 3))
        placed[:, :2, 0], placed[:, :2, 2] = along, start
        placed[:, 1, 1] = placed[:, 2, 2] = 1
        self._renderer.draw_path_collection(
            self._context,
            self._flip,
            [_UNIT_LINE] * len(segments_px),
            placed,
            _NO_OFFSET,
            self._here,
            _NO_FACE,
            colours,
            widths_px,
            [(0, None)],
            [True],
            [None],
            "screen",
        )

    def area(self, corners_px: Float[np.ndarray, "corners 2"], colour: str) -> None:
        """Draw a filled polygon."""
        self._context.set_linewidth(0.0)
        outline = Path(np.concatenate([corners_px, corners_px[:1]]), closed=True)
        self._renderer.draw_path(self._context, outline, self._flip, to_rgba(colour))

    def text(
        self, text: str, x: float, y: float, size_px: float, colour: str, align: str = "left", bold: bool = False
    ) -> None:
        """Draw one line of text, vertically centred on ``y``; ``align`` selects the part of it that is at ``x``."""
        glyphs = [self._glyph(letter, size_px, bold) for letter in text]
        if not glyphs:
            return
        starts = np.cumsum([0.0, *(glyph.advance_px for glyph in glyphs)])
        x -= {"left": 0.0, "center": starts[-1] / 2, "right": starts[-1]}[align]
        height, width = glyphs[0].cover.shape
        line = np.zeros((height, round(starts[-1]) + width), np.float32)
        for glyph, start in zip(glyphs, starts, strict=False):
            part = line[:, round(start) : round(start) + width]
            np.maximum(part, glyph.cover, out=part)
        self._blend(line, round(x) - _GLYPH_MARGIN, round(y) - height // 2, colour)

    def tag(self, text: str, x: float, y: float, size_px: float, colour: str) -> None:
        """Draw white text on a rounded rectangle, centred on x, y."""
        half = size_px * (0.32 * len(text) - 0.15)
        ends = np.array([[[x - half, y], [x + half, y]]])
        self.strokes(ends, rgba([colour]), np.array([1.55 * size_px]))
        self.text(text, x, y, size_px, "white", align="center", bold=True)

    def _glyph(self, letter: str, size_px: float, bold: bool) -> "_Glyph":
        """A cached glyph; drawing text with Matplotlib in every frame would take most of the time."""
        key = letter, size_px, bold
        if key not in self._glyphs:
            font = FontProperties(size=size_px, weight="bold" if bold else None)
            width = 2 * _GLYPH_MARGIN + int(np.ceil(1.4 * size_px))
            height = 2 * round(size_px)
            renderer = RendererAgg(width, height, _POINTS_AN_INCH)
            context = renderer.new_gc()
            context.set_foreground((0.0, 0.0, 0.0, 1.0), isRGBA=True)
            # Digits and capitals of DejaVu Sans are 0.73 of the font size high; the line is centred on their middle.
            renderer.draw_text(context, _GLYPH_MARGIN, round(height / 2 + 0.365 * size_px), letter, font, 0)
            cover = np.asarray(renderer.buffer_rgba())[..., 3] / np.float32(255)

            def between_zeros(text: str) -> float:
                return renderer.get_text_width_height_descent(f"0{text}0", font, ismath=False)[0]

            self._glyphs[key] = _Glyph(cover, between_zeros(letter) - between_zeros(""))
        return self._glyphs[key]

    def _blend(self, cover: Float[np.ndarray, "rows columns"], x: int, y: int, colour: str) -> None:
        """Blend a colour into the pixels by its coverage, clipped to the picture."""
        top, left = max(0, -y), max(0, -x)
        ground = self.pixels[max(0, y) : max(0, y + cover.shape[0]), max(0, x) : max(0, x + cover.shape[1]), :3]
        share = cover[top : top + ground.shape[0], left : left + ground.shape[1], None]
        ink = np.array(to_rgba(colour)[:3], np.float32) * 255
        ground[:] = ground + (ink - ground) * share


@dataclass(frozen=True, eq=False)
class _Glyph:
    cover: Float[np.ndarray, "rows columns"]
    """Coverage of each pixel, 0..1."""
    advance_px: float


def rgba(colours: Sequence[str], opacity: float = 1.0) -> Float[np.ndarray, "colours 4"]:
    """Named colours as rows of RGB and opacity."""
    return np.array([to_rgba(colour, opacity) for colour in colours]).reshape(-1, 4)
