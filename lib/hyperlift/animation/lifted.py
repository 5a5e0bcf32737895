"""A lifted person onto rigid bones, in the world where there is one."""

import numpy as np

from hyperlift.errors import InputError
from hyperlift.kinematics.fit import FittedMotion, fit_motion
from hyperlift.kinematics.limits import JointLimits
from hyperlift.shapes import Float
from hyperlift.wild.keypoints import LiftedPerson


def fit_person(
    person: LiftedPerson,
    camera_matrix: Float[np.ndarray, "3 3"] | None = None,
    *,
    limits: JointLimits | None = None,
    cutoff_hz: float | None = 6.0,
) -> FittedMotion:
    """Fit rigid bones to somebody who was lifted and placed.

    The fit is done from the camera, against the keypoints too where the person has them and the camera's matrix is
    given, and then turned into the world (z up, the floor at 0) where the person has a place in it.

    Args:
        person: with ``joints_m``.
        camera_matrix: intrinsics of the upright picture in pixels, as ``Placement.intrinsics.K``.
        limits: of joint angles; None for none.
        cutoff_hz: of the smoothing; None for none.

    Raises:
        InputError: the person is not placed in metres, or was never seen.
    """
    if person.joints_m is None:
        raise InputError(f"person {person.id} has no joints in metres; lift the video again with this version")
    keypoints_px = None if camera_matrix is None else person.keypoints_px
    fitted = fit_motion(
        person.joints_m,
        person.time_s,
        person.valid,
        axes="camera",
        keypoints_px=None if keypoints_px is None else keypoints_px.astype(np.float64),
        camera_matrix=None if keypoints_px is None else camera_matrix,
        limits=limits,
        cutoff_hz=cutoff_hz,
    )
    if person.world_m is None:
        return fitted
    return fitted.moved(*_rigid_between(person.joints_m, person.world_m), "world")


def _rigid_between(
    camera_m: Float[np.ndarray, "frames joints 3"], world_m: Float[np.ndarray, "frames joints 3"]
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
    """The rotation and translation that lead from one to the other (Kabsch 1976), which they do exactly."""
    both = np.isfinite(camera_m).all(-1) & np.isfinite(world_m).all(-1)
    source, target = camera_m[both].astype(np.float64), world_m[both].astype(np.float64)
    middle, goal = source.mean(0), target.mean(0)
    left, _, right = np.linalg.svd((target - goal).T @ (source - middle))
    rotation = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    return rotation, goal - rotation @ middle
