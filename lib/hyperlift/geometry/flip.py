"""Horizontal flip of poses, and flip averaging at test time."""

from dataclasses import dataclass

import numpy as np

from hyperlift.contract import Predictor
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton


def flip_pose(pose: Float[np.ndarray, "*any joints 3"], skeleton: Skeleton) -> Float[np.ndarray, "*any joints 3"]:
    """Mirror at x = 0 and swap left and right joints; applied twice, this is the identity.

    Valid wherever x = 0 is the image centre or the root: keypoints in normalised image coordinates (the confidence
    moves with its joint), labels of both label spaces, and camera coordinates in metres. NaN stays NaN.
    """
    mirrored = pose[..., skeleton.mirror, :]
    mirrored[..., 0] = -mirrored[..., 0]
    return mirrored


@dataclass(frozen=True)
class FlipAveraged:
    """A predictor that returns the mean of f(x) and flip(f(flip(x))); the computing time doubles."""

    predict: Predictor
    skeleton: Skeleton

    def __call__(
        self, pose2d_norm: Float[np.ndarray, "clips frames joints 3"]
    ) -> Float[np.ndarray, "clips frames joints 3"]:
        """Lift the clips and their flipped copies; average in the label space of the predictor."""
        direct = self.predict(pose2d_norm)
        mirrored = flip_pose(self.predict(flip_pose(pose2d_norm, self.skeleton)), self.skeleton)
        return (direct + mirrored) / 2
