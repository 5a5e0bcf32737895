"""Views of a benchmark file with what is true about their cameras, found by laying them onto the recordings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scoring import lifted, pictures

from hyperlift.body.person import LiftedTrack
from hyperlift.evaluation.benchmark_file import FPS, SKELETON, BenchFile
from hyperlift.geometry.alignment import align_rigid
from hyperlift.geometry.body_size import REFERENCE_BONE_SUM_M, REFERENCE_HEIGHT_M, bone_lengths
from hyperlift.mocap.arrays import read_mocap_arrays
from hyperlift.placement.lens import Intrinsics
from hyperlift.runtime.session import OnnxLifter

_UNSEEN = 0.05
"""Keypoints below this confidence count as not seen, as in lifting video."""


def bone_sum(joints_m: np.ndarray) -> float:
    return float(np.median(bone_lengths(joints_m, SKELETON).sum(-1)))


@dataclass(frozen=True)
class Scene:
    """One view: what is known and what is true."""

    track: LiftedTrack
    intrinsics: Intrinsics
    truth_m: np.ndarray
    recording_m: np.ndarray

    @property
    def true_height_m(self) -> float:
        """Standing height of a body with these bones."""
        return REFERENCE_HEIGHT_M * bone_sum(self.truth_m) / REFERENCE_BONE_SUM_M

    @property
    def true_up(self) -> np.ndarray:
        """Up in camera axes: where two points of the recording, one above the other, come to lie."""
        world = np.concatenate([self.recording_m.reshape(-1, 3), self.truth_m.reshape(-1, 3)], axis=1)
        centred = world - world.mean(0)
        left, _, right = np.linalg.svd(centred[:, :3].T @ centred[:, 3:])
        return np.array([0.0, 0.0, 1.0]) @ (left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right)


def read_scenes(bench: BenchFile, mocap: Path, lifter: OnnxLifter) -> list[Scene]:
    """Lift every view, mirror-averaged, and find the recording that it saw."""
    recordings = {recording.name: recording for recording in read_mocap_arrays(mocap, "test")}
    poses = lifted(bench, lifter, flip=True)
    scenes = []
    for view, (name, keypoints_px, K, (width, height)) in zip(bench.views(), pictures(bench), strict=True):
        valid, frame = keypoints_px[..., 2] >= _UNSEEN, np.arange(len(keypoints_px))
        seen_px = np.where(valid[..., None], keypoints_px, np.nan)
        fx_px, fy_px, cx_px, cy_px = (float(K[place]) for place in ((0, 0), (1, 1), (0, 2), (1, 2)))
        track = LiftedTrack(
            id=0,
            frame=frame,
            time_s=frame / FPS,
            pose_norm=poses[name],
            valid=valid,
            bridged=np.zeros_like(valid),
            keypoints_px=seen_px,
        )
        intrinsics = Intrinsics(
            fx_px=fx_px, fy_px=fy_px, cx_px=cx_px, cy_px=cy_px, width=width, height=height, source="benchmark"
        )
        recording_m = _seen_recording(view.truth_m, recordings[name.split("@")[0]].joints_m)
        scenes.append(Scene(track, intrinsics, view.truth_m.astype(np.float64), recording_m))
    return scenes


def _seen_recording(truth_m: np.ndarray, recording_m: np.ndarray) -> np.ndarray:
    """The frames of a recording at twice the rate that a view shows.

    Raises:
        ValueError: the view does not lie on them after one rotation and shift of the whole motion.
    """
    frames = len(truth_m)
    starts = range(len(recording_m) - 2 * frames + 2)
    windows = [window for start in starts if len(window := recording_m[start::2][:frames]) == frames]
    best = min(windows, key=lambda seen: float(np.abs(_shape(seen) - _shape(truth_m)).mean())).astype(np.float64)
    laid = align_rigid(best.reshape(-1, 3), truth_m.reshape(-1, 3))
    off_m = float(np.abs(laid - truth_m.reshape(-1, 3)).max())
    if off_m > 0.005:
        raise ValueError(f"a view lies {off_m:.3f} m off its recording")
    return best


def _shape(joints_m: np.ndarray) -> np.ndarray:
    """Distances from the root, which no camera changes."""
    return np.linalg.norm(joints_m - joints_m[:, :1], axis=-1)
