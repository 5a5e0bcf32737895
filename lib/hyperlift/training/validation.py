"""A quick measure after an epoch: position error in the unit of the labels, before any protocol."""

import numpy as np
from torch import nn

from hyperlift.data.clips import Clips
from hyperlift.models.predictor import TorchPredictor


def validation_error(model: nn.Module, clips: Clips, batch_size: int = 32) -> dict[str, float]:
    """Mean errors over all clips, in the unit of the label space (metres or normalised picture units).

    Joints that were not measured are left out; every clip counts alike.

    Returns:
        ``mpjpe`` (root-relative), ``n_mpjpe`` (after the best scale of a clip), ``mpjve`` (frame to frame).
    """
    predict = TorchPredictor(model, batch_size)
    sums = np.zeros(3)
    for start in range(0, len(clips), batch_size):
        pairs = [clips.pair(clip) for clip in range(start, min(start + batch_size, len(clips)))]
        label = np.stack([pair[1] for pair in pairs])
        pose = predict(np.stack([pair[0] for pair in pairs]))
        root = clips.skeleton.root
        label, pose = label - label[:, :, root : root + 1], pose - pose[:, :, root : root + 1]
        axes = (1, 2, 3)
        fitted = np.where(np.isnan(label), 0.0, pose)
        scale = (fitted * np.nan_to_num(label)).sum(axes, keepdims=True)
        scale /= np.maximum((fitted * fitted).sum(axes, keepdims=True), 1e-12)
        errors = (pose - label, scale * pose - label, np.diff(pose - label, axis=1))
        # A clip of one frame has no velocity; its error there counts as 0.
        sums += [np.nanmean(np.linalg.norm(e, axis=-1), (1, 2)).sum() if e.size else 0.0 for e in errors]
    return dict(zip(("mpjpe", "n_mpjpe", "mpjve"), (sums / len(clips)).tolist(), strict=True))
