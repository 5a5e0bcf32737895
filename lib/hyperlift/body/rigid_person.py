"""The fit stage: a rigid body for one person, in world axes if the person has a place in the world."""

from dataclasses import replace

import numpy as np

from hyperlift.body.joint_limits import JointLimits
from hyperlift.body.person import Person, known
from hyperlift.body.rigid_fit import fit_motion
from hyperlift.errors import InputError
from hyperlift.geometry.alignment import best_rotation
from hyperlift.geometry.cameras import reprojection_error
from hyperlift.shapes import Float

DEFAULT_CUTOFF_HZ = 6.0
"""Cutoff of the smoothing: 6 Hz is common for the kinematics of walking (Winter 2009)."""


def fit_person(
    person: Person,
    camera_matrix: Float[np.ndarray, "3 3"] | None = None,
    *,
    limits: JointLimits | None = None,
    cutoff_hz: float | None = DEFAULT_CUTOFF_HZ,
) -> Person:
    """The same person with bones of constant length; joints and ``root_m`` come from ``fit`` and are finite.

    The fit is made in camera axes, also to the keypoints if they are known and the camera matrix is given, and then
    transformed to world axes (z up, the floor at 0) if the person has a place in the world. ``valid`` becomes False
    where the position of a joint is inferred. ``pose_norm`` is unchanged.

    Args:
        person: with ``joints_m``.
        camera_matrix: intrinsics of the upright picture in pixels, as ``Placement.intrinsics.K``.
        limits: of joint angles; None for none.
        cutoff_hz: of the smoothing; None for no smoothing.

    Raises:
        InputError: the person has no metres, or no detected joint.

    Example:
        >>> import hyperlift
        >>> motion = hyperlift.load_motion("out/pose3d.npz")
        >>> from hyperlift.body.rigid_person import fit_person
        >>> print(fit_person(motion.people[0]).fit.report.sentence)
        rigid bones moved the joints by ... mm on average (...)...
    """
    check_metres(person)
    sight = {}
    if camera_matrix is not None and known(person.keypoints_px):
        sight = {"keypoints_px": person.keypoints_px.astype(np.float64), "camera_matrix": camera_matrix}
    in_camera = fit_motion(
        person.joints_m, person.time_s, person.valid, axes="camera", limits=limits, cutoff_hz=cutoff_hz, **sight
    )
    kind = person.joints_m.dtype
    to_world = _rigid_between(person.joints_m, person.world_m)
    fit = in_camera if to_world is None else in_camera.moved(*to_world, "world")
    off_px = reprojection_error(in_camera.joints_m, *sight.values()) if sight else np.full(len(person.frame), np.nan)
    return replace(
        person,
        joints_m=in_camera.joints_m.astype(kind),
        root_m=in_camera.joints_m[:, in_camera.skeleton.root].astype(kind),
        world_m=person.world_m if to_world is None else fit.joints_m.astype(kind),
        valid=in_camera.seen,
        reprojection_px=off_px,
        fit=fit,
    )


def check_metres(person: Person) -> None:
    """Reject a person without joints in metres.

    Raises:
        InputError: ``joints_m`` is unknown.
    """
    if person.lacks("joints_m"):
        raise InputError(f"person {person.id} has no joints in metres; lift the video again with this version")


def _rigid_between(
    camera_m: Float[np.ndarray, "frames joints 3"], world_m: Float[np.ndarray, "frames joints 3"]
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]] | None:
    """The rotation and translation from camera to world, which are exact; None with fewer than 3 common joints."""
    both = np.isfinite(camera_m).all(-1) & np.isfinite(world_m).all(-1)
    source, target = camera_m[both].astype(np.float64), world_m[both].astype(np.float64)
    if len(source) < 3:
        return None
    middle, goal = source.mean(0), target.mean(0)
    rotation, _ = best_rotation(target - goal, source - middle)
    return rotation, goal - rotation @ middle
