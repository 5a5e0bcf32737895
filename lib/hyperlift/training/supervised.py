"""Supervised training: the loss of a step, and the validation error of an epoch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hyperlift.datasets.clips import Clips
from hyperlift.geometry.alignment import align_scale
from hyperlift.geometry.joint_errors import joint_distance, root_relative, velocity_error
from hyperlift.models.predictor import TorchPredictor
from hyperlift.skeletons.extremities import CORE
from hyperlift.skeletons.joint_sets import H36M_25
from hyperlift.skeletons.skeleton import Skeleton
from hyperlift.training.pose_losses import LossWeights, pose_loss


@dataclass(frozen=True)
class SupervisedStep:
    """Weighted pose losses; implements ``LossStep``."""

    weights: LossWeights
    skeleton: Skeleton
    one_frame: bool = False
    """Lift one random frame (or group) of each clip per batch. For networks without transformer."""
    frames: int = 1
    """Size of that group: the frames that the frame lifter lifts at once."""

    def __call__(self, model: nn.Module, pose2d: Tensor, label: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Lift a batch and compute its loss."""
        which: tuple[int, ...] = ()
        if self.one_frame:
            first = int(torch.randint(pose2d.shape[1] - self.frames + 1, ()))
            which, label = (first + self.frames // 2,), label[:, first : first + self.frames]
        if self.weights.uncertainty:
            pose, std = model(pose2d, *which, with_std=True)
        else:
            pose, std = model(pose2d, *which), None
        # Losses in float32: differences of consecutive frames are lost in bfloat16.
        std = None if std is None else std.float()
        return pose_loss(pose.float(), label, self.weights, self.skeleton, std)


def validation_error(model: nn.Module, clips: Clips, batch_size: int = 32) -> dict[str, float]:
    """Mean errors over all clips, in the unit of the label space (metres or normalised picture units).

    Joints without label are ignored; all clips have equal weight.

    Returns:
        ``mpjpe`` (root-relative), ``n_mpjpe`` (after the optimal scale per clip) and ``mpjve`` (frame to frame). For
        ``H36M_25`` they cover the 17 body joints; ``extremities`` is the root-relative error of feet and hands.
    """
    predict = TorchPredictor(model, batch_size)
    sums, limbs = np.zeros(3), np.zeros(2)
    for start in range(0, len(clips), batch_size):
        pairs = [clips.pair(clip) for clip in range(start, min(start + batch_size, len(clips)))]
        label = np.stack([pair[1] for pair in pairs])
        pose = predict(np.stack([pair[0] for pair in pairs]))
        label, pose = root_relative(label, clips.skeleton.root), root_relative(pose, clips.skeleton.root)
        if clips.skeleton is H36M_25:
            away = joint_distance(pose, label)[:, :, CORE.stop :]
            limbs += [np.nansum(away), np.isfinite(away).sum()]
            label, pose = label[:, :, CORE], pose[:, :, CORE]
        scaled = align_scale(np.where(np.isnan(label), 0.0, pose), np.nan_to_num(label))
        errors = (joint_distance(pose, label), joint_distance(scaled, label), velocity_error(pose, label))
        # A clip of one frame has no velocity; its velocity error counts as 0.
        sums += [np.nanmean(e, (1, 2)).sum() if e.size else 0.0 for e in errors]
    means = dict(zip(("mpjpe", "n_mpjpe", "mpjve"), (sums / len(clips)).tolist(), strict=True))
    return means | ({"extremities": float(limbs[0] / limbs[1])} if limbs[1] else {})
