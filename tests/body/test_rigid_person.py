from dataclasses import replace

import numpy as np
import pytest
from rigid_motions import without
from rigid_people import moving_person, times_s
from scipy.spatial.transform import Rotation

from hyperlift.body.person import Person
from hyperlift.body.rigid_person import fit_person
from hyperlift.errors import InputError

CAMERA = np.array([[1000.0, 0, 500], [0, 1000, 400], [0, 0, 1]])


def _person() -> tuple[Person, np.ndarray]:
    world_m, _ = moving_person(30, 4)
    # A camera 1.5 m up, looking 10° down, along the world's y.
    to_camera = Rotation.from_euler("x", 10, degrees=True).as_matrix() @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    camera_m = (world_m - [0.0, -4.0, 1.5]) @ to_camera.T
    pixels = (camera_m @ CAMERA.T)[..., :2] / camera_m[..., 2:]
    person = Person.of(
        id=3,
        frame=np.arange(30),
        time_s=times_s(30),
        pose_norm=camera_m - camera_m[:, :1],
        valid=np.ones((30, 17), bool),
        keypoints_px=np.concatenate([pixels, np.ones((30, 17, 1))], axis=-1),
        joints_m=camera_m + np.random.default_rng(0).normal(0, 0.02, camera_m.shape),
    )
    placed_m = person.joints_m @ to_camera + [0.0, -4.0, 1.5]
    return replace(person, world_m=placed_m), world_m


def test_a_lifted_person_stands_in_the_world():
    person, truth_m = _person()
    fitted = fit_person(person, CAMERA).fit
    assert fitted is not None
    assert fitted.axes == "world"
    assert np.linalg.norm(fitted.joints_m - truth_m, axis=-1).mean() < 0.02
    np.testing.assert_allclose(np.linalg.det(fitted.rotations), 1.0, atol=1e-9)
    without = fit_person(person, cutoff_hz=None).fit
    error = [np.linalg.norm(f.joints_m - truth_m, axis=-1).mean() for f in (fitted, without)]
    assert error[0] < error[1]


def test_without_a_world_the_axes_stay_the_cameras():
    person, _ = _person()
    assert fit_person(without(person, "world_m")).fit.axes == "camera"


def test_somebody_without_metres_is_refused():
    person, _ = _person()
    with pytest.raises(InputError, match="person 3 has no joints in metres"):
        fit_person(without(person, "joints_m"))
