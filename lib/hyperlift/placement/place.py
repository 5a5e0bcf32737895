"""The placement stage: tracks with poses and a camera in, people in metres in a world out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperlift.body.person import LiftedTrack, Person
from hyperlift.contract import LifterSpec
from hyperlift.errors import InputError
from hyperlift.geometry.chunks import frame_chunks
from hyperlift.placement.body_height import BodyHeight, metric_pose
from hyperlift.placement.lens import Intrinsics
from hyperlift.placement.root_path import root_path
from hyperlift.placement.world_frame import PlacedBody, WorldFrame, floor_level, world_frame
from hyperlift.shapes import Float
from hyperlift.skeletons.joint_sets import skeleton_named
from hyperlift.skeletons.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Placement:
    """Everything that was assumed to say where people are."""

    world: WorldFrame
    intrinsics: Intrinsics
    height: BodyHeight
    floor_shift_m: Mapping[int, float]
    """By person: what was added to their heights in the world, so that the resting feet are on the floor: 0 for
    somebody whose feet are too far from it to be explained by the uncertainties of size and tilt (on a roof, say), or
    never rest."""

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
            "floor_shift_m": {f"p{number}": round(shift_m, 4) for number, shift_m in self.floor_shift_m.items()},
        }


def place_people(
    tracks: Sequence[LiftedTrack],
    lifter: LifterSpec,
    intrinsics: Intrinsics,
    height: BodyHeight | None = None,
    pitch_deg: float | None = None,
    roll_deg: float | None = None,
) -> tuple[list[Person], Placement]:
    """Give lifted tracks a size, a path through space, and a world with gravity and a floor.

    Args:
        tracks: at least one.
        lifter: tells the label space and the skeleton.
        intrinsics: of the upright picture in which the keypoints are.
        height: standing height of everybody; None assumes that of an adult.
        pitch_deg: of the camera, positive looks up; None finds it.
        roll_deg: of the camera, positive is clockwise as seen from behind it; None finds it.

    Raises:
        InputError: nobody is there, time stamps do not increase, or angles are impossible.

    Example:
        >>> import hyperlift
        >>> from hyperlift.keypoints.timestamps import even_times
        >>> from hyperlift.lifting.lift import lift_people, people_in
        >>> from hyperlift.placement.lens import choose_intrinsics
        >>> from hyperlift.placement.place import place_people
        >>> from hyperlift.runtime.loading import load_lifter
        >>> lifter, time_s = load_lifter("nano"), even_times(frames=226, fps=30)
        >>> detections = hyperlift.read_keypoints("examples/sports2d_demo.alphapose.json")
        >>> tracks = people_in(detections, 1768, 994, time_s)
        >>> lifted = lift_people(lifter, lifter.spec, tracks, 1768, 994, time_s)
        >>> people, placement = place_people(lifted, lifter.spec, choose_intrinsics(1768, 994, fov_deg=66))
        >>> people[0].world_m.shape, round(placement.intrinsics.fov_deg)
        ((169, 17, 3), 66)
    """
    height = height or BodyHeight()
    skeleton = skeleton_named(lifter.skeleton)
    bodies, paths = [], []
    for track in tracks:
        if (np.diff(track.time_s) <= 0).any():
            raise InputError(f"person {track.id}: time stamps do not increase; the video's clock is broken")
        keypoints_px = track.keypoints_px
        if (np.isfinite(keypoints_px[..., 0]) & ~track.valid).any():
            keypoints_px = np.where(track.valid[..., None], keypoints_px, np.nan)
        pose_m = metric_pose(track.pose_norm, track.valid, track.time_s, skeleton, lifter.label_space, height.height_m)
        path = root_path(pose_m, keypoints_px, intrinsics.K, track.time_s)
        paths.append(path)
        pose_m += path.root_m[:, None]
        bodies.append(PlacedBody(pose_m, track.valid, track.time_s, height.height_m))
    world = world_frame(bodies, skeleton, pitch_deg, roll_deg)
    people, floor_shift_m = [], {}
    for track, body, path in zip(tracks, bodies, paths, strict=True):
        shift_m = floor_shift(body, floor_level(body, skeleton, world.up), skeleton, world, height)
        floor_shift_m[track.id] = shift_m
        people.append(
            Person(
                **vars(track),
                joints_m=body.joints_m,
                root_m=path.root_m,
                root_std_m=path.std_m,
                world_m=_in_world(body.joints_m, world, shift_m),
                reprojection_px=path.reprojection_px,
            )
        )
    return people, Placement(world=world, intrinsics=intrinsics, height=height, floor_shift_m=floor_shift_m)


def _in_world(
    joints_m: Float[np.ndarray, "frames joints 3"], world: WorldFrame, shift_m: float
) -> Float[np.ndarray, "frames joints 3"]:
    world_m = np.empty_like(joints_m)
    for some in frame_chunks(len(joints_m)):
        world_m[some] = world.to_world(joints_m[some]) + [0.0, 0.0, shift_m]
    return world_m


def floor_shift(
    body: PlacedBody, level: tuple[float, float], skeleton: Skeleton, world: WorldFrame, height: BodyHeight
) -> float:
    """By how many metres to lift one person onto the common floor, where sizes and tilt are uncertain enough to explain
    that they are off it; else 0.

    Args:
        body: the person.
        level: ``floor_level`` of the person.
        skeleton: of the joints.
        world: with the common floor.
        height: of the person.
    """
    above_m = level[0] + world.camera_height_m
    # A body that is taken too large stands too far away, and so too far below the camera.
    by_size_m = height.std_m / height.height_m * abs(level[0])
    distance_m = float(np.median(np.linalg.norm(body.joints_m[:, skeleton.root], axis=-1)))
    by_tilt_m = np.radians(np.nan_to_num(world.tilt_std_deg)) * distance_m
    explained_m = 2 * float(np.hypot(by_size_m, by_tilt_m)) + 0.05
    return -above_m if level[1] > 0 and abs(above_m) <= explained_m else 0.0
