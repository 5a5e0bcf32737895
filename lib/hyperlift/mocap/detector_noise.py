"""Virtual detector: 2D errors relative to the size of the person, correlated in time, with matching confidence.

The error of a joint is the sum of a constant offset (bias of the detector), a slow drift and a fast jitter (two
Ornstein–Uhlenbeck processes). In bursts, while a joint is occluded or at random times, the drift is amplified, or the
point is lost and interpolated. In addition, the two sides of a limb may be swapped.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from hyperlift.errors import InputError
from hyperlift.geometry.interpolation import interpolate_missing
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.skeleton import Skeleton

_DIFFICULTY = {
    **{"Hip": 1.15, "Knee": 1.0, "Ankle": 1.15, "Shoulder": 0.85, "Elbow": 1.05, "Wrist": 1.3},
    **{"BigToe": 1.3, "SmallToe": 1.4, "Heel": 1.3, "Hand": 1.5},
    **{"Pelvis": 0.9, "Spine": 0.8, "Thorax": 0.7, "Nose": 0.8, "Head": 0.9},
}
"""Relative error of each joint. Chosen: ends of limbs move fast, hips are covered by clothes."""


@dataclass(frozen=True, kw_only=True)
class DetectorNoise:
    """Parameters of the errors; lengths are fractions of the standing height in the picture, times are seconds."""

    offset: float = 0.005
    drift: float = 0.007
    drift_time_s: float = 0.35
    jitter: float = 0.0025
    jitter_time_s: float = 0.03
    burst_factor: float = 4.0
    """Amplification of the drift within a burst."""
    bursts_per_minute: float = 2.5
    """Rate of random bursts per joint, in addition to those during occlusion."""
    burst_time_s: float = 0.45
    """Mean length of a random burst."""
    spikes_per_minute: float = 0.0
    """Rate of outliers of one or two frames per joint."""
    spike: float = 0.06
    """Standard deviation of outliers along each axis."""
    hidden_known: float = 0.85
    """Probability that a burst lowers the confidence."""
    lost: float = 0.15
    """Probability that a joint is lost in a burst: confidence 0, position interpolated."""
    swaps_per_minute: float = 0.6
    """Rate of left–right swaps per joint pair."""
    severity_spread: float = 0.35
    """Standard deviation of the logarithm of the overall error of a video, which varies the quality of detectors."""
    doubt: float = 0.05
    """1 - confidence of an exact joint."""
    doubt_per_error: float = 2.0
    """Increase of 1 - confidence per error in standing heights; errors are limited to 0.12."""
    doubt_hidden: float = 0.35
    """Increase of 1 - confidence within a burst that lowers the confidence."""
    doubt_spread: float = 0.6
    """Standard deviation of the logarithm of 1 - confidence, with a correlation time of 0.2 s."""

    def __post_init__(self) -> None:
        negative = [name for name, value in vars(self).items() if value < 0]
        if negative:
            raise InputError(f"detector noise: {', '.join(negative)} must not be negative")


def corrupt_keypoints(
    points_px: Float[np.ndarray, "frames joints 2"],
    size_px: Float[np.ndarray, " frames"],
    hidden: Bool[np.ndarray, "frames joints"],
    fps: float,
    skeleton: Skeleton,
    noise: DetectorNoise,
    rng: np.random.Generator,
) -> Float[np.ndarray, "frames joints 3"]:
    """Add detector errors to exact projections.

    Args:
        points_px: exact projections in pixels.
        size_px: standing height of the person in the picture in pixels, per frame.
        hidden: whether a joint is occluded by the body or outside the picture.
        fps: frame rate.
        skeleton: names and pairs of the joints.
        noise: parameters of the errors.
        rng: random generator.

    Returns:
        x, y in pixels and a confidence 0..1.
    """
    frames, joints = points_px.shape[:2]
    severity = np.exp(rng.normal(0.0, noise.severity_spread))
    difficulty = np.array([_DIFFICULTY[_plain(joint)] for joint in skeleton.joints])
    burst, known = _bursts(hidden, fps, noise, rng)

    smooth_burst = _smoothed(burst.astype(np.float64), fps * 0.1)
    drift = _ou_process((frames, joints, 2), fps * noise.drift_time_s, rng) * noise.drift
    jitter = _ou_process((frames, joints, 2), fps * noise.jitter_time_s, rng) * noise.jitter
    growth = 1.0 + (noise.burst_factor - 1.0) * smooth_burst[..., None]
    offset = rng.normal(0.0, noise.offset, (joints, 2))
    error = severity * difficulty[:, None] * (drift * growth + jitter * np.sqrt(growth) + offset)
    corrupted_px = points_px + error * size_px[:, None, None]

    if noise.spikes_per_minute:
        corrupted_px += _spikes((frames, joints), fps, noise, rng) * size_px[:, None, None]
    corrupted_px, swapped = _swap_sides(corrupted_px, fps, skeleton, noise, rng)
    lost = burst & (_per_run(burst, rng) < noise.lost)
    corrupted_px = interpolate_missing(corrupted_px, ~lost)  # as in the input of the lifter

    # Confidence falls with the error, with multiplicative noise.
    miss = np.linalg.norm(corrupted_px - points_px, axis=-1) / size_px[:, None]
    own = _ou_process((frames, joints, 1), fps * 0.2, rng)[..., 0]
    doubt = noise.doubt + np.minimum(miss, 0.12) * noise.doubt_per_error
    doubt += noise.doubt_hidden * (smooth_burst * known) + 0.03 * np.abs(own)
    confidence = np.clip(1.0 - doubt * np.exp(noise.doubt_spread * own), 0.02, 1.0)
    confidence[swapped] = np.clip(confidence[swapped] + 0.2, 0.0, 0.9)
    confidence[lost] = 0.0
    return np.concatenate([corrupted_px, confidence[..., None]], axis=-1).astype(np.float32)


def hidden_joints(
    joints_m: Float[np.ndarray, "frames joints 3"],
    points_px: Float[np.ndarray, "frames joints 2"],
    size_px: Float[np.ndarray, " frames"],
    skeleton: Skeleton,
) -> Bool[np.ndarray, "frames joints"]:
    """Whether a joint is occluded by a bone that does not end in it.

    A bone occludes joints within 2.5 % of the standing height of its projection (6 % for the trunk) that are at least
    10 cm behind it.

    Args:
        joints_m: camera coordinates in metres.
        points_px: projected joints.
        size_px: standing height in the picture in pixels.
        skeleton: defines the bones.
    """
    points_px, joints_m = points_px.astype(np.float32), joints_m.astype(np.float32)
    parents, children = np.array(skeleton.bones).T
    trunk = skeleton.indices(("Pelvis", "Spine", "Thorax"))
    reach = np.where(np.isin(parents, trunk) & np.isin(children, trunk), 0.06, 0.025) * size_px[:, None]
    reach = reach.astype(np.float32)
    # Joints [frames, joints, 1] against bones [frames, 1, bones], coordinate by coordinate.
    start_x, start_y, start_z = points_px[:, parents, 0], points_px[:, parents, 1], joints_m[:, parents, 2]
    along_x, along_y = points_px[:, children, 0] - start_x, points_px[:, children, 1] - start_y
    length2 = np.maximum(along_x**2 + along_y**2, np.float32(1e-9))
    away_x = points_px[:, :, None, 0] - start_x[:, None]
    away_y = points_px[:, :, None, 1] - start_y[:, None]
    share = np.clip(away_x * (along_x / length2)[:, None] + away_y * (along_y / length2)[:, None], 0.0, 1.0)
    beside2 = (away_x - share * along_x[:, None]) ** 2 + (away_y - share * along_y[:, None]) ** 2
    depth = start_z[:, None] + share * (joints_m[:, children, 2] - start_z)[:, None]
    behind = (beside2 < reach[:, None] ** 2) & (joints_m[:, :, None, 2] > depth + np.float32(0.10))
    bones = np.arange(len(parents))
    behind[:, parents, bones] = behind[:, children, bones] = False
    return np.asarray(behind.any(-1))


def _plain(joint: str) -> str:
    return joint[1:] if joint[1:] in _DIFFICULTY else joint


def _ou_process(shape: tuple[int, int, int], time: float, rng: np.random.Generator) -> np.ndarray:
    """Ornstein–Uhlenbeck processes of unit variance along the first axis; ``time``: correlation time in frames."""
    keep = np.exp(-1.0 / max(time, 1e-3))
    path = rng.normal(size=shape)
    path[1:] *= np.sqrt(1.0 - keep**2)
    return np.asarray(lfilter([1.0], [1.0, -keep], path, axis=0))


def _smoothed(values: np.ndarray, frames: float) -> np.ndarray:
    """Moving average over about ``2 * frames + 1`` frames, so that bursts fade in and out."""
    half = max(round(frames), 1)
    padded = np.pad(values, ((half + 1, half), (0, 0)), mode="edge").cumsum(0)
    return (padded[2 * half + 1 :] - padded[: -2 * half - 1]) / (2 * half + 1)


def _bursts(
    hidden: np.ndarray, fps: float, noise: DetectorNoise, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Frames of bursts, and those of them that lower the confidence."""
    frames, joints = hidden.shape
    burst = hidden.copy()
    for joint in range(joints):
        for _ in range(rng.poisson(noise.bursts_per_minute * frames / fps / 60.0)):
            start = rng.integers(frames)
            burst[start : start + 1 + int(rng.exponential(noise.burst_time_s * fps)), joint] = True
    return burst, burst & (_per_run(burst, rng) < noise.hidden_known)


def _spikes(shape: tuple[int, int], fps: float, noise: DetectorNoise, rng: np.random.Generator) -> np.ndarray:
    starts = rng.uniform(size=shape) < noise.spikes_per_minute / 60.0 / fps
    jumps = np.where(starts[..., None], rng.normal(0.0, noise.spike, (*shape, 2)), 0.0)
    # Half of the outliers last two frames.
    jumps[1:] += jumps[:-1] * (rng.uniform(size=(*shape, 1)) < 0.5)[:-1]
    return jumps


def _per_run(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Uniform random numbers in 0..1 per joint and frame that are constant over each run of True."""
    starts = mask & ~np.concatenate([np.zeros_like(mask[:1]), mask[:-1]])
    run = starts.cumsum(0)
    draws = rng.uniform(size=(int(run.max(initial=0)) + 1, mask.shape[1]))
    return np.take_along_axis(draws, run, axis=0)


def _swap_sides(
    points_px: np.ndarray, fps: float, skeleton: Skeleton, noise: DetectorNoise, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    frames = len(points_px)
    swapped = np.zeros(points_px.shape[:2], bool)
    points_px = points_px.copy()
    for pair in skeleton.pairs:
        for _ in range(rng.poisson(noise.swaps_per_minute * frames / fps / 60.0)):
            start = rng.integers(frames)
            stop = start + 1 + int(rng.exponential(0.2 * fps))
            points_px[start:stop, list(pair)] = points_px[start:stop, list(pair[::-1])]
            swapped[start:stop, list(pair)] = True
    return points_px, swapped
