"""Draws random cameras around a recorded motion."""

from dataclasses import dataclass

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.cameras import Camera, look_at, project
from hyperlift.mocap.augmentation.smooth_noise import smooth_noise
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17

_ATTEMPTS = 200
"""Draws until a camera sees enough of the motion. Chosen: nearly all motions need a few."""
_CARRIED_TIME_S = 1.5
"""Time scale of the motion of a hand-held camera. Chosen: one to two seconds."""
_TREMOR_TIME_S = 0.15
"""Time scale of hand tremor. Chosen: several hertz."""
_TREMOR_DEG = 0.25
"""Amplitude of hand tremor. Chosen: small against ``pan_deg``."""


@dataclass(frozen=True, kw_only=True)
class CameraRanges:
    """Ranges of uniform distributions; pairs are (lowest, highest)."""

    fov_deg: tuple[float, float] = (36.0, 85.0)
    """Field of view along the longer side of the picture."""
    distance_m: tuple[float, float] = (2.0, 8.5)
    """Distance from camera to centre of the motion; its logarithm is uniform."""
    height_m: tuple[float, float] = (0.2, 3.0)
    """Height of the camera above the lowest point of the motion, unless ``pitch_deg`` is set."""
    pitch_deg: tuple[float, float] | None = None
    """Pitch towards the centre of the motion, positive downwards; replaces ``height_m``."""
    aim_offset_m: float = 0.5
    """Standard deviation per axis of the target point around the centre of the motion."""
    off_centre: float = 0.0
    """Additional standard deviation of the target, sideways and upward, in units of half the longer picture side:
    people are then off-centre at any distance."""
    roll_deg: float = 6.0
    """Standard deviation of the roll about the optical axis."""
    roll_limit_deg: float = 180.0
    """Maximum roll."""
    moving: float = 0.0
    """Probability of a moving camera, which pans, tilts, rolls, is carried and may follow the person."""
    pan_deg: float = 4.0
    """Standard deviation of the angles of a moving camera over one to two seconds."""
    carry_m: float = 0.25
    """Standard deviation of the position of a moving camera along each axis over one to two seconds."""
    nearest_m: float = 0.9
    """Minimum depth of all joints."""
    visible: float = 0.9
    """Minimum share of joints inside the picture."""
    pictures: tuple[tuple[int, int], ...] = (
        *((1920, 1080), (1280, 720), (1000, 1000), (1000, 1002), (640, 480), (1024, 768)),
        *((854, 480), (1080, 1920), (720, 1280)),
    )
    """(width, height) in pixels; all have equal probability."""

    def __post_init__(self) -> None:
        for name in ("fov_deg", "distance_m", "height_m", "pitch_deg"):
            low, high = getattr(self, name) or (0.0, 0.0)
            if not low <= high:
                raise InputError(f"camera range {name} is {low} … {high}; the lowest value comes first")
        if not 0 < self.fov_deg[0] <= self.fov_deg[1] < 180:
            raise InputError(f"fov_deg {self.fov_deg} must lie between 0 and 180 degrees")
        if self.pitch_deg is not None and not -85 <= self.pitch_deg[0] <= self.pitch_deg[1] <= 85:
            raise InputError(f"pitch_deg {self.pitch_deg} must lie between -85 and 85: level is lost straight above")
        if not 0 <= self.moving <= 1:
            raise InputError(f"moving is {self.moving}; a chance lies between 0 and 1")


def draw_camera(
    joints_m: Float[np.ndarray, "frames joints 3"], ranges: CameraRanges, rng: np.random.Generator
) -> Camera | None:
    """Draw a static camera that sees a motion.

    Args:
        joints_m: the motion in world axes, z up.
        ranges: ranges of the parameters; ``moving`` is ignored.
        rng: random generator.

    Returns:
        A camera, or None if no camera of 200 draws sees enough of the motion.
    """
    for attempt in range(_ATTEMPTS):
        camera, _, _ = _placed(joints_m, ranges, attempt, rng)
        if _sees(camera, joints_m, ranges):
            return camera
    return None


def draw_view(
    joints_m: Float[np.ndarray, "frames joints 3"], fps: float, ranges: CameraRanges, rng: np.random.Generator
) -> Camera | None:
    """Draw a camera that sees a motion; it moves with probability ``ranges.moving``.

    Args:
        joints_m: the motion in world axes, z up.
        fps: frame rate.
        ranges: ranges of the parameters.
        rng: random generator.

    Returns:
        A camera, or None if no camera of 200 draws sees enough of the motion.
    """
    if ranges.moving == 0 or rng.uniform() >= ranges.moving:
        return draw_camera(joints_m, ranges, rng)
    for attempt in range(_ATTEMPTS):
        start, aim_m, roll = _placed(joints_m, ranges, attempt, rng)
        camera = _set_moving(start, aim_m, roll, joints_m, fps, ranges, rng)
        if _sees(camera, joints_m, ranges):
            return camera
    return None


def _placed(
    joints_m: np.ndarray, ranges: CameraRanges, attempt: int, rng: np.random.Generator
) -> tuple[Camera, np.ndarray, float]:
    """Draw a static camera; returns it, its target point, and its roll in radians."""
    middle = joints_m.mean((0, 1))
    width, height = ranges.pictures[rng.integers(len(ranges.pictures))]
    fov = np.radians(rng.uniform(*ranges.fov_deg))
    # The distance grows with each attempt, for motions that cover a large area.
    low, high = np.log(ranges.distance_m)
    distance = np.exp(rng.uniform(low, high)) * (1.0 + attempt / 60.0)
    azimuth = rng.uniform(0.0, 2.0 * np.pi)
    if ranges.pitch_deg is None:
        away, above = distance, rng.uniform(*ranges.height_m) + joints_m[..., 2].min() - middle[2]
    else:
        pitch = np.radians(rng.uniform(*ranges.pitch_deg))
        away, above = distance * np.cos(pitch), distance * np.sin(pitch)
    centre_m = middle + np.array([away * np.cos(azimuth), away * np.sin(azimuth), above])
    aim_m = middle + rng.normal(0.0, ranges.aim_offset_m, 3)
    if ranges.off_centre:
        right, down, _ = look_at(centre_m, middle, 0.0)
        sideways, upward = rng.normal(0.0, ranges.off_centre, 2) * distance * np.tan(fov / 2)
        aim_m += sideways * right - upward * down * min(1.0, height / width)
    roll = np.radians(np.clip(rng.normal(0.0, ranges.roll_deg), -ranges.roll_limit_deg, ranges.roll_limit_deg))
    camera = Camera(
        R=look_at(centre_m, aim_m, roll),
        centre_m=centre_m,
        focal_px=float(max(width, height) / 2 / np.tan(fov / 2)),
        width=int(width),
        height=int(height),
    )
    return camera, aim_m, roll


def _set_moving(
    start: Camera,
    aim_m: np.ndarray,
    roll: float,
    joints_m: np.ndarray,
    fps: float,
    ranges: CameraRanges,
    rng: np.random.Generator,
) -> Camera:
    """Add motion to a static camera; some cameras follow the person with a smoothing delay."""
    frames = len(joints_m)
    amount = rng.uniform(0.2, 1.5)
    centre_m = start.centre_m + amount * ranges.carry_m * smooth_noise(frames, _CARRIED_TIME_S * fps, 3, rng)
    distance = np.linalg.norm(aim_m - start.centre_m)
    slow = ranges.pan_deg * smooth_noise(frames, _CARRIED_TIME_S * fps, 3, rng)
    angles = amount * np.radians(slow + _TREMOR_DEG * smooth_noise(frames, _TREMOR_TIME_S * fps, 3, rng))
    right, down, _ = look_at(start.centre_m, aim_m, 0.0)
    path_m = joints_m[:, H36M_17.root] - joints_m[:, H36M_17.root].mean(0)
    follow = rng.uniform(0.0, 1.0) * rng.integers(2)
    target_m = aim_m + follow * _low_passed(path_m, 0.3 * fps)
    target_m = target_m + distance * (angles[:, :1] * right + angles[:, 1:2] * down)
    return Camera(
        R=look_at(centre_m, target_m, roll + angles[:, 2]),
        centre_m=centre_m,
        focal_px=start.focal_px,
        width=start.width,
        height=start.height,
    )


def _low_passed(path_m: np.ndarray, frames: float) -> np.ndarray:
    window = np.hanning(2 * max(round(frames), 1) + 3)[1:-1]
    padded = np.pad(path_m, ((len(window) // 2,) * 2, (0, 0)), mode="edge")
    smooth = [np.convolve(column, window / window.sum(), mode="valid") for column in padded.T]
    return np.stack(smooth, axis=-1)


def _sees(camera: Camera, joints_m: np.ndarray, ranges: CameraRanges) -> bool:
    seen_m = camera.to_camera(joints_m)
    if seen_m[..., 2].min() < ranges.nearest_m:
        return False
    points_px = project(seen_m, camera.K)
    inside = ((points_px >= 0) & (points_px < [camera.width, camera.height])).all(-1)
    return bool(inside.mean() >= ranges.visible)
