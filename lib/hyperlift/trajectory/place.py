"""The front of the package: lifted poses and a camera in, people in metres in a world out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hyperlift.errors import InputError
from hyperlift.geometry.contract import LifterSpec
from hyperlift.geometry.stretches import stretches
from hyperlift.shapes import Bool, Float
from hyperlift.skeletons import skeleton_named
from hyperlift.trajectory.intrinsics import Intrinsics
from hyperlift.trajectory.root import root_path
from hyperlift.trajectory.scale import BodyHeight, metric_pose
from hyperlift.trajectory.world import PlacedBody, WorldFrame, floor_level, world_frame


@runtime_checkable
class Lifted(Protocol):
    """What placing needs to know of one lifted person."""

    @property
    def id(self) -> int:
        """Number of the person."""
        ...

    @property
    def time_s(self) -> Float[np.ndarray, " frames"]:
        """Seconds, strictly increasing."""
        ...

    @property
    def pose_norm(self) -> Float[np.ndarray, "frames joints 3"]:
        """In the lifter's label space."""
        ...

    @property
    def valid(self) -> Bool[np.ndarray, "frames joints"]:
        """Whether a joint was seen."""
        ...

    @property
    def keypoints_px(self) -> Float[np.ndarray, "frames joints 3"] | None:
        """What was lifted: x, y in pixels and confidence; NaN where a joint was not seen."""
        ...


@dataclass(frozen=True, eq=False)
class PlacedPerson:
    """One person in metres. All are uncertain by one common factor a person, that of the standing height."""

    id: int
    joints_m: Float[np.ndarray, "frames joints 3"]
    """Camera axes, from the camera: x right, y down, z forward."""
    root_m: Float[np.ndarray, "frames 3"]
    """The skeleton's root, camera axes."""
    root_std_m: Float[np.ndarray, "frames 3"]
    """Standard deviation of ``root_m``, without that of body size and focal length."""
    reprojection_px: Float[np.ndarray, " frames"]
    """Root mean square distance between projected joints and keypoints; NaN where no joint was seen."""
    world_m: Float[np.ndarray, "frames joints 3"]
    """World axes: z up, the floor at 0."""
    floor_shift_m: float
    """What was added to this person's heights in the world, so that the resting feet are on the floor: 0 for somebody
    whose feet are too far from it to be explained by the uncertainties of size and tilt (on a roof, say), or never
    rest."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Where everybody is, and everything that was assumed to say so."""

    people: list[PlacedPerson]
    """In the order in which they came."""
    world: WorldFrame
    intrinsics: Intrinsics
    height: BodyHeight

    def as_dict(self) -> dict[str, Any]:
        """For the ``meta`` of outputs."""
        return {
            "intrinsics": self.intrinsics.as_dict(),
            "height": {
                "height_m": self.height.height_m,
                "std_m": self.height.std_m,
                "assumed": self.height.assumed,
                "sentence": self.height.sentence,
            },
            "world": self.world.as_dict(),
            "floor_shift_m": {f"p{person.id}": round(person.floor_shift_m, 4) for person in self.people},
        }


def place_people(
    people: Sequence[Lifted],
    lifter: LifterSpec,
    intrinsics: Intrinsics,
    height: BodyHeight | None = None,
    pitch_deg: float | None = None,
    roll_deg: float | None = None,
) -> Placement:
    """Give lifted people a size, a path through space, and a world with gravity and a floor.

    Args:
        people: with the keypoints that they were lifted from.
        lifter: tells the label space and the skeleton.
        intrinsics: of the upright picture in which the keypoints are.
        height: standing height of everybody; None assumes that of an adult.
        pitch_deg: of the camera, positive looks up; None finds it.
        roll_deg: of the camera, positive is clockwise as seen from behind it; None finds it.

    Raises:
        InputError: nobody is there, a person comes without keypoints, time stamps do not increase, or angles are
            impossible.
    """
    height = height or BodyHeight()
    skeleton = skeleton_named(lifter.skeleton)
    bodies, paths = [], []
    for person in people:
        if person.keypoints_px is None:
            raise InputError(f"person {person.id} comes without the keypoints that were lifted; lift the video again")
        if (np.diff(person.time_s) <= 0).any():
            raise InputError(f"person {person.id}: time stamps do not increase; the video's clock is broken")
        keypoints_px = person.keypoints_px
        if (np.isfinite(keypoints_px[..., 0]) & ~person.valid).any():
            keypoints_px = np.where(person.valid[..., None], keypoints_px, np.nan)
        pose_m = metric_pose(
            person.pose_norm, person.valid, person.time_s, skeleton, lifter.label_space, height.height_m
        )
        path = root_path(pose_m, keypoints_px, intrinsics.K, person.time_s)
        paths.append(path)
        pose_m += path.root_m[:, None]
        bodies.append(PlacedBody(pose_m, person.valid, person.time_s, height.height_m))
    world = world_frame(bodies, skeleton, pitch_deg, roll_deg)
    placed = []
    for person, body, path in zip(people, bodies, paths, strict=True):
        distance_m = float(np.median(np.linalg.norm(path.root_m, axis=-1)))
        shift_m = floor_shift(floor_level(body, skeleton, world.up), distance_m, world, height)
        placed.append(
            PlacedPerson(
                id=person.id,
                joints_m=body.joints_m,
                root_m=path.root_m,
                root_std_m=path.std_m,
                reprojection_px=path.reprojection_px,
                world_m=_in_world(body.joints_m, world, shift_m),
                floor_shift_m=shift_m,
            )
        )
    return Placement(people=placed, world=world, intrinsics=intrinsics, height=height)


def _in_world(
    joints_m: Float[np.ndarray, "frames joints 3"], world: WorldFrame, shift_m: float
) -> Float[np.ndarray, "frames joints 3"]:
    world_m = np.empty_like(joints_m)
    for some in stretches(len(joints_m)):
        world_m[some] = world.to_world(joints_m[some]) + [0.0, 0.0, shift_m]
    return world_m


def floor_shift(level: tuple[float, float], distance_m: float, world: WorldFrame, height: BodyHeight) -> float:
    """By how many metres to lift one person onto the common floor, where sizes and tilt are uncertain enough to explain
    that they are off it; else 0.

    Args:
        level: ``floor_level`` of the person.
        distance_m: typical distance from the camera.
        world: with the common floor.
        height: of the person.
    """
    above_m = level[0] + world.camera_height_m
    # A body that is taken too large stands too far away, and so too far below the camera.
    by_size_m = height.std_m / height.height_m * abs(level[0])
    by_tilt_m = np.radians(np.nan_to_num(world.tilt_std_deg)) * distance_m
    explained_m = 2 * float(np.hypot(by_size_m, by_tilt_m)) + 0.05
    return -above_m if level[1] > 0 and abs(above_m) <= explained_m else 0.0
