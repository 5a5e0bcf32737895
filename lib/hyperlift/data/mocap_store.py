"""Recorded motion through virtual cameras into a clip store."""

import logging
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from hyperlift.data.body_shapes import draw_proportions, with_proportions
from hyperlift.data.detector_noise import DetectorNoise, corrupt_keypoints, hidden_joints
from hyperlift.data.motion.recording import Recording
from hyperlift.data.slicing import Slicing, clip_rows
from hyperlift.data.store import StoreMeta, StoreWriter, Video
from hyperlift.data.virtual_cameras import CameraRanges, draw_camera
from hyperlift.errors import InputError
from hyperlift.geometry.bodies import REFERENCE_BONE_SUM_M, REFERENCE_HEIGHT_M, bone_lengths
from hyperlift.geometry.cameras import Camera, project, scaled_orthographic_label
from hyperlift.geometry.normalisation import normalise_points, normalise_pose
from hyperlift.shapes import Float
from hyperlift.skeletons import H36M_17

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MocapStoreConfig:
    """How recordings become clips."""

    n_frames: int = 243
    stride: int = 81
    fps: float = 25.0
    views: int = 2
    """Cameras a recording, on average."""
    balance: float = 0.0
    """0: every recording gets ``views`` cameras. 1: every motion group gets the same time. Between: a power."""
    proportions: float = 0.0
    """Spread of body proportions (0.06 for training; 0 keeps the recorded bodies)."""
    slicing: Slicing = "published"
    ground_truth: bool = False
    """Also store what the Human3.6M protocol evaluates with: ``truth_mm`` and ``mm_per_px``."""
    seed: int = 0
    cameras: CameraRanges = field(default_factory=CameraRanges)
    noise: DetectorNoise = field(default_factory=DetectorNoise)

    def __post_init__(self) -> None:
        if min(self.n_frames, self.stride, self.views) < 1 or self.fps <= 0:
            raise InputError("n_frames, stride, views and fps must be positive")
        if not 0 <= self.balance <= 1:
            raise InputError(f"balance is {self.balance}; it lies between 0 and 1")


def write_mocap_split(
    folder: Path, recordings: Sequence[Recording], config: MocapStoreConfig, source: str, credit: str
) -> int:
    """Write one split of a clip store.

    Every draw comes from ``config.seed``, the recording's name and the number of the view: the same seed gives the
    same bytes, whatever the order of the recordings.

    Args:
        folder: the split's folder; the caller makes it appear whole (``files.atomic_folder``).
        recordings: motions in the joints of ``H36M_17``.
        config: how.
        source: where the motions come from, for ``meta.json``.
        credit: the data's credit line.

    Returns:
        The number of clips.

    Raises:
        InputError: no recording is long enough, or no camera could see a recording.
    """
    meta = StoreMeta(
        skeleton=H36M_17.name,
        fps=config.fps,
        n_frames=config.n_frames,
        stride=config.stride,
        slicing=config.slicing,
        source=source,
        credit=credit,
        details={"mocap": asdict(config)},
    )
    unseen: Counter[str] = Counter()
    with StoreWriter(folder, meta) as writer:
        for recording, views in zip(recordings, _views_each(recordings, config), strict=True):
            for view in range(views):
                seed = [config.seed, zlib.crc32(recording.name.encode()), view]
                rng = np.random.default_rng(seed)
                joints_m = _at_rate(recording, config.fps, view)
                if config.proportions:
                    joints_m = with_proportions(joints_m, draw_proportions(H36M_17, config.proportions, rng), H36M_17)
                camera = draw_camera(joints_m, config.cameras, rng)
                if camera is None:
                    unseen[recording.name] += 1
                    continue
                arrays = view_arrays(joints_m, camera, config, rng)
                video = Video(
                    source=f"{recording.name}@{view}",
                    subject=recording.subject,
                    action=recording.group,
                    frames=len(joints_m),
                    width=float(camera.width),
                    height=float(camera.height),
                    K=camera.K.tolist(),
                )
                writer.add_video(video, arrays)
        if unseen:
            _LOG.warning("no camera saw enough of %d views, most of %s", sum(unseen.values()), unseen.most_common(3))
        clips = clip_rows(
            [(video.first, video.frames) for video in writer.videos],
            config.n_frames,
            config.stride,
            config.slicing,
        )
        writer.finish(clips)
    return len(clips)


def view_arrays(
    joints_world_m: Float[np.ndarray, "frames joints 3"],
    camera: Camera,
    config: MocapStoreConfig,
    rng: np.random.Generator,
) -> dict[str, Float[np.ndarray, "frames ..."]]:
    """What one camera sees of a motion, as the arrays of a clip store.

    Args:
        joints_world_m: world metres.
        camera: the camera.
        config: frame rate, noise, and which arrays are wanted.
        rng: source of the detector errors.
    """
    joints_m = camera.to_camera(joints_world_m.astype(np.float64))
    label_px, mm_per_px = scaled_orthographic_label(joints_m, camera.K, H36M_17.root)
    points_px = project(joints_m, camera.K)
    bone_sum_m = float(np.median(bone_lengths(joints_m, H36M_17).sum(-1)))
    height_m = REFERENCE_HEIGHT_M * bone_sum_m / REFERENCE_BONE_SUM_M
    size_px = 1000.0 * height_m / mm_per_px
    outside = ((points_px < 0) | (points_px > [camera.width, camera.height])).any(-1)
    hidden = outside | hidden_joints(joints_m, points_px, size_px, H36M_17)
    keypoints_px = corrupt_keypoints(points_px, size_px, hidden, config.fps, H36M_17, config.noise, rng)
    width, height = float(camera.width), float(camera.height)
    pose2d_norm = keypoints_px.copy()
    pose2d_norm[..., :2] = normalise_points(keypoints_px[..., :2], width, height)
    arrays = {
        "pose2d_norm": pose2d_norm,
        "label_norm": normalise_pose(label_px, width, height),
        "joints_m": joints_m,
    }
    if config.ground_truth:
        arrays |= {"truth_mm": label_px * mm_per_px[:, None, None], "mm_per_px": mm_per_px}
    return arrays


def _views_each(recordings: Sequence[Recording], config: MocapStoreConfig) -> list[int]:
    """Cameras for each recording; the total time stays about ``views`` times the recorded time."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for recording in recordings:
        seconds[recording.group] += recording.seconds
    weight = {group: total**-config.balance for group, total in seconds.items()}
    total = sum(seconds.values())
    scale = total / max(sum(weight[group] * seconds[group] for group in seconds), 1e-9)
    # No group is repeated more than tenfold: beyond that the same few seconds only come again.
    return [max(1, round(config.views * min(scale * weight[r.group], 10.0))) for r in recordings]


def _at_rate(recording: Recording, fps: float, view: int) -> np.ndarray:
    """The motion at ``fps``; where the rates divide, views take turns in which of the frames they keep."""
    step = recording.fps / fps
    if step >= 1 and step == int(step):
        kept = recording.joints_m[view % int(step) :: int(step)]
        if len(kept) >= 2:
            return kept
    return recording.resampled(fps).joints_m
