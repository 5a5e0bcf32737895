"""A lifted person onto rigid bones, in the world where there is one."""

from dataclasses import dataclass, replace

import numpy as np

from hyperlift.errors import InputError
from hyperlift.kinematics.fit import FittedMotion, fit_motion
from hyperlift.kinematics.limits import JointLimits
from hyperlift.shapes import Float
from hyperlift.trajectory.root import reprojection_error
from hyperlift.wild.keypoints import LiftedPerson

USUAL_CUTOFF_HZ = 6.0
"""Of the smoothing: what people do, and hardly anything else, is slower."""


@dataclass(frozen=True, eq=False)
class RigidPerson:
    """Somebody with bones of constant length."""

    person: LiftedPerson
    """With joints of the fit in ``joints_m``, ``world_m`` and ``root_m``, finite everywhere; ``valid`` is False where a
    joint was not seen and its place is a guess. ``pose_norm`` stays as the network gave it."""
    fitted: FittedMotion
    """In the world where there is one, else in camera axes."""


def rigid_person(
    person: LiftedPerson,
    camera_matrix: Float[np.ndarray, "3 3"] | None = None,
    *,
    limits: JointLimits | None = None,
    cutoff_hz: float | None = USUAL_CUTOFF_HZ,
) -> RigidPerson:
    """Fit rigid bones to somebody who was lifted and placed, and put the person's joints onto them.

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
    in_camera = fit_motion(
        person.joints_m,
        person.time_s,
        person.valid,
        axes="camera",
        keypoints_px=None if keypoints_px is None else keypoints_px.astype(np.float64),
        camera_matrix=None if keypoints_px is None else camera_matrix,
        limits=limits,
        cutoff_hz=cutoff_hz,
    )
    kind = person.joints_m.dtype
    to_world = None if person.world_m is None else _rigid_between(person.joints_m, person.world_m)
    fitted = in_camera if to_world is None else in_camera.moved(*to_world, "world")
    rigid = replace(
        person,
        joints_m=in_camera.joints_m.astype(kind),
        root_m=None if person.root_m is None else in_camera.joints_m[:, in_camera.skeleton.root].astype(kind),
        world_m=None if to_world is None else fitted.joints_m.astype(kind),
        valid=in_camera.seen,
        reprojection_px=None
        if keypoints_px is None or camera_matrix is None
        else reprojection_error(in_camera.joints_m, keypoints_px.astype(np.float64), camera_matrix),
    )
    return RigidPerson(rigid, fitted)


def fit_person(
    person: LiftedPerson,
    camera_matrix: Float[np.ndarray, "3 3"] | None = None,
    *,
    limits: JointLimits | None = None,
    cutoff_hz: float | None = USUAL_CUTOFF_HZ,
) -> FittedMotion:
    """``rigid_person``'s fit alone, for the writers of animation files.

    Raises:
        InputError: as ``rigid_person``.
    """
    return rigid_person(person, camera_matrix, limits=limits, cutoff_hz=cutoff_hz).fitted


def _rigid_between(
    camera_m: Float[np.ndarray, "frames joints 3"], world_m: Float[np.ndarray, "frames joints 3"]
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]] | None:
    """The rotation and translation that lead from one to the other (Kabsch 1976), which they do exactly; None where
    too few joints are known in both to tell."""
    both = np.isfinite(camera_m).all(-1) & np.isfinite(world_m).all(-1)
    source, target = camera_m[both].astype(np.float64), world_m[both].astype(np.float64)
    if len(source) < 3:
        return None
    middle, goal = source.mean(0), target.mean(0)
    left, _, right = np.linalg.svd((target - goal).T @ (source - middle))
    rotation = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    return rotation, goal - rotation @ middle
