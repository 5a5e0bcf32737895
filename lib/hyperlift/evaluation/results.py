"""What an evaluation found; printing comes after."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hyperlift.evaluation.protocol import Protocol


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Mean errors over some frames, in millimetres, poses root-relative."""

    frames: int
    p1_mm: float
    """Protocol 1: MPJPE, nothing forgiven."""
    p2_mm: float
    """Protocol 2: MPJPE after the best similarity of each frame (PA-MPJPE)."""
    n_mpjpe_mm: float
    """MPJPE after the best scale of each video."""

    @property
    def values_mm(self) -> tuple[float, float, float]:
        """P1, P2, N-MPJPE."""
        return self.p1_mm, self.p2_mm, self.n_mpjpe_mm


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """Errors by action, and all that a reader has to know about them."""

    lifter: str
    data: str
    protocol: Protocol
    n_frames: int
    """Window length."""
    stride: int
    slicing: str
    actions: Mapping[str, Errors]
    frames_total: int
    """Frames of all videos that are not excluded; those beyond ``overall.frames`` lie in no window."""
    videos_excluded: int
    size_given: bool
    """The prediction was scaled to the person's true size before scoring."""

    def mean(self, over: str) -> Errors:
        """Errors averaged over the actions (``action``) or over all frames (``frame``)."""
        errors = list(self.actions.values())
        frames = np.array([error.frames for error in errors])
        weights = frames / frames.sum() if over == "frame" else np.full(len(errors), 1 / len(errors))
        p1, p2, n = (weights @ np.array([error.values_mm for error in errors])).tolist()
        return Errors(frames=int(frames.sum()), p1_mm=p1, p2_mm=p2, n_mpjpe_mm=n)

    @property
    def overall(self) -> Errors:
        """The mean that the protocol asks for."""
        return self.mean(self.protocol.mean)


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """Scores of a benchmark file: means over views, weighted by their frames."""

    views: int
    frames: int
    n_mpjpe_mm: float
    pa_mpjpe_mm: float
    jitter_mm: float
    """Mean difference of accelerations, millimetres a frame²."""
    bone: float
    """Mean over bones of the standard deviation of the predicted length over its mean; 0 = constant."""
