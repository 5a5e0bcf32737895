"""The static camera of the 3D view, and the floor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.body.person import Person
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

AZIMUTH_DEG = 35.0
"""Azimuth of the view, which makes depth visible. The camera moves to its right, or to its left if that separates
people more."""
ELEVATION_DEG = 16.0
"""Elevation of the view. Chosen: shows the floor, and bodies nearly from the side."""
_MARGIN_M = 0.65
"""Floor beyond the outermost roots. Chosen: the reach of an arm or a step."""
_EYE_LEVEL_M = 0.9
"""Height that the camera points at. Chosen: half of a standing height."""
_NEAREST_VIEWER_M, _STEP_BACK = 6.0, 1.6
"""Distance of the viewer: at least this, and this multiple of the floor's diagonal. Chosen: weak perspective."""
_ROBUST_PERCENT = (1.0, 99.0)
"""Percentiles that define the extent. Chosen: an outlier frame must not shrink the view."""
_LABEL_ROOM_M = 0.3
"""Room for tags above the heads."""
_CELLS_M = (1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 1000.0)
"""Cell sizes of the floor; the smallest that needs at most ``_MAX_CELLS`` cells is used."""
_MAX_CELLS = 14
"""Largest number of cells along a side. Chosen: lines stay distinguishable."""


@dataclass(frozen=True)
class Floor:
    """A rectangle of square cells at height 0, stage metres."""

    left_m: float
    right_m: float
    near_m: float
    far_m: float
    cell_m: float

    @classmethod
    def under(cls, people: Sequence[Person]) -> "Floor":
        """The floor under all paths, in whole cells; one cell or more without people."""
        ranges = [_robust_range(person.world_m[:, H36M_17.root, :2]) for person in people]
        known = [r for r in ranges if r is not None] or [np.zeros((2, 2))]
        low, high = np.min([r[0] for r in known], axis=0) - _MARGIN_M, np.max([r[1] for r in known], axis=0) + _MARGIN_M
        extent = float((high - low).max())
        cell = next((cell for cell in _CELLS_M if extent / cell <= _MAX_CELLS), _CELLS_M[-1])
        low, high = np.floor(low / cell) * cell, np.ceil(high / cell) * cell
        return cls(float(low[0]), float(high[0]), float(low[1]), float(high[1]), cell)

    @property
    def corners_m(self) -> Float[np.ndarray, "4 3"]:
        """The corners in order around the rectangle."""
        x, y = (self.left_m, self.right_m), (self.near_m, self.far_m)
        return np.array([[x[0], y[0], 0.0], [x[1], y[0], 0.0], [x[1], y[1], 0.0], [x[0], y[1], 0.0]])

    @property
    def lines_m(self) -> Float[np.ndarray, "lines 2 3"]:
        """Both ends of each line of the grid."""
        across = np.arange(self.left_m, self.right_m + self.cell_m / 2, self.cell_m)
        along = np.arange(self.near_m, self.far_m + self.cell_m / 2, self.cell_m)
        return np.array(
            [[[x, self.near_m, 0.0], [x, self.far_m, 0.0]] for x in across]
            + [[[self.left_m, y, 0.0], [self.right_m, y, 0.0]] for y in along]
        )


class SceneView:
    """A static perspective camera that sees all paths.

    It projects stage metres (x right, y away from the camera of the video, z up) to pixels of one panel.
    """

    def __init__(self, people: Sequence[Person], floor: Floor, panel_px: tuple[float, float, float, float]) -> None:
        """Fit the view into a panel (left, top, right, bottom)."""
        azimuth, elevation = _better_side(people), np.deg2rad(ELEVATION_DEG)
        cos, sin = np.cos(elevation), np.sin(elevation)
        level = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
        up = np.array([0.0, 0.0, 1.0])
        # Rows: right, down and away from the viewer.
        self._axes = np.stack(
            [[np.cos(azimuth), np.sin(azimuth), 0.0], -(cos * up + sin * level), cos * level - sin * up]
        )
        corners = floor.corners_m
        self._centre_m = np.append(corners[:, :2].mean(0), _EYE_LEVEL_M)
        diagonal = float(np.linalg.norm(corners[2] - corners[0]))
        self._back_m = max(_NEAREST_VIEWER_M, _STEP_BACK * diagonal)
        self._focal_px, self._middle_px = 1.0, np.zeros(2)
        self._fit(people, corners, panel_px)

    def project(self, points_m: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
        """Project stage metres to x, y in pixels and the distance from the viewer in metres."""
        seen = (points_m - self._centre_m) @ self._axes.T
        distance = np.maximum(seen[..., 2:] + self._back_m, 0.2 * self._back_m)
        return np.concatenate([seen[..., :2] * self._focal_px / distance + self._middle_px, distance], axis=-1)

    def px_per_m(self, distance_m: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
        """Pixels per metre at a distance from the viewer."""
        return self._focal_px / distance_m

    def _fit(
        self,
        people: Sequence[Person],
        corners: Float[np.ndarray, "4 3"],
        panel_px: tuple[float, float, float, float],
    ) -> None:
        """Choose focal length and principal point so that the scene fills the panel."""
        head_room = np.array([0.0, 0.0, _LABEL_ROOM_M])
        ranges = [_robust_range(self.project(p.world_m + head_room)[..., :2].reshape(-1, 2)) for p in people]
        seen = np.concatenate([self.project(corners)[:, :2], *(r for r in ranges if r is not None)])
        low, high = seen.min(0), seen.max(0)
        panel_low, panel_high = np.array(panel_px[:2], float), np.array(panel_px[2:], float)
        self._focal_px = float(((panel_high - panel_low) / (high - low)).min())
        self._middle_px = (panel_low + panel_high) / 2 - self._focal_px * (low + high) / 2


def _better_side(people: Sequence[Person]) -> float:
    """The azimuth, + or − ``AZIMUTH_DEG``, that separates the roots more; radians."""
    roots = [person.world_m[:, H36M_17.root, :2] for person in people]
    roots = np.concatenate(roots or [np.zeros((1, 2))])
    roots = roots[np.isfinite(roots).all(-1)]
    if not len(roots):
        return float(np.deg2rad(AZIMUTH_DEG))
    side = np.deg2rad(AZIMUTH_DEG)
    spread = [float(np.std(roots @ [np.cos(angle), np.sin(angle)])) for angle in (side, -side)]
    return float(side if spread[0] > spread[1] - 0.1 else -side)


def _robust_range(points: Float[np.ndarray, "points axes"]) -> Float[np.ndarray, "2 axes"] | None:
    finite = points[np.isfinite(points).all(-1)]
    return np.percentile(finite, _ROBUST_PERCENT, axis=0) if len(finite) else None
