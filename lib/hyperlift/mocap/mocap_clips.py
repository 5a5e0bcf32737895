"""Writes clip stores: recorded motions, seen by virtual cameras and virtual detectors."""

import logging
import multiprocessing
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from hyperlift.choices import Slicing
from hyperlift.datasets.clip_store import StoreMeta, StoreWriter, Video
from hyperlift.datasets.seen_extremities import check_shares, detected_places, draw_seen, leave_unseen
from hyperlift.datasets.slicing import clip_rows
from hyperlift.errors import InputError
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, REFERENCE_HEIGHT_M, bone_lengths
from hyperlift.geometry.cameras import Camera, project, scaled_orthographic_label
from hyperlift.geometry.normalisation import normalise_points, normalise_pose
from hyperlift.mocap.augmentation.body_shapes import Range, draw_proportions, with_proportions
from hyperlift.mocap.augmentation.motion_variation import MotionVariation, lending_weights, vary_motion
from hyperlift.mocap.detector_noise import DetectorNoise, corrupt_keypoints, hidden_joints
from hyperlift.mocap.detector_points import DetectorFamily, coco_points, map_coco
from hyperlift.mocap.recording import Recording
from hyperlift.mocap.virtual_cameras import CameraRanges, draw_view
from hyperlift.shapes import Float
from hyperlift.skeletons.extremities import CORE, body_skeleton
from hyperlift.skeletons.joint_sets import H36M_17, H36M_25

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MocapStoreConfig:
    """Options of the conversion of recordings to clips."""

    n_frames: int = 243
    stride: int = 81
    fps: float = 25.0
    views: int = 2
    """Mean number of cameras per moment."""
    view_frames: int = 0
    """Frames of a view, from a random start in a recording; 0: full recordings."""
    balance: float = 0.0
    """0: each recording has ``views`` cameras. 1: all motion groups of all data sets have equal time. Values between
    are exponents."""
    skeleton: Literal["h36m17", "h36m25"] = "h36m17"
    """Joints of the store. ``h36m25`` includes feet and hands; missing ones are marked as unmeasured."""
    extremities_seen: dict[str, float] = field(default_factory=lambda: {"feet_and_hands": 1.0})
    """With ``h36m25``: relative shares of videos whose detector has no points of feet and hands (none), those of
    BODY_25 and Halpe-26 (feet), those of whole bodies (feet_and_hands) and those of BlazePose (blazepose)."""
    dataset_weights: dict[str, float] = field(default_factory=dict)
    """Factor per data set on its time and on its probability as a donor of limbs, applied after ``balance``; the total
    time is unchanged. Default 1; 0 excludes a data set from training."""
    group_weights: dict[str, float] = field(default_factory=dict)
    """Factor per motion group, such as floor, of all data sets."""
    proportions: float = 0.0
    """Standard deviation of the logarithm of bone length factors (0.06 for training; 0: recorded bodies)."""
    hip_width: Range = (1.0, 1.0)
    """Range of an additional factor of the hip width."""
    shoulder_width: Range = (1.0, 1.0)
    """Range of an additional factor of the shoulder width."""
    variation: MotionVariation = field(default_factory=MotionVariation)
    """Augmentation of motions; requires ``view_frames``."""
    slicing: Slicing = "published"
    ground_truth: bool = False
    """Also store ``truth_mm`` and ``mm_per_px``, for the protocol of Human3.6M."""
    seed: int = 0
    cameras: CameraRanges = field(default_factory=CameraRanges)
    wide_cameras: CameraRanges | None = None
    """A second, wider distribution of cameras."""
    wide_share: float = 0.0
    """Probability of a camera of that distribution."""
    noise: DetectorNoise = field(default_factory=DetectorNoise)
    """Detector noise if ``detectors`` is empty."""
    detectors: dict[str, DetectorFamily] = field(default_factory=dict)
    """Detector families by name; each view uses one."""

    def __post_init__(self) -> None:
        if min(self.n_frames, self.stride, self.views) < 1 or self.fps <= 0:
            raise InputError("n_frames, stride, views and fps must be positive")
        if not 0 <= self.balance <= 1:
            raise InputError(f"balance is {self.balance}; it lies between 0 and 1")
        for name in ("dataset_weights", "group_weights"):
            if any(not 0 <= weight < np.inf for weight in getattr(self, name).values()):
                raise InputError(f"{name} are {getattr(self, name)}; a weight is 0 or a positive number")
        check_shares(self.extremities_seen)
        if self.view_frames < 0 or 0 < self.view_frames < self.n_frames:
            raise InputError(
                f"view_frames is {self.view_frames}; give 0 for whole recordings, or at least n_frames, {self.n_frames}"
            )
        if self.variation != MotionVariation() and not self.view_frames:
            raise InputError("variation needs view_frames: motions are varied in short views, not as whole recordings")
        if not 0 <= self.wide_share <= 1 or (self.wide_share and self.wide_cameras is None):
            raise InputError(f"wide_share is {self.wide_share}; it lies between 0 and 1 and needs wide_cameras")
        if self.detectors and not sum(family.share for family in self.detectors.values()):
            raise InputError("detectors: every share is 0; give one of the families a share")

    def weight_of(self, recording: Recording) -> float:
        """Weight of the data set of a recording."""
        return self.dataset_weights.get(recording.dataset, 1.0)


def write_mocap_split(
    folder: Path, recordings: Sequence[Recording], config: MocapStoreConfig, source: str, credit: str, workers: int = 1
) -> int:
    """Write one split of a clip store.

    Every draw comes from ``config.seed``, the recording's name and the number of the view: the same seed gives the
    same bytes, whatever the order of the recordings and the number of workers.

    Args:
        folder: the split's folder; the caller makes it appear whole (``files.atomic_folder``).
        recordings: motions in the joints of ``config.skeleton``.
        config: how.
        source: where the motions come from, for ``meta.json``.
        credit: the data's credit line.
        workers: processes that film; 1 films in this one.

    Returns:
        The number of clips.

    Raises:
        InputError: no recording is long enough, one has other joints, or no camera could see a recording.
    """
    strange = [one for one in recordings[:1] if one.skeleton.name != config.skeleton]
    if strange:
        raise InputError(
            f"{strange[0].name}: has the joints of {strange[0].skeleton.name}, the recipe asks for {config.skeleton}; "
            "feet and hands come from folders of arrays (`arrays`) that have extra_*.npz beside them"
        )
    meta = StoreMeta(
        skeleton=config.skeleton,
        fps=config.fps,
        n_frames=config.n_frames,
        stride=config.stride,
        slicing=config.slicing,
        source=source,
        credit=credit,
        details={"mocap": asdict(config)},
    )
    short = [recording for recording in recordings if recording.seconds * config.fps + 1 < config.n_frames]
    if short:
        how = "played back and forth" if config.view_frames else "stretched in time"
        _LOG.warning(
            "%d of %d recordings are shorter than a clip of %d frames (%.1f s) and are %s: %s%s",
            len(short),
            len(recordings),
            config.n_frames,
            config.n_frames / config.fps,
            how,
            ", ".join(recording.name for recording in short[:3]),
            " …" if len(short) > 3 else "",
        )
    unseen: Counter[str] = Counter()
    with StoreWriter(folder, meta) as writer:
        tasks = [(number, view) for number, views in enumerate(views_each(recordings, config)) for view in range(views)]
        for (number, _), filmed in zip(tasks, _film_all(tasks, recordings, config, workers), strict=True):
            if filmed is None:
                unseen[recordings[number].name] += 1
            else:
                writer.add_video(*filmed)
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


class _Studio:
    """Renders views of recordings to arrays of a clip store."""

    def __init__(self, recordings: Sequence[Recording], config: MocapStoreConfig) -> None:
        self.recordings = list(recordings)
        self.config = config
        self.donors = sorted(self.recordings, key=lambda recording: recording.name)
        self.lending = lending_weights(self.donors) * [config.weight_of(donor) for donor in self.donors]

    def film(self, number: int, view: int) -> tuple[Video, dict[str, np.ndarray]] | None:
        """The video and its arrays; None if no camera sees enough of the motion."""
        recording, config = self.recordings[number], self.config
        rng = np.random.default_rng([config.seed, zlib.crc32(recording.name.encode()), view])
        if config.view_frames:
            joints_m = vary_motion(
                recording, self.donors, config.view_frames, config.fps, config.variation, rng, self.lending
            )
        else:
            joints_m = _at_rate(recording, config.fps, view)
        if config.proportions or config.hip_width != (1.0, 1.0) or config.shoulder_width != (1.0, 1.0):
            factors = draw_proportions(
                recording.skeleton, config.proportions, rng, config.hip_width, config.shoulder_width
            )
            joints_m = with_proportions(joints_m, factors, recording.skeleton)
        ranges = config.cameras
        if config.wide_cameras is not None and rng.uniform() < config.wide_share:
            ranges = config.wide_cameras
        camera = draw_view(joints_m[:, CORE], config.fps, ranges, rng)
        if camera is None:
            return None
        video = Video(
            source=f"{recording.name}@{view}",
            subject=recording.subject,
            action=recording.group,
            frames=len(joints_m),
            width=float(camera.width),
            height=float(camera.height),
            K=camera.K.tolist(),
            unmeasured=list(recording.unmeasured),
        )
        return video, view_arrays(joints_m, camera, config, rng, recording.unmeasured)


_TASKS_PER_WORKER = 160
"""Views per batch and worker. Chosen: it bounds the results that wait in memory to be written."""

_studio: _Studio | None = None
"""The studio of a worker process."""


def _film_all(
    tasks: Sequence[tuple[int, int]], recordings: Sequence[Recording], config: MocapStoreConfig, workers: int
) -> Iterator[tuple[Video, dict[str, np.ndarray]] | None]:
    if workers == 1:
        studio = _Studio(recordings, config)
        yield from (studio.film(*task) for task in tasks)
        return
    with multiprocessing.get_context("spawn").Pool(workers, _open_studio, (recordings, config)) as pool:
        # Batch by batch, so that at most one batch waits in memory to be written.
        part = _TASKS_PER_WORKER * workers
        for first in range(0, len(tasks), part):
            yield from pool.imap(_film_in_worker, tasks[first : first + part], chunksize=16)


def _open_studio(recordings: Sequence[Recording], config: MocapStoreConfig) -> None:
    global _studio
    _studio = _Studio(recordings, config)


def _film_in_worker(task: tuple[int, int]) -> tuple[Video, dict[str, np.ndarray]] | None:
    assert _studio is not None
    filmed = _studio.film(*task)
    if filmed is None:
        return None
    # Stores hold float32, which also halves the transfer between processes.
    return filmed[0], {name: array.astype(np.float32) for name, array in filmed[1].items()}


def view_arrays(
    joints_world_m: Float[np.ndarray, "frames joints 3"],
    camera: Camera,
    config: MocapStoreConfig,
    rng: np.random.Generator,
    unmeasured: Collection[str] = (),
) -> dict[str, Float[np.ndarray, "frames ..."]]:
    """Arrays of a clip store for one motion and camera.

    Args:
        joints_world_m: world metres.
        camera: the camera.
        config: frame rate, noise, and which arrays are wanted.
        rng: source of the detector errors.
        unmeasured: joints that no detector can have seen, since only a rule says where they are; of feet and hands.
    """
    skeleton = body_skeleton(joints_world_m.shape[1])
    joints_m = camera.to_camera(joints_world_m.astype(np.float64))
    label_px, mm_per_px = scaled_orthographic_label(joints_m, camera.K, H36M_17.root)
    points_px = project(joints_m, camera.K)
    bone_sum_m = float(np.median(bone_lengths(joints_m[:, CORE], H36M_17).sum(-1)))
    height_m = REFERENCE_HEIGHT_M * bone_sum_m / REFERENCE_BONE_SUM_M
    size_px = 1000.0 * height_m / mm_per_px
    outside = ((points_px < 0) | (points_px > [camera.width, camera.height])).any(-1)
    hidden = outside | hidden_joints(joints_m, points_px, size_px, skeleton)
    family = _draw_family(config, rng)
    points_m, size = joints_m, bone_sum_m / REFERENCE_BONE_SUM_M
    if family.coco:
        points_m = coco_points(points_m, size, rng)
    if skeleton is H36M_25:
        points_m = detected_places(points_m, size, rng)
    if points_m is not joints_m:
        points_px = project(points_m, camera.K)
    keypoints_px = corrupt_keypoints(points_px, size_px, hidden, config.fps, skeleton, family.noise, rng)
    if family.coco:
        keypoints_px = map_coco(keypoints_px)
    if skeleton is H36M_25:
        seen = draw_seen(config.extremities_seen, rng)
        keypoints_px = leave_unseen(keypoints_px, tuple(point for point in seen if point not in unmeasured))
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


def views_each(recordings: Sequence[Recording], config: MocapStoreConfig) -> list[int]:
    """Number of views per recording; the total time is about ``views`` times the recorded time."""
    seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
    for recording in recordings:
        seconds[recording.dataset, recording.group] += recording.seconds
    weight = {
        (dataset, group): config.dataset_weights.get(dataset, 1.0)
        * config.group_weights.get(group, 1.0)
        * total**-config.balance
        for (dataset, group), total in seconds.items()
    }
    total = sum(seconds.values())
    scale = total / max(sum(weight[group] * seconds[group] for group in seconds), 1e-9)
    # A group is repeated at most tenfold, because further repetition adds no variety.
    times = [config.views * min(scale * weight[r.dataset, r.group], 10.0) for r in recordings]
    if config.view_frames:
        view_s = config.view_frames / config.fps
        times = [count * recording.seconds / view_s for count, recording in zip(times, recordings, strict=True)]
    return [max(1, round(count)) for count in times]


def _draw_family(config: MocapStoreConfig, rng: np.random.Generator) -> DetectorFamily:
    if not config.detectors:
        return DetectorFamily(noise=config.noise)
    families = list(config.detectors.values())
    shares = np.array([family.share for family in families])
    return families[rng.choice(len(families), p=shares / shares.sum())]


def _at_rate(recording: Recording, fps: float, view: int) -> np.ndarray:
    """The motion at ``fps``; if the rates divide, consecutive views keep different frames."""
    step = recording.fps / fps
    if step >= 1 and step == int(step):
        kept = recording.joints_m[view % int(step) :: int(step)]
        if len(kept) >= 2:
            return kept
    return recording.resampled(fps).joints_m
