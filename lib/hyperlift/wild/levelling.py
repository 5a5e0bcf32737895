"""Lifting through a camera that is turned on the spot: level, or level and towards the person.

A lifter knows people as cameras see them that are held about level. What a rolled camera saw is turned upright before
lifting, and the poses are turned back: the lifter sees what it was trained on, the results stay in the camera's axes.
"""

from dataclasses import dataclass

import numpy as np

from hyperlift.geometry.turned_view import turn_keypoints, turn_pose, turn_towards
from hyperlift.shapes import Float
from hyperlift.trajectory.world import up_from_pitch_roll

_AHEAD = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class TurnedView:
    """A camera that is turned on the spot before lifting."""

    K: Float[np.ndarray, "3 3"]
    """Intrinsics of the upright picture, pixels."""
    turn: Float[np.ndarray, "3 3"]
    """From the camera's axes to those of the turned one."""

    def keypoints(self, keypoints_px: Float[np.ndarray, "frames joints 3"]) -> Float[np.ndarray, "frames joints 3"]:
        """Where the turned camera sees keypoints: pixels and confidence; NaN passes through."""
        return turn_keypoints(keypoints_px, self.K, self.turn)

    def back(self, pose: Float[np.ndarray, "frames joints 3"]) -> Float[np.ndarray, "frames joints 3"]:
        """Poses that were lifted through the turned camera, in the axes of the camera that filmed."""
        return turn_pose(pose, self.turn.T).astype(pose.dtype)


def unrolled_view(roll_deg: float, width: int, height: int) -> TurnedView | None:
    """The camera without its roll about the middle of the picture; no focal length is needed.

    Args:
        roll_deg: positive is clockwise, as seen from behind the camera.
        width: of the picture in pixels.
        height: of the picture in pixels.

    Returns:
        None for a roll of 0.

    Raises:
        InputError: the roll is not within -180 … 180 degrees.
    """
    up = up_from_pitch_roll(0.0, roll_deg)
    if roll_deg == 0:
        return None
    # Any focal length gives the same picture; that of a wide lens keeps the numbers small.
    K = np.array([[float(width), 0.0, width / 2], [0.0, float(width), height / 2], [0.0, 0.0, 1.0]])
    return TurnedView(K, turn_towards(_AHEAD, up))
