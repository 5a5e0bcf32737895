"""Random cameras around a recorded motion, far more varied than the four of a laboratory."""

from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.cameras import Camera, look_at, project
from hyperlift.shapes import Float


@dataclass(frozen=True, kw_only=True)
class CameraRanges:
    """Uniform ranges; a pair is (lowest, highest)."""

    fov_deg: tuple[float, float] = (36.0, 85.0)
    """Field of view over the longer side of the picture."""
    distance_m: tuple[float, float] = (2.0, 8.5)
    """From the camera to the middle of the motion, drawn uniformly in its logarithm."""
    height_m: tuple[float, float] = (0.2, 3.0)
    aim_offset_m: float = 0.5
    """Standard deviation, sideways and upward, of the point aimed at around the middle of the body."""
    roll_deg: float = 6.0
    """Standard deviation of the roll about the optical axis."""
    nearest_m: float = 0.9
    """No joint comes closer to the picture plane than this."""
    visible: float = 0.9
    """Smallest fraction of projected joints inside the picture."""
    pictures: tuple[tuple[int, int], ...] = (
        *((1920, 1080), (1280, 720), (1000, 1000), (1000, 1002), (640, 480), (1024, 768)),
        *((854, 480), (1080, 1920), (720, 1280)),
    )
    """(width, height) in pixels, each as likely as the others."""

    def __post_init__(self) -> None:
        for name in ("fov_deg", "distance_m", "height_m"):
            low, high = getattr(self, name)
            if not low <= high:
                raise InputError(f"camera range {name} is {low} … {high}; the lowest value comes first")
        if not 0 < self.fov_deg[0] <= self.fov_deg[1] < 180:
            raise InputError(f"fov_deg {self.fov_deg} must lie between 0 and 180 degrees")


def draw_camera(
    joints_m: Float[np.ndarray, "frames joints 3"], ranges: CameraRanges, rng: np.random.Generator
) -> Camera | None:
    """Draw a static camera that sees a motion.

    Args:
        joints_m: the motion, world axes, z up.
        ranges: what to draw from.
        rng: source of every draw.

    Returns:
        A camera, or None when 200 draws found none that sees enough of the motion.
    """
    middle = joints_m.mean((0, 1))
    for attempt in range(200):
        width, height = ranges.pictures[rng.integers(len(ranges.pictures))]
        fov = np.radians(rng.uniform(*ranges.fov_deg))
        # A motion that covers much ground is seen from farther away: widen the range slowly.
        low, high = np.log(ranges.distance_m)
        distance = np.exp(rng.uniform(low, high)) * (1.0 + attempt / 60.0)
        azimuth = rng.uniform(0.0, 2.0 * np.pi)
        centre = np.array(
            [
                middle[0] + distance * np.cos(azimuth),
                middle[1] + distance * np.sin(azimuth),
                rng.uniform(*ranges.height_m) + joints_m[..., 2].min(),
            ]
        )
        aim = middle + rng.normal(0.0, ranges.aim_offset_m, 3)
        camera = Camera(
            R=look_at(centre, aim, np.radians(rng.normal(0.0, ranges.roll_deg))),
            centre_m=centre,
            focal_px=float(max(width, height) / 2 / np.tan(fov / 2)),
            width=int(width),
            height=int(height),
        )
        seen_m = camera.to_camera(joints_m)
        if seen_m[..., 2].min() < ranges.nearest_m:
            continue
        points_px = project(seen_m, camera.K)
        inside = ((points_px >= 0) & (points_px < [width, height])).all(-1)
        if inside.mean() >= ranges.visible:
            return camera
    return None
