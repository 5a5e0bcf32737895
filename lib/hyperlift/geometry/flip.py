"""The mirror image of a person: the left hand becomes a right hand on the other side."""

from dataclasses import dataclass

import numpy as np

from hyperlift.contract import Predictor
from hyperlift.shapes import Float
from hyperlift.skeletons.skeleton import Skeleton


def flip_pose(pose: Float[np.ndarray, "*any joints 3"], skeleton: Skeleton) -> Float[np.ndarray, "*any joints 3"]:
    """Mirror at x = 0 and exchange left and right joints; twice is the identity.

    Fits everything whose x is 0 at the picture's centre or at the root: normalised points with their
    confidence (the confidence moves with its joint), labels in normalised picture space, and camera metres.
    NaN passes through.
    """
    mirrored = pose[..., skeleton.mirror, :]
    mirrored[..., 0] = -mirrored[..., 0]
    return mirrored


@dataclass(frozen=True)
class FlipAveraged:
    """A predictor that returns the mean of f(x) and flip(f(flip(x))), at twice the work."""

    predict: Predictor
    skeleton: Skeleton

    def __call__(
        self, pose2d_norm: Float[np.ndarray, "clips frames joints 3"]
    ) -> Float[np.ndarray, "clips frames joints 3"]:
        """Lift the clips and their mirror images; average in the predictor's label space."""
        direct = self.predict(pose2d_norm)
        mirrored = flip_pose(self.predict(flip_pose(pose2d_norm, self.skeleton)), self.skeleton)
        return (direct + mirrored) / 2
