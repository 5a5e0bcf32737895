"""Calibration clips for 8-bit export, and for its comparison with the fp32 lifter."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.contract import LifterSpec
from hyperlift.datasets.clip_store import ClipStore
from hyperlift.errors import InputError
from hyperlift.evaluation.benchmark_file import read_views
from hyperlift.geometry.cameras import project
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.keypoints.formats.registry import read_keypoints
from hyperlift.keypoints.timestamps import grid_times, resample_pose2d
from hyperlift.lifting.lift import network_input, track_people
from hyperlift.mocap.detector_noise import DetectorNoise, corrupt_keypoints
from hyperlift.mocap.procedural import procedural_recordings
from hyperlift.mocap.virtual_cameras import CameraRanges, draw_camera
from hyperlift.readers import reader
from hyperlift.safe_io.npz import open_npz
from hyperlift.safe_io.plain_values import coordinates
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import H36M_17, skeleton_named

ARRAY = "pose2d_norm"
_MAX_CLIPS = 32
"""Clips taken from a store. Chosen: more than the windows that weights are fitted to (``int8.FITTED_CLIPS``)."""
_MOTIONS = 10
"""Procedural motions: two of each kind."""
_SEED = 0
"""Arbitrary, but fixed: calibration is reproducible."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Keypoint tracks in the input format and frame rate of a lifter."""

    source: str
    """Origin of the tracks, for the report."""
    tracks: tuple[Float[np.ndarray, "_ joints 3"], ...]
    """One track per person or clip: x, y in normalised picture space, and confidence; float32."""

    @property
    def longest(self) -> int:
        """Frames of the longest track."""
        return max(len(track) for track in self.tracks)

    def windows(self, count: int, frames: int) -> Float[np.ndarray, "count frames joints 3"]:
        """Windows of ``frames`` frames, evenly spaced over all tracks; they overlap or repeat if tracks are short.

        Raises:
            InputError: all tracks are shorter.
        """
        places = [(track, start) for track in self.tracks for start in range(len(track) - frames + 1)]
        if not places:
            raise InputError(f"{self.source}: no clip has {frames} frames; the longest has {self.longest}")
        chosen = np.linspace(0, len(places) - 1, count).round().astype(int)
        return np.stack([places[i][0][places[i][1] : places[i][1] + frames] for i in chosen])


@reader("calibration")
def read_calibration(
    path: Path | None, spec: LifterSpec, picture_size: tuple[int, int] | None = None, fps: float | None = None
) -> Calibration:
    """Read calibration clips from a file, or generate them.

    Args:
        path: a clip store or the folder of its splits; an ``.npz`` with ``pose2d_norm`` [T,V,3] or [N,T,V,3] at the
            frame rate of the lifter; a benchmark file; a keypoint file or folder in any known format. None: generated
            motions with random virtual cameras and detector noise, equal in each call.
        spec: contract of the lifter.
        picture_size: width and height of the video in pixels, for keypoint files.
        fps: frame rate of the video, for keypoint files; None: that of the lifter.

    Raises:
        InputError: the file is unreadable, or its joints differ from those of the lifter.
    """
    if path is None:
        calibration = _procedural(spec)
    elif any((folder / "meta.json").exists() for folder in _splits(path)):
        calibration = _from_store(path)
    elif path.suffix.lower() == ".npz":
        calibration = _from_npz(path)
    else:
        calibration = _from_keypoints(path, spec, picture_size, fps)
    joints = len(skeleton_named(spec.skeleton))
    for track in calibration.tracks:
        if track.ndim != 3 or track.shape[1:] != (joints, 3) or not len(track) or not np.isfinite(track).all():
            raise InputError(
                f"{calibration.source}: a clip has the shape {list(track.shape)}; expected finite numbers "
                f"[frames, {joints}, 3] for a lifter of {spec.skeleton}"
            )
    return calibration


def _splits(folder: Path) -> tuple[Path, ...]:
    return folder / "val", folder / "test", folder / "train", folder


def _from_store(path: Path) -> Calibration:
    store = ClipStore(next(folder for folder in _splits(path) if (folder / "meta.json").exists()))
    chosen = np.unique(np.linspace(0, len(store) - 1, _MAX_CLIPS).round().astype(int))
    return Calibration(str(store.folder), tuple(np.array(store.clip(int(clip)), np.float32) for clip in chosen))


def _from_npz(path: Path) -> Calibration:
    with open_npz(path) as stored:
        array = stored.read(ARRAY) if ARRAY in stored else None
    if array is None:
        return Calibration(str(path), tuple(view.pose2d_norm for view in read_views(path)))
    array = coordinates(array, array.shape, f"{path}: {ARRAY}", "give finite numbers [frames, joints, 3]")
    array = array.astype(np.float32)
    return Calibration(str(path), tuple(array) if array.ndim == 4 else (array,))


def _from_keypoints(
    path: Path, spec: LifterSpec, picture_size: tuple[int, int] | None, fps: float | None
) -> Calibration:
    detections = read_keypoints(path, picture_size=picture_size)
    size = picture_size or detections.picture_size
    if size is None:
        raise InputError(f"{path}: does not say the size of its video; give `picture_size`")
    time_s = detections.times_s(fps or spec.fps)
    tracks = []
    for person in track_people(detections, *size, time_s):
        filled, pose2d_norm = network_input(person, *size, time_s)
        grid_s = grid_times(filled.time_s, spec.fps)
        tracks.append(resample_pose2d(pose2d_norm, filled.time_s, grid_s).astype(np.float32))
    return Calibration(str(path), tuple(tracks))


def _procedural(spec: LifterSpec) -> Calibration:
    if spec.skeleton != H36M_17.name:
        raise InputError(f"generated motions have the joints of {H36M_17.name}, not {spec.skeleton}; give keypoints")
    rng = np.random.default_rng(_SEED)
    seconds = max(4.0, 1.5 * spec.n_frames / spec.fps)
    tracks = []
    for recording in procedural_recordings(_MOTIONS, seconds, _SEED, spec.fps):
        joints_m = recording.joints_m.astype(np.float64)
        camera = draw_camera(joints_m, CameraRanges(), rng)
        if camera is None:
            continue
        points_px = project(camera.to_camera(joints_m), camera.K)
        # Maximum over frames: the standing height in the picture, also while the person squats.
        height_px = np.full(len(points_px), float(np.ptp(points_px[..., 1], axis=1).max()))
        occluded = np.zeros(points_px.shape[:2], bool)
        keypoints_px = corrupt_keypoints(points_px, height_px, occluded, spec.fps, H36M_17, DetectorNoise(), rng)
        points_norm = normalise_points(keypoints_px[..., :2], camera.width, camera.height)
        tracks.append(np.concatenate([points_norm, keypoints_px[..., 2:]], -1).astype(np.float32))
    return Calibration(f"{len(tracks)} procedural motions", tuple(tracks))
