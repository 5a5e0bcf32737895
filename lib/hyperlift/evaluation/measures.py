"""Error measures per joint of a video, and their averages over videos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.alignment import align_rigid, align_scale, align_similarity
from hyperlift.geometry.joint_errors import bone_length_deviation, joint_distance, share_within, velocity_error
from hyperlift.shapes import Bool, Float, Int
from hyperlift.skeletons.skeleton import Skeleton

PCK_THRESHOLD_MM = 150.0
"""Threshold of PCK in the evaluation of MPI-INF-3DHP (Mehta et al. 2017)."""
AUC_THRESHOLDS_MM = np.arange(0.0, 151.0, 5.0)
"""0, 5, … 150 mm: the 31 thresholds in the evaluation of MPI-INF-3DHP (Mehta et al. 2017)."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Name, unit and definition of an error measure."""

    key: str
    """Name in JSON and in ``Errors``."""
    label: str
    """Name in tables."""
    unit: str
    definition: str


P1 = Measure(key="p1_mm", label="P1", unit="mm", definition="MPJPE, roots at 0, nothing else forgiven")
P2 = Measure(key="p2_mm", label="P2", unit="mm", definition="PA-MPJPE, after a similarity (turn, move, scale) a frame")
R_MPJPE = Measure(key="r_mpjpe_mm", label="R-MPJPE", unit="mm", definition="after a rigid motion (turn, move) a frame")
N_MPJPE = Measure(key="n_mpjpe_mm", label="N-MPJPE", unit="mm", definition="roots at 0, after one scale a video")
N_MPJPE_FRAME = Measure(
    key="n_mpjpe_frame_mm",
    label="N/frame",
    unit="mm",
    definition="N-MPJPE after one scale a frame, as in Rhodin et al. 2018",
)
PCK = Measure(
    key="pck_150",
    label="PCK@150",
    unit="fraction",
    definition="joints nearer than 150 mm to the truth, roots at 0",
)
AUC = Measure(
    key="auc_150",
    label="AUC",
    unit="fraction",
    definition="mean PCK at the thresholds 0, 5 … 150 mm; at most 30/31, since nothing is nearer than 0",
)
MPJVE = Measure(
    key="mpjve_mm_per_frame",
    label="MPJVE",
    unit="mm a frame",
    definition="difference of the motions from one frame to the next, roots at 0",
)
BONE_SD = Measure(
    key="bone_sd_mm",
    label="bone sd",
    unit="mm",
    definition="standard deviation of a predicted bone's length within a video, mean over bones",
)

OF_FRAMES = (P1, P2, R_MPJPE, N_MPJPE, N_MPJPE_FRAME, PCK, AUC)
"""Measures with a value per frame and joint, in the order of ``frame_measures``."""

OF_JOINTS = (*OF_FRAMES, MPJVE)
"""Measures with a value per joint, in the order of ``Scores.joints``."""

MEASURES = (*OF_JOINTS, BONE_SD)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Mean errors over a set of frames."""

    frames: int
    """Scored frames; each counts once."""
    pairs: int
    """Scored frames whose predecessor is scored too, so that they have a velocity."""
    joints: Float[np.ndarray, "measures joints"]
    """Rows as ``OF_JOINTS``. The row of MPJVE is NaN without pairs; columns of joints without ground truth are NaN."""
    bones_sd_mm: Float[np.ndarray, " bones"]
    """In the order of ``skeleton.bones``."""


def frame_measures(
    pose_mm: Float[np.ndarray, "frames joints 3"], truth_mm: Float[np.ndarray, "frames joints 3"]
) -> Float[np.ndarray, "frames measures joints"]:
    """The measures of ``OF_FRAMES`` for each frame of a video.

    Args:
        pose_mm: root-relative prediction.
        truth_mm: root-relative ground truth.
    """
    aligned = (
        pose_mm,
        align_similarity(pose_mm, truth_mm),
        align_rigid(pose_mm, truth_mm),
        align_scale(pose_mm, truth_mm),
        align_scale(pose_mm[:, None], truth_mm[:, None])[:, 0],  # each frame is a sequence of length 1
    )
    distances = [joint_distance(pose, truth_mm) for pose in aligned]
    correct = share_within(distances[0], np.array([PCK_THRESHOLD_MM]))
    area = share_within(distances[0], AUC_THRESHOLDS_MM)
    return np.stack([*distances, correct, area], axis=1)


def average_by_frame(
    values: Float[np.ndarray, "seen ..."], frames: Int[np.ndarray, " seen"]
) -> Float[np.ndarray, "scored ..."]:
    """Mean over the windows that contain a frame; one row per frame, in order of frames."""
    _, position, times = np.unique(frames, return_inverse=True, return_counts=True)
    sums = np.zeros((len(times), *values.shape[1:]))
    np.add.at(sums, position, values)
    return sums / times.reshape(-1, *[1] * (values.ndim - 1))


def score_video(
    pose_mm: Float[np.ndarray, "seen joints 3"],
    truth_mm: Float[np.ndarray, "seen joints 3"],
    frames: Int[np.ndarray, " seen"],
    skeleton: Skeleton,
    measured: Bool[np.ndarray, " joints"] | None = None,
) -> Scores:
    """Score the predicted frames of a video; a frame may occur several times, in overlapping windows.

    Errors of repeated frames are averaged. Velocities and bone lengths use one trajectory, the average of repeated
    predictions; velocities are those between consecutive frames, also across windows.

    Args:
        pose_mm: root-relative predictions.
        truth_mm: root-relative ground truth of the same frames.
        frames: frame numbers; at least one.
        skeleton: joint order.
        measured: joints with ground truth, which are aligned and scored; None: all.
    """
    pose_mm, truth_mm = pose_mm.astype(np.float64), truth_mm.astype(np.float64)
    measured = np.ones(len(skeleton), bool) if measured is None else measured
    by_frame = average_by_frame(frame_measures(pose_mm[:, measured], truth_mm[:, measured]), frames)
    numbers, once = np.unique(frames, return_index=True)
    trajectory_mm = average_by_frame(pose_mm, frames)
    velocity = velocity_error(trajectory_mm, truth_mm[once])[np.diff(numbers) == 1]
    joints = np.full((len(OF_JOINTS), len(skeleton)), np.nan)
    joints[:-1, measured] = by_frame.mean(0)
    if len(velocity):
        joints[-1, measured] = velocity.mean(0)[measured]
    return Scores(
        frames=len(numbers),
        pairs=len(velocity),
        joints=joints,
        bones_sd_mm=bone_length_deviation(trajectory_mm, skeleton),
    )


def pooled(scores: Sequence[Scores]) -> Scores:
    """Means over all frames; velocities are averaged over all pairs, bones are weighted by frames."""
    frames = np.array([score.frames for score in scores], np.float64)
    return _weighted(scores, frames, np.array([score.pairs for score in scores], np.float64))


def averaged(scores: Sequence[Scores]) -> Scores:
    """Unweighted means over the scores; those without velocity are left out for MPJVE."""
    return _weighted(scores, np.ones(len(scores)), np.array([float(score.pairs > 0) for score in scores]))


def _weighted(
    scores: Sequence[Scores], frames: Float[np.ndarray, " scores"], pairs: Float[np.ndarray, " scores"]
) -> Scores:
    joints = np.stack([score.joints for score in scores])
    weights = np.repeat(frames[:, None], len(OF_JOINTS), axis=1)
    weights[:, -1] = pairs
    weights = np.where(np.isnan(joints), 0.0, weights[..., None])
    sums, counted = (weights * np.nan_to_num(joints)).sum(0), weights.sum(0)
    return Scores(
        frames=sum(score.frames for score in scores),
        pairs=sum(score.pairs for score in scores),
        joints=np.divide(sums, counted, out=np.full_like(sums, np.nan), where=counted > 0),
        bones_sd_mm=np.average(np.stack([score.bones_sd_mm for score in scores]), axis=0, weights=frames),
    )
