"""Results of an evaluation as data."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hyperlift.choices import Mean
from hyperlift.evaluation.measures import AUC, OF_JOINTS, PCK, Scores, averaged, pooled
from hyperlift.evaluation.protocol import Protocol
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Mean errors over a set of frames; ``measures`` defines them. MPJVE is NaN without consecutive frames."""

    frames: int
    p1_mm: float
    p2_mm: float
    r_mpjpe_mm: float
    n_mpjpe_mm: float
    n_mpjpe_frame_mm: float
    mpjve_mm_per_frame: float
    pck_150: float
    auc_150: float
    bone_sd_mm: float
    joints: Mapping[str, Mapping[str, float]]
    """Joint name to the measures of a joint, by key."""
    bones_sd_mm: Mapping[str, float]
    """By "parent-child"."""

    @property
    def values_mm(self) -> tuple[float, float, float, float, float]:
        """The position errors: P1, P2, R-MPJPE, N-MPJPE by video and by frame."""
        return self.p1_mm, self.p2_mm, self.r_mpjpe_mm, self.n_mpjpe_mm, self.n_mpjpe_frame_mm


def errors_of(scores: Scores, skeleton: Skeleton, correct_joints: tuple[str, ...] = ()) -> Errors:
    """Average scores over joints and bones, and name them.

    Args:
        scores: scores of the joints of ``skeleton``.
        skeleton: joint names and bones.
        correct_joints: joints of PCK and AUC; empty: all.
    """
    counted = skeleton.indices(correct_joints or skeleton.joints)
    rows = dict(zip(OF_JOINTS, scores.joints, strict=True))
    means = {
        measure.key: _mean_of_measured(row[counted] if measure in (PCK, AUC) else row) for measure, row in rows.items()
    }
    joints = {
        joint: {measure.key: float(row[number]) for measure, row in rows.items()}
        for number, joint in enumerate(skeleton.joints)
    }
    bones = [f"{skeleton.joints[parent]}-{skeleton.joints[child]}" for parent, child in skeleton.bones]
    return Errors(
        frames=scores.frames,
        **means,
        bone_sd_mm=float(scores.bones_sd_mm.mean()),
        joints=joints,
        bones_sd_mm=dict(zip(bones, scores.bones_sd_mm.tolist(), strict=True)),
    )


def _mean_of_measured(values: Float[np.ndarray, " joints"]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluationResult:
    """Scores by action, with the settings that they depend on."""

    lifter: str
    data: str
    skeleton: Skeleton
    fps: float
    protocol: Protocol
    n_frames: int
    """Window length."""
    stride: int
    slicing: str
    scores: Mapping[str, Scores]
    """Scores by action, over all frames of its videos."""
    frames_total: int
    """Valid frames of all videos that are not excluded, including frames outside all windows, which are not scored."""
    videos_excluded: int
    size_given: bool
    """Whether predictions are scaled to the true size of the person before scoring."""

    @property
    def actions(self) -> Mapping[str, Errors]:
        """Errors by action."""
        return {action: self._errors(scores) for action, scores in self.scores.items()}

    def mean(self, over: Mean) -> Errors:
        """Errors averaged over the actions (``action``) or over all frames (``frame``)."""
        scores = list(self.scores.values())
        return self._errors(averaged(scores) if over == "action" else pooled(scores))

    @property
    def overall(self) -> Errors:
        """The mean of the protocol."""
        return self.mean(self.protocol.mean)

    def _errors(self, scores: Scores) -> Errors:
        return errors_of(scores, self.skeleton, self.protocol.correct_joints)


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """Scores of a benchmark file: means over views, weighted by their frames."""

    views: int
    frames: int
    n_mpjpe_mm: float
    pa_mpjpe_mm: float
    jitter_mm: float
    """Mean acceleration error in mm/frame²."""
    bone: float
    """Coefficient of variation of the predicted bone lengths (standard deviation / mean), mean over bones."""
