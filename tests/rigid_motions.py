"""A file of lifted people whose bones change their lengths, for the tests of what is made of motion."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from rigid_people import moving_person, times_s
from scipy.spatial.transform import Rotation

from hyperlift.body.person import Person
from hyperlift.contract import LifterSpec
from hyperlift.motion.formats.poses_npz import poses_meta, write_poses

META = poses_meta(source="walk.json", width=1280, height=720, fps=25.0, lifter=LifterSpec(name="none", n_frames=9))
CENTRE_M = np.array([0.0, -4.0, 1.5])
TO_CAMERA = Rotation.from_euler("x", 10, degrees=True).as_matrix() @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Of a camera that looks 10° down along the world's y."""


def lifted(number: int, frames: int, noise_m: float = 0.01) -> Person:
    """Somebody in the world and from the camera, with noise on every joint."""
    world_m, _ = moving_person(frames, number)
    world_m = world_m + [1.5 * number, 0.0, 0.0]
    world_m = world_m + np.random.default_rng(number).normal(0, noise_m, world_m.shape)
    camera_m = (world_m - CENTRE_M) @ TO_CAMERA.T
    return Person.of(
        id=number,
        frame=np.arange(frames),
        time_s=times_s(frames),
        pose_norm=camera_m - camera_m[:, :1],
        valid=np.ones((frames, 17), bool),
        joints_m=camera_m,
        root_m=camera_m[:, 0],
        world_m=world_m,
    )


def without(person: Person, *names: str) -> Person:
    """The same person, of whom these arrays are not known."""
    return replace(person, **{name: np.full_like(getattr(person, name), np.nan) for name in names})


def poses_file(path: Path, people: list[Person]) -> Path:
    write_poses(path, people, META)
    return path
