"""Scores 3D predictions on a benchmark file, which holds views with 2D keypoints, 3D ground truth and picture size.

The file is an ``.npz`` with four arrays per view ID: ``ID/kp`` [T,17,3] x, y in pixels and confidence;
``ID/cam`` [T,17,3] metres in camera axes; ``ID/K`` [3,3]; ``ID/wh`` [2]; 25 frames per second. A file
of predictions holds one [T,17,3] array per view ID, in camera axes, at any scale and with any root position.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyperlift.errors import InputError, one_line
from hyperlift.evaluation.results import BenchResult
from hyperlift.files.atomic import atomic_file
from hyperlift.geometry.alignment import align_scale, align_similarity
from hyperlift.geometry.joint_errors import acceleration_error, bone_length_variation, joint_distance, root_relative
from hyperlift.geometry.normalisation import normalise_points
from hyperlift.readers import reader
from hyperlift.safe_io.npz import load_npz
from hyperlift.safe_io.plain_values import coordinates
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons.joint_sets import H36M_17

SKELETON = H36M_17
FPS = 25.0
"""Frame rate of the format."""
_MIN_FRAMES = 3  # fewer have no acceleration
_MM_PER_M = 1000.0
"""Unit conversion."""
_REMEDY = "mend or drop it"
_MAX_SIDE_PX = 10**6
"""Maximum side of a picture. Chosen: far above that of any camera; it rejects damaged files."""

LiftTrack = Callable[[np.ndarray], np.ndarray]
"""Lifts a view: pose2d_norm float32 [T,17,3] to a pose [T,17,3] in camera axes."""


@dataclass(frozen=True, eq=False)
class View:
    """One motion, seen by one camera."""

    name: str
    pose2d_norm: Float[np.ndarray, "frames joints 3"]
    """x, y normalised by the picture size of the view, and confidence."""
    truth_m: Float[np.ndarray, "frames joints 3"]
    """Camera metres."""


class BenchFile:
    """Reads a benchmark file, view by view.

    Raises:
        InputError: the file is missing, holds no view, or a view is invalid.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._arrays = load_npz(self.path)
        self.names = sorted({key.split("/")[0] for key in self._arrays if "/" in key})
        if not self.names:
            raise InputError(f"{self.path}: holds no view; expected ID/kp, ID/cam, ID/K and ID/wh for each")

    def views(self) -> Iterator[View]:
        """All views, by name."""
        for name in self.names:
            yield self._view(name)

    def _view(self, name: str) -> View:
        keypoints_px = self._numbers(f"{name}/kp", (None, len(SKELETON), 3))
        truth_m = self._numbers(f"{name}/cam", (len(keypoints_px), len(SKELETON), 3))
        width, height = self._numbers(f"{name}/wh", (2,)).tolist()
        if len(keypoints_px) < _MIN_FRAMES:
            raise InputError(
                f"{self.path}: view {one_line(name)} has {len(keypoints_px)} frames; jitter needs {_MIN_FRAMES} or more"
            )
        if not all(1 <= side <= _MAX_SIDE_PX for side in (width, height)):
            raise InputError(
                f"{self.path}: view {one_line(name)} has pictures of {width:g} × {height:g} pixels; expected 1 or more"
            )
        points = normalise_points(keypoints_px[..., :2], width, height)
        return View(name, np.concatenate([points, keypoints_px[..., 2:]], -1).astype(np.float32), truth_m)

    def _numbers(self, key: str, shape: tuple[int | None, ...]) -> Float[np.ndarray, "..."]:
        if key not in self._arrays:
            raise InputError(f"{self.path}: has no array {one_line(key)}; every view needs ID/kp, ID/cam and ID/wh")
        return coordinates(self._arrays[key], shape, f"{self.path}: {one_line(key)}", _REMEDY)


@reader("benchmark")
def read_views(path: Path | str) -> list[View]:
    """Read all views of a benchmark file, in order of name.

    Raises:
        InputError: as for ``BenchFile``.
    """
    return list(BenchFile(path).views())


def lift_bench(bench: BenchFile, lift_track: LiftTrack) -> dict[str, Float[np.ndarray, "frames joints 3"]]:
    """Lift every view; returns float32 poses by view name.

    Raises:
        InputError: the lifter returns non-finite poses or another number of frames.
    """
    poses = {}
    for view in bench.views():
        pose = lift_track(view.pose2d_norm)
        poses[view.name] = coordinates(pose, view.truth_m.shape, f"prediction of {view.name}", _REMEDY).astype(
            np.float32
        )
    return poses


def score_bench(bench: BenchFile, poses: Mapping[str, np.ndarray], leave_out: Collection[str] = ()) -> BenchResult:
    """Compare predictions with the ground truth: root-relative, one scale per view, frame-weighted mean over views.

    Args:
        bench: ground truth.
        poses: predictions by view name.
        leave_out: joints without ground truth. They and their bones are neither aligned nor scored.

    Raises:
        InputError: a prediction is missing, non-finite or of another shape; ``leave_out`` names an unknown joint or the
            root.
    """
    measured = _measured(leave_out)
    scores, frames = [], []
    for view in bench.views():
        if view.name not in poses:
            raise InputError(f"{bench.path}: view {view.name} has no prediction; lift every view")
        pose = _prediction(poses[view.name], view)
        scores.append(_score_view(pose.astype(np.float64), view.truth_m.astype(np.float64), measured))
        frames.append(len(pose))
    weights = np.array(frames) / sum(frames)
    n_mpjpe, pa_mpjpe, jitter, bone = (weights @ np.array(scores)).tolist()
    return BenchResult(
        views=len(frames),
        frames=sum(frames),
        n_mpjpe_mm=n_mpjpe,
        pa_mpjpe_mm=pa_mpjpe,
        jitter_mm=jitter,
        bone=bone,
    )


def save_poses(path: Path | str, poses: Mapping[str, Float[np.ndarray, "frames joints 3"]]) -> None:
    """Write a file of predictions atomically."""
    with atomic_file(path) as partial, partial.open("wb") as file:
        # The signature of NumPy lists allow_pickle beside the keywords for arrays.
        np.savez_compressed(file, **dict(poses))  # pyright: ignore[reportArgumentType]


@reader("predictions of a benchmark")
def load_poses(path: Path | str) -> dict[str, np.ndarray]:
    """Read a file of predictions.

    Raises:
        InputError: the file is missing or is no ``.npz``.
    """
    return load_npz(path)


def _score_view(
    pose: Float[np.ndarray, "frames joints 3"],
    truth_m: Float[np.ndarray, "frames joints 3"],
    measured: Bool[np.ndarray, " joints"],
) -> tuple[float, float, float, float]:
    truth = root_relative(truth_m, SKELETON.root)[:, measured]
    rooted = root_relative(pose, SKELETON.root)
    scaled = align_scale(rooted[:, measured], truth)
    bones = measured[np.array(SKELETON.bones)].all(-1)
    return (
        _MM_PER_M * float(joint_distance(scaled, truth).mean()),
        _MM_PER_M * float(joint_distance(align_similarity(scaled, truth), truth).mean()),
        _MM_PER_M * float(acceleration_error(scaled, truth).mean()),
        float(bone_length_variation(rooted, SKELETON)[bones].mean()),
    )


def _prediction(pose: np.ndarray, view: View) -> Float[np.ndarray, "frames joints 3"]:
    return coordinates(pose, view.truth_m.shape, f"prediction of {view.name}", _REMEDY)


def _measured(leave_out: Collection[str]) -> Bool[np.ndarray, " joints"]:
    unknown = sorted(set(leave_out) - set(SKELETON.joints))
    root = SKELETON.joints[SKELETON.root]
    if unknown or root in leave_out:
        raise InputError(
            f"joints to leave out are {', '.join(leave_out)}; expected names among {', '.join(SKELETON.joints)}, "
            f"without {root}, to which all others are relative"
        )
    return ~np.isin(SKELETON.joints, list(leave_out))
